using System.Collections.Concurrent;
using System.Net;
using System.Security.Cryptography;
using System.Security.Cryptography.X509Certificates;
using System.Text;
using System.Text.Json.Nodes;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Hosting;
using Microsoft.AspNetCore.Hosting.Server;
using Microsoft.AspNetCore.Hosting.Server.Features;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Server.Kestrel.Core;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Logging;

namespace RegistryTools.Tests.Servers;

/// <summary>
/// A token server as the distribution token specification has it, for the real registry to trust: GET with Basic, and POST as in OAuth2. <c>admin</c> may do everything, <c>reader</c> may pull, nobody
/// else anything; the password is the name with <c>-secret</c> behind it, an identity token the name with <c>-refresh</c>.
/// </summary>
public sealed class TokenServer : IAsyncDisposable
{
    public const string Issuer = "token server of the tests";
    public const string Service = "registry of the tests";
    private readonly WebApplication _application;
    private readonly RSA _key = RSA.Create(2048);
    private readonly string _directory = Directory.CreateTempSubdirectory("rt-token-").FullName;
    private readonly X509Certificate2 _certificate;

    private TokenServer(WebApplication application)
    {
        _application = application;
        var request = new CertificateRequest("CN=token server", _key, HashAlgorithmName.SHA256, RSASignaturePadding.Pkcs1);
        request.CertificateExtensions.Add(new X509BasicConstraintsExtension(true, false, 0, true));
        _certificate = request.CreateSelfSigned(DateTimeOffset.UtcNow.AddDays(-1), DateTimeOffset.UtcNow.AddDays(1));
        CertificateFile = Path.Combine(_directory, "token.crt");
        File.WriteAllText(CertificateFile, _certificate.ExportCertificatePem());
        application.Run(AnswerAsync);
    }

    /// <summary>What the registry verifies tokens with.</summary>
    public string CertificateFile { get; }

    public string Realm { get; private set; } = string.Empty;

    /// <summary>How long a token is good for.</summary>
    public TimeSpan Lifetime { get; set; } = TimeSpan.FromMinutes(5);

    /// <summary>What was asked for: method, account, scopes.</summary>
    public ConcurrentQueue<(string Method, string? Account, string[] Scopes)> Requests { get; } = new();

    /// <summary>The lines of docker-registry's configuration that have it ask here.</summary>
    public string Configuration =>
        $"auth:\n  token:\n    realm: {Realm}\n    service: {Service}\n    issuer: {Issuer}\n    rootcertbundle: {CertificateFile}";

    public static async Task<TokenServer> StartAsync()
    {
        var builder = WebApplication.CreateSlimBuilder();
        builder.Logging.ClearProviders();
        builder.WebHost.UseKestrelCore().ConfigureKestrel(options => options.Listen(IPAddress.Loopback, 0, listen => listen.Protocols = HttpProtocols.Http1));
        var application = builder.Build();
        var server = new TokenServer(application);
        await application.StartAsync();
        server.Realm = application.Services.GetRequiredService<IServer>().Features.Get<IServerAddressesFeature>()!.Addresses.First() + "/token";
        return server;
    }

    public async ValueTask DisposeAsync()
    {
        using var soon = new CancellationTokenSource(TimeSpan.FromMilliseconds(200));
        await _application.StopAsync(soon.Token);
        await _application.DisposeAsync();
        _certificate.Dispose();
        _key.Dispose();
        Directory.Delete(_directory, recursive: true);
    }

    private static string Encoded(byte[] bytes) => Convert.ToBase64String(bytes).TrimEnd('=').Replace('+', '-').Replace('/', '_');

    private static string[] Actions(string? account, string type, string[] wanted) => account switch
    {
        "admin" => wanted,
        "reader" when type == "repository" => wanted.Contains("pull") ? ["pull"] : [],
        _ => [],
    };

    private async Task AnswerAsync(HttpContext context)
    {
        string? account = null, refresh = null, service;
        string[] scopes;
        if (context.Request.Method == "POST")
        {
            var form = await context.Request.ReadFormAsync();
            service = form["service"];
            scopes = form["scope"].ToString().Split(' ', StringSplitOptions.RemoveEmptyEntries);
            refresh = form["refresh_token"];
            if (form["grant_type"] == "refresh_token" && refresh is not null && refresh.EndsWith("-refresh", StringComparison.Ordinal)) account = refresh[..^"-refresh".Length];
        }
        else
        {
            service = context.Request.Query["service"];
            scopes = [.. context.Request.Query["scope"].Where(scope => scope is not null).SelectMany(scope => scope!.Split(' '))];
            var authorization = context.Request.Headers.Authorization.ToString();
            if (authorization.StartsWith("Basic ", StringComparison.Ordinal))
            {
                var pair = Encoding.UTF8.GetString(Convert.FromBase64String(authorization["Basic ".Length..])).Split(':', 2);
                if (pair[1] == pair[0] + "-secret") account = pair[0];
            }
        }

        Requests.Enqueue((context.Request.Method, account, scopes));
        var known = account is "admin" or "reader";
        if (service != Service || (!known && (context.Request.Method == "POST" || context.Request.Headers.Authorization.Count > 0)))
        {
            context.Response.StatusCode = 401;
            await context.Response.WriteAsync("""{"errors":[{"code":"UNAUTHORIZED","message":"not you"}]}""");
            return;
        }

        var access = new JsonArray();
        foreach (var scope in scopes)
        {
            var (type, name, actions) = (scope[..scope.IndexOf(':')], scope[(scope.IndexOf(':') + 1)..scope.LastIndexOf(':')], scope[(scope.LastIndexOf(':') + 1)..]);
            var granted = Actions(account, type, actions.Split(','));
            if (granted.Length > 0) access.Add(new JsonObject { ["type"] = type, ["name"] = name, ["actions"] = new JsonArray([.. granted.Select(action => JsonValue.Create(action))]) });
        }

        var now = DateTimeOffset.UtcNow;
        var header = new JsonObject { ["typ"] = "JWT", ["alg"] = "RS256", ["x5c"] = new JsonArray(Convert.ToBase64String(_certificate.RawData)) };
        var claims = new JsonObject
        {
            ["iss"] = Issuer,
            ["sub"] = account ?? string.Empty,
            ["aud"] = Service,
            ["exp"] = (now + Lifetime).ToUnixTimeSeconds(),
            ["nbf"] = now.AddSeconds(-5).ToUnixTimeSeconds(),
            ["iat"] = now.ToUnixTimeSeconds(),
            ["jti"] = Guid.NewGuid().ToString("N"),
            ["access"] = access,
        };
        var signed = Encoded(Encoding.UTF8.GetBytes(header.ToJsonString())) + "." + Encoded(Encoding.UTF8.GetBytes(claims.ToJsonString()));
        var token = signed + "." + Encoded(_key.SignData(Encoding.ASCII.GetBytes(signed), HashAlgorithmName.SHA256, RSASignaturePadding.Pkcs1));
        context.Response.ContentType = "application/json";
        var answer = new JsonObject { ["expires_in"] = (long)Lifetime.TotalSeconds, ["issued_at"] = now.UtcDateTime.ToString("yyyy-MM-ddTHH:mm:ssZ", System.Globalization.CultureInfo.InvariantCulture) };
        answer[context.Request.Method == "POST" ? "access_token" : "token"] = token;
        if (refresh is not null) answer["refresh_token"] = refresh;
        await context.Response.WriteAsync(answer.ToJsonString());
    }
}
