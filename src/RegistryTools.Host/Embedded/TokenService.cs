using System.Collections.Concurrent;
using System.Security.Cryptography;
using System.Text;
using Microsoft.AspNetCore.Http;

namespace RegistryTools.Host.Embedded;

/// <summary>Asks who one is, by Basic or by tokens of its own, and says what one may do.</summary>
internal sealed class TokenService(EmbeddedRegistryOptions options)
{
    private readonly ConcurrentDictionary<string, (DateTimeOffset Until, HashSet<string> Granted, HashSet<string> Asked)> _tokens = new(StringComparer.Ordinal);
    private int _requests;

    public int Requests => _requests;

    /// <summary>True where it has answered the request: it was for a token, or is not allowed.</summary>
    public async Task<bool> AnswerAsync(HttpContext context, Answer answer, CancellationToken cancellationToken)
    {
        var path = context.Request.Path.Value ?? string.Empty;
        if (options.Authentication == RegistryAuthentication.None) return false;
        if (options.Authentication == RegistryAuthentication.Bearer && path == "/token")
        {
            Interlocked.Increment(ref _requests);
            await IssueAsync(context, answer, cancellationToken);
            return true;
        }

        if (!path.StartsWith("/v2", StringComparison.Ordinal)) return false;
        var needed = Needed(context.Request.Method, path, context.Request.Query["from"].ToString());
        var authorization = context.Request.Headers.Authorization.ToString();
        return options.Authentication == RegistryAuthentication.Basic
            ? RefusesBasic(answer, authorization, needed)
            : RefusesBearer(context, answer, authorization, needed);
    }

    /// <summary>The scopes of an answer's challenge, from single permissions such as <c>repository:i1:pull</c>.</summary>
    private static string Scopes(IEnumerable<string> permissions) =>
        string.Join(' ', permissions.GroupBy(one => one[..one.LastIndexOf(':')]).Select(group => group.Key + ":" + string.Join(',', group.Select(one => one[(one.LastIndexOf(':') + 1)..]))));

    /// <summary>The single permissions of a scope.</summary>
    private static IEnumerable<string> Permissions(string scope)
    {
        var colon = scope.LastIndexOf(':');
        if (colon < 0) return [];
        var resource = scope[..colon];
        return scope[(colon + 1)..].Split(',', StringSplitOptions.RemoveEmptyEntries)
            .SelectMany(action => action == "*" && resource.StartsWith("repository:", StringComparison.Ordinal) ? new[] { "pull", "push", "delete" } : [action])
            .Select(action => resource + ":" + action);
    }

    private static bool Unauthorized(Answer answer, string challenge)
    {
        answer.Headers["WWW-Authenticate"] = challenge;
        answer.Error(401, "UNAUTHORIZED", "authentication required");
        return true;
    }

    private static bool Denied(Answer answer, IEnumerable<string> needed)
    {
        answer.Error(403, "DENIED", "requested access to the resource is denied", new { scope = Scopes(needed) });
        return true;
    }

    private bool Grants(string permission, bool known)
    {
        if (permission == "registry:catalog:*") return known && options.UserCatalog;
        if (!permission.StartsWith("repository:", StringComparison.Ordinal)) return false;
        var action = permission[(permission.LastIndexOf(':') + 1)..];
        return (known && options.UserActions.Contains(action)) || (options.AnonymousPull && action == "pull");
    }

    private bool RefusesBasic(Answer answer, string authorization, List<string> needed)
    {
        const string challenge = "Basic realm=\"Registry Realm\"";
        var known = IsUser(authorization);
        if (!known && (authorization.Length > 0 || needed.Count == 0 || !needed.All(one => Grants(one, known: false)))) return Unauthorized(answer, challenge);
        return !needed.All(one => Grants(one, known)) && Denied(answer, needed);
    }

    private bool RefusesBearer(HttpContext context, Answer answer, string authorization, List<string> needed)
    {
        var challenge = $"Bearer realm=\"{context.Request.Scheme}://{context.Request.Host}/token\",service=\"embedded\"{(needed.Count > 0 ? $",scope=\"{Scopes(needed)}\"" : string.Empty)}";
        if (!authorization.StartsWith("Bearer ", StringComparison.OrdinalIgnoreCase)) return Unauthorized(answer, challenge);
        if (!_tokens.TryGetValue(authorization["Bearer ".Length..].Trim(), out var token) || token.Until <= DateTimeOffset.UtcNow)
            return Unauthorized(answer, challenge + ",error=\"invalid_token\"");
        if (needed.All(token.Granted.Contains)) return false;

        // Who has asked for it and was not given it gets it by no other token.
        return needed.All(one => token.Granted.Contains(one) || token.Asked.Contains(one)) ? Denied(answer, needed) : Unauthorized(answer, challenge + ",error=\"insufficient_scope\"");
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

    private async Task IssueAsync(HttpContext context, Answer answer, CancellationToken cancellationToken)
    {
        var authorization = context.Request.Headers.Authorization.ToString();
        var known = IsUser(authorization);
        var offline = context.Request.Query["offline_token"] == "true";
        IEnumerable<string?> scopes = context.Request.Query["scope"];
        if (HttpMethods.IsPost(context.Request.Method) && options.OAuth2)
        {
            if (!context.Request.HasFormContentType)
            {
                Failed(answer, 400, "invalid_request");
                return;
            }

            var form = await context.Request.ReadFormAsync(cancellationToken);
            var grant = form["grant_type"].ToString();
            if (grant is not ("password" or "refresh_token"))
            {
                Failed(answer, 400, "unsupported_grant_type");
                return;
            }

            known = grant == "refresh_token" ? form["refresh_token"] == IdentityToken : form["username"] == options.UserName && form["password"] == options.Password;
            if (!known)
            {
                Failed(answer, 401, "invalid_grant");
                return;
            }

            offline = form["access_type"] == "offline";
            scopes = form["scope"];
        }
        else if (!HttpMethods.IsGet(context.Request.Method))
        {
            answer.Headers["Allow"] = options.OAuth2 ? "GET, POST" : "GET";
            answer.Error(405, "UNSUPPORTED", "The operation is unsupported.");
            return;
        }

        if (!known && (!options.AnonymousPull || authorization.Length > 0))
        {
            answer.Error(401, "UNAUTHORIZED", "incorrect username or password");
            return;
        }

        var asked = scopes.SelectMany(scope => (scope ?? string.Empty).Split(' ', StringSplitOptions.RemoveEmptyEntries)).SelectMany(Permissions).ToHashSet(StringComparer.Ordinal);
        var granted = asked.Where(one => Grants(one, known)).ToHashSet(StringComparer.Ordinal);
        var token = Convert.ToHexStringLower(RandomNumberGenerator.GetBytes(24));
        _tokens[token] = (DateTimeOffset.UtcNow + options.TokenLifetime, granted, asked);
        var given = new Dictionary<string, object>
        {
            ["token"] = token,
            ["access_token"] = token,
            ["expires_in"] = (int)Math.Max(1, options.TokenLifetime.TotalSeconds),
            ["issued_at"] = DateTimeOffset.UtcNow,
            ["scope"] = Scopes(granted),
        };
        if (known && offline) given["refresh_token"] = IdentityToken;
        answer.Json(given);
    }

    private static void Failed(Answer answer, int status, string error)
    {
        answer.StatusCode = status;
        answer.Json(new { error });
    }

    /// <summary>The one identity token that is good: made of the password, so that a test can know it.</summary>
    private string IdentityToken => "identity-" + options.Password;

    private bool IsUser(string authorization)
    {
        if (!authorization.StartsWith("Basic ", StringComparison.OrdinalIgnoreCase)) return false;
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
