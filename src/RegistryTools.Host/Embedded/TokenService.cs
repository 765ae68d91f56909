using System.Collections.Concurrent;
using System.Security.Cryptography;
using System.Text;
using Microsoft.AspNetCore.Http;

namespace RegistryTools.Host.Embedded;

/// <summary>Asks who one is, by Basic or by tokens of its own, and says what one may do.</summary>
internal sealed class TokenService(EmbeddedRegistryOptions options)
{
    private readonly ConcurrentDictionary<string, (DateTimeOffset Until, HashSet<string> Access)> _tokens = new(StringComparer.Ordinal);
    private int _requests;

    public int Requests => _requests;

    /// <summary>True where it has answered the request: it was for a token, or is not allowed.</summary>
    public bool Answer(HttpContext context, Answer answer)
    {
        var path = context.Request.Path.Value ?? string.Empty;
        if (options.Authentication == RegistryAuthentication.None) return false;
        if (options.Authentication == RegistryAuthentication.Bearer && path == "/token")
        {
            Interlocked.Increment(ref _requests);
            Issue(context, answer);
            return true;
        }

        if (!path.StartsWith("/v2", StringComparison.Ordinal)) return false;
        if (options.Authentication == RegistryAuthentication.Basic)
        {
            if (IsUser(context.Request.Headers.Authorization.ToString())) return false;
            answer.Headers["WWW-Authenticate"] = "Basic realm=\"Registry Realm\"";
            answer.Error(401, "UNAUTHORIZED", "authentication required");
            return true;
        }

        var needed = Needed(context.Request.Method, path, context.Request.Query["from"].ToString());
        var authorization = context.Request.Headers.Authorization.ToString();
        if (authorization.StartsWith("Bearer ", StringComparison.Ordinal)
            && _tokens.TryGetValue(authorization["Bearer ".Length..], out var token) && token.Until > DateTimeOffset.UtcNow
            && needed.All(token.Access.Contains)) return false;
        var scopes = needed.GroupBy(one => one[..one.LastIndexOf(':')]).Select(group => group.Key + ":" + string.Join(',', group.Select(one => one[(one.LastIndexOf(':') + 1)..])));
        answer.Headers["WWW-Authenticate"] = $"Bearer realm=\"{context.Request.Scheme}://{context.Request.Host}/token\",service=\"embedded\"{(needed.Count > 0 ? $",scope=\"{string.Join(' ', scopes)}\"" : string.Empty)}";
        answer.Error(401, "UNAUTHORIZED", "authentication required");
        return true;
    }

    private static List<string> Needed(string method, string path, string mountFrom)
    {
        if (path == "/v2/_catalog") return ["registry:catalog:*"];
        var rest = path.Length > 4 ? path["/v2/".Length..] : string.Empty;
        var name = new[] { "/manifests/", "/blobs/", "/tags/", "/referrers/" }.Select(mark => rest.LastIndexOf(mark, StringComparison.Ordinal)).Max() is > 0 and var end ? rest[..end] : null;
        if (name is null) return [];
        var needed = method switch
        {
            "GET" or "HEAD" => new List<string> { $"repository:{name}:pull" },
            "DELETE" when !rest.Contains("/blobs/uploads/", StringComparison.Ordinal) => [$"repository:{name}:delete"],
            _ => [$"repository:{name}:pull", $"repository:{name}:push"],
        };
        if (mountFrom.Length > 0) needed.Add($"repository:{mountFrom}:pull");
        return needed;
    }

    private void Issue(HttpContext context, Answer answer)
    {
        var known = IsUser(context.Request.Headers.Authorization.ToString());
        IEnumerable<string?> scopes = context.Request.Query["scope"];
        if (HttpMethods.IsPost(context.Request.Method))
        {
            var form = context.Request.ReadFormAsync().GetAwaiter().GetResult();
            known = form["grant_type"] == "refresh_token" ? form["refresh_token"] == IdentityToken : form["username"] == options.UserName && form["password"] == options.Password;
            scopes = form["scope"];
        }

        if (!known && (!options.AnonymousPull || context.Request.Headers.Authorization.Count > 0))
        {
            answer.Error(401, "UNAUTHORIZED", "incorrect username or password");
            return;
        }

        var access = new HashSet<string>(StringComparer.Ordinal);
        foreach (var scope in scopes.SelectMany(scope => (scope ?? string.Empty).Split(' ', StringSplitOptions.RemoveEmptyEntries)))
        {
            var colon = scope.LastIndexOf(':');
            if (colon < 0) continue;
            foreach (var action in scope[(colon + 1)..].Split(','))
            {
                if (known || action == "pull") access.Add(scope[..colon] + ":" + action);
            }
        }

        var token = Convert.ToHexStringLower(RandomNumberGenerator.GetBytes(24));
        _tokens[token] = (DateTimeOffset.UtcNow + options.TokenLifetime, access);
        answer.Json(new { token, access_token = token, expires_in = (int)Math.Max(1, options.TokenLifetime.TotalSeconds), issued_at = DateTimeOffset.UtcNow });
    }

    /// <summary>The one identity token that is good: made of the password, so that a test can know it.</summary>
    private string IdentityToken => "identity-" + options.Password;

    private bool IsUser(string authorization)
    {
        if (!authorization.StartsWith("Basic ", StringComparison.Ordinal)) return false;
        try
        {
            return Encoding.UTF8.GetString(Convert.FromBase64String(authorization["Basic ".Length..])) == options.UserName + ":" + options.Password;
        }
        catch (FormatException)
        {
            return false;
        }
    }
}
