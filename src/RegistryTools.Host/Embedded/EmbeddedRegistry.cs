using System.Net;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Hosting;
using Microsoft.AspNetCore.Hosting.Server;
using Microsoft.AspNetCore.Hosting.Server.Features;
using Microsoft.AspNetCore.Http;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Hosting;

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
    private readonly CancellationTokenSource _stopping = new();
    private int _sequence;
    private int _disposed;
    private volatile bool _dead;

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
    public bool Dead
    {
        get => _dead;
        set => _dead = value;
    }

    /// <summary>Starts a registry.</summary>
    public static async Task<EmbeddedRegistry> StartAsync(EmbeddedRegistryOptions? options = null, CancellationToken cancellationToken = default)
    {
        options ??= new EmbeddedRegistryOptions();
        var owns = options.StoragePath is null;
        var storage = Path.GetFullPath(options.StoragePath ?? Path.Combine(Path.GetTempPath(), "registrytools-" + Guid.NewGuid().ToString("N")));
        Directory.CreateDirectory(storage);

        // The empty builder reads no settings and no environment, and logs nothing.
        var builder = WebApplication.CreateEmptyBuilder(new WebApplicationOptions { ContentRootPath = storage });
        builder.WebHost.UseKestrelCore().ConfigureKestrel(kestrel =>
        {
            kestrel.Listen(IPAddress.Loopback, options.Port);
            kestrel.Limits.MaxRequestBodySize = null;
            kestrel.Limits.MinRequestBodyDataRate = null;
            kestrel.Limits.MinResponseDataRate = null;
            kestrel.AddServerHeader = false;
            kestrel.AllowSynchronousIO = false;
        });
        builder.Services.AddSingleton<IHostLifetime, QuietLifetime>();
        var application = builder.Build();
        var registry = new EmbeddedRegistry(application, options, new DistributionStore(storage), owns);
        try
        {
            await application.StartAsync(cancellationToken);
            registry.BaseAddress = new Uri(application.Services.GetRequiredService<IServer>().Features.Get<IServerAddressesFeature>()!.Addresses.First());
            return registry;
        }
        catch
        {
            await registry.DisposeAsync();
            throw;
        }
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
        if (Interlocked.Exchange(ref _disposed, 1) != 0) return;
        await _stopping.CancelAsync();
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
        RemoveStorage();
    }

    private async Task AnswerAsync(HttpContext context)
    {
        var request = Record(context);
        using var ending = CancellationTokenSource.CreateLinkedTokenSource(context.RequestAborted, _stopping.Token);
        try
        {
            await AnswerAsync(context, request, ending.Token);
        }
        catch (Exception) when (ending.IsCancellationRequested || context.Response.HasStarted)
        {
            // The client has left, or the registry stops.
            Cut(context, request);
        }
        catch (Microsoft.AspNetCore.Http.BadHttpRequestException)
        {
            Cut(context, request);
        }
        catch (Exception exception)
        {
            // A mistake, here or in a test's fault: whoever looks at the answer is to see which.
            var answer = new Answer();
            answer.Error(500, "UNKNOWN", "unknown error", exception.ToString());
            context.Response.Clear();
            await SendAsync(context, request, answer, null, CancellationToken.None);
        }
    }

    private async Task AnswerAsync(HttpContext context, RecordedRequest request, CancellationToken cancellationToken)
    {
        if (Dead)
        {
            Cut(context, request);
            return;
        }

        var before = Fault?.Invoke(request, FaultPhase.Before);
        if (await StrikesAsync(context, request, before, cancellationToken)) return;
        var answer = new Answer();
        if (context.Request.Path.StartsWithSegments("/v2")) answer.Headers["Docker-Distribution-Api-Version"] = "registry/2.0";
        if (Options.Warnings.Count > 0) answer.Headers["Warning"] = Options.Warnings.Select(text => $"299 - \"{text.Replace("\\", "\\\\", StringComparison.Ordinal).Replace("\"", "\\\"", StringComparison.Ordinal)}\"").ToArray();
        if (!await _tokens.AnswerAsync(context, answer, cancellationToken)) await _endpoints.AnswerAsync(context, answer);
        request.StatusCode = answer.StatusCode;
        var after = Fault?.Invoke(request, FaultPhase.After);
        if (Dead)
        {
            Cut(context, request);
            return;
        }

        if (await StrikesAsync(context, request, after, cancellationToken)) return;
        var sending = after is { Cut: not null } or { PerByte: not null } ? after : before;
        await SendAsync(context, request, answer, sending, cancellationToken);
    }

    private RecordedRequest Record(HttpContext context)
    {
        var headers = context.Request.Headers.ToDictionary(header => header.Key, header => header.Value.ToString(), StringComparer.OrdinalIgnoreCase);
        lock (_requests)
        {
            var request = new RecordedRequest(++_sequence, context.Request.Method, context.Request.Path + context.Request.QueryString, headers);
            _requests.Add(request);
            return request;
        }
    }

    private static void Cut(HttpContext context, RecordedRequest request)
    {
        request.StatusCode = 0;
        context.Abort();
    }

    private static Task SendAsync(HttpContext context, RecordedRequest request, Answer answer, FaultAction? fault, CancellationToken cancellationToken)
    {
        request.StatusCode = answer.StatusCode;
        return answer.SendAsync(context, fault?.Cut, fault?.PerByte, cancellationToken);
    }

    /// <summary>Does what a fault demands; true where that was the answer.</summary>
    private static async Task<bool> StrikesAsync(HttpContext context, RecordedRequest request, FaultAction? fault, CancellationToken cancellationToken)
    {
        if (fault is null) return false;
        if (fault.Wait > TimeSpan.Zero) await Task.Delay(fault.Wait, cancellationToken);
        if (fault.Aborts)
        {
            Cut(context, request);
            return true;
        }

        if (fault.Hangs)
        {
            request.StatusCode = 0;
            await Task.Delay(System.Threading.Timeout.Infinite, cancellationToken);
        }

        if (fault.Code is not { } code) return false;
        var answer = new Answer { StatusCode = code, Body = fault.Content ?? [], ContentType = fault.ContentType };
        foreach (var header in fault.Headers) answer.Headers[header.Key] = header.Value;
        await SendAsync(context, request, answer, null, cancellationToken);
        return true;
    }

    private void RemoveStorage()
    {
        if (!_ownsStorage) return;
        for (var attempt = 0; Directory.Exists(StoragePath); attempt++)
        {
            try
            {
                Directory.Delete(StoragePath, recursive: true);
            }
            catch (Exception exception) when (attempt < 5 && exception is IOException or UnauthorizedAccessException)
            {
                // A request that was cut may still be closing its file.
                Thread.Sleep(50);
            }
        }
    }

    /// <summary>Leaves Ctrl+C and the like to whoever runs the registry; the usual lifetime would take them for itself.</summary>
    private sealed class QuietLifetime : IHostLifetime
    {
        public Task WaitForStartAsync(CancellationToken cancellationToken) => Task.CompletedTask;

        public Task StopAsync(CancellationToken cancellationToken) => Task.CompletedTask;
    }
}
