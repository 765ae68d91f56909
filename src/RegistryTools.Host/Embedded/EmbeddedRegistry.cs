using System.Net;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Hosting;
using Microsoft.AspNetCore.Hosting.Server;
using Microsoft.AspNetCore.Hosting.Server.Features;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Server.Kestrel.Core;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Hosting;
using Microsoft.Extensions.Logging;

namespace RegistryTools.Host.Embedded;

/// <summary>
/// A registry on 127.0.0.1 that serves a directory in distribution's storage layout and can be made to behave as several products do, and to fail. It is for trying things out and for tests; it is not
/// made for a network.
/// </summary>
public sealed class EmbeddedRegistry : IAsyncDisposable
{
    private readonly WebApplication _application;
    private readonly bool _ownsStorage;
    private readonly List<RecordedRequest> _requests = [];
    private readonly RegistryEndpoints _endpoints;
    private readonly TokenService _tokens;
    private int _sequence;

    private EmbeddedRegistry(WebApplication application, EmbeddedRegistryOptions options, DistributionStore store, bool ownsStorage)
    {
        _application = application;
        _ownsStorage = ownsStorage;
        Options = options;
        Store = store;
        _tokens = new TokenService(options);
        _endpoints = new RegistryEndpoints(options, store);
        application.Run(AnswerAsync);
    }

    /// <summary>How it behaves.</summary>
    public EmbeddedRegistryOptions Options { get; }

    /// <summary>What it serves.</summary>
    public DistributionStore Store { get; }

    /// <summary>The root of what it serves.</summary>
    public string StoragePath => Store.StoragePath;

    /// <summary>Where it is: <c>http://127.0.0.1:port/</c>.</summary>
    public Uri BaseAddress { get; private set; } = new("http://127.0.0.1/");

    /// <summary>Host and port.</summary>
    public string Host => BaseAddress.Authority;

    /// <summary>What was asked since the start, or since <see cref="ClearRequests"/>: a copy.</summary>
    public IReadOnlyList<RecordedRequest> Requests
    {
        get
        {
            lock (_requests) return _requests.ToArray();
        }
    }

    /// <summary>How many tokens were asked for.</summary>
    public int TokenRequests => _tokens.Requests;

    /// <summary>Asked before and after each request is handled: what is to go wrong with it, or null for nothing.</summary>
    public Func<RecordedRequest, FaultPhase, FaultAction?>? Fault { get; set; }

    /// <summary>Whether every connection is cut at once, as if the machine were gone.</summary>
    public bool Dead { get; set; }

    /// <summary>Starts a registry.</summary>
    public static async Task<EmbeddedRegistry> StartAsync(EmbeddedRegistryOptions? options = null, CancellationToken cancellationToken = default)
    {
        options ??= new EmbeddedRegistryOptions();
        var owns = options.StoragePath is null;
        var storage = options.StoragePath ?? Path.Combine(Path.GetTempPath(), "registrytools-" + Guid.NewGuid().ToString("N"));
        Directory.CreateDirectory(storage);
        var builder = WebApplication.CreateSlimBuilder();
        builder.Logging.ClearProviders();
        builder.Services.Configure<KestrelServerOptions>(kestrel =>
        {
            kestrel.Listen(IPAddress.Loopback, options.Port);
            kestrel.Limits.MaxRequestBodySize = null;
            kestrel.Limits.MinRequestBodyDataRate = null;
            kestrel.Limits.MinResponseDataRate = null;
            kestrel.AddServerHeader = false;
            kestrel.AllowSynchronousIO = false;
        });
        var application = builder.Build();
        var registry = new EmbeddedRegistry(application, options, new DistributionStore(storage), owns);
        await application.StartAsync(cancellationToken);
        registry.BaseAddress = new Uri(application.Services.GetRequiredService<IServer>().Features.Get<IServerAddressesFeature>()!.Addresses.First());
        return registry;
    }

    /// <summary>Forgets what was asked so far.</summary>
    public void ClearRequests()
    {
        lock (_requests) _requests.Clear();
    }

    /// <summary>Waits until the registry is stopped.</summary>
    public Task WaitAsync(CancellationToken cancellationToken) => ((IHost)_application).WaitForShutdownAsync(cancellationToken);

    /// <inheritdoc/>
    public async ValueTask DisposeAsync()
    {
        using (var soon = new CancellationTokenSource(TimeSpan.FromSeconds(1)))
        {
            try
            {
                await _application.StopAsync(soon.Token);
            }
            catch (OperationCanceledException)
            {
                // Requests that hang on purpose are cut.
            }
        }

        await _application.DisposeAsync();
        if (_ownsStorage && Directory.Exists(StoragePath)) Directory.Delete(StoragePath, recursive: true);
    }

    private async Task AnswerAsync(HttpContext context)
    {
        RecordedRequest request;
        lock (_requests)
        {
            request = new RecordedRequest(++_sequence, context.Request.Method, context.Request.Path + context.Request.QueryString);
            _requests.Add(request);
        }

        if (Dead || await StrikesAsync(context, Fault?.Invoke(request, FaultPhase.Before)))
        {
            if (Dead) context.Abort();
            request.StatusCode = Dead ? 0 : context.Response.StatusCode;
            return;
        }

        var answer = new Answer();
        try
        {
            if (!_tokens.Answer(context, answer)) await _endpoints.AnswerAsync(context, answer);
        }
        catch (Microsoft.AspNetCore.Http.BadHttpRequestException)
        {
            context.Abort();
            return;
        }

        request.StatusCode = answer.StatusCode;
        var after = Fault?.Invoke(request, FaultPhase.After);
        if (Dead)
        {
            context.Abort();
            return;
        }

        if (await StrikesAsync(context, after)) return;
        await answer.SendAsync(context, after?.Cut, after?.PerByte);
    }

    /// <summary>Does what a fault demands; true where that was the answer.</summary>
    private static async Task<bool> StrikesAsync(HttpContext context, FaultAction? fault)
    {
        if (fault is null) return false;
        if (fault.Wait > TimeSpan.Zero) await Task.Delay(fault.Wait, context.RequestAborted);
        if (fault.Aborts)
        {
            context.Abort();
            return true;
        }

        if (fault.Hangs)
        {
            try
            {
                await Task.Delay(System.Threading.Timeout.Infinite, context.RequestAborted);
            }
            catch (OperationCanceledException)
            {
                return true;
            }
        }

        if (fault.Code is not { } code) return false;
        var answer = new Answer { StatusCode = code, Body = fault.Content ?? [], ContentType = fault.ContentType };
        foreach (var header in fault.Headers) answer.Headers[header.Key] = header.Value;
        await answer.SendAsync(context, null, null);
        return true;
    }
}
