namespace RegistryTools.Host.Embedded;

/// <summary>What a registry answers when a tag is to be deleted by name.</summary>
public enum TagDeleteBehaviour
{
    /// <summary>It deletes the tag alone and answers 202, as distribution 3 does.</summary>
    Supported,

    /// <summary>400 DIGEST_INVALID, as distribution 2.8 does.</summary>
    Refused400,

    /// <summary>405 UNSUPPORTED.</summary>
    Refused405,
}

/// <summary>How a registry pages its list of tags.</summary>
public enum TagPaging
{
    /// <summary>All tags at once, in no order, whatever is asked for, as distribution 2.8 does.</summary>
    IgnoresN,

    /// <summary>By n and last, with a relative Link, as distribution 3 does.</summary>
    RelativeLink,

    /// <summary>By n and last, with an absolute Link.</summary>
    AbsoluteLink,
}

/// <summary>What a registry answers when a repository has no tags.</summary>
public enum EmptyTagList
{
    /// <summary><c>"tags": null</c>, as distribution 2 does.</summary>
    Null,

    /// <summary><c>"tags": []</c>, as distribution 3 does.</summary>
    EmptyArray,

    /// <summary>404 NAME_UNKNOWN.</summary>
    NotFound,
}

/// <summary>How the registry asks who one is.</summary>
public enum RegistryAuthentication
{
    /// <summary>Not at all.</summary>
    None,

    /// <summary>By user name and password.</summary>
    Basic,

    /// <summary>By tokens of its own token service, at <c>/token</c>.</summary>
    Bearer,
}

/// <summary>How an <see cref="EmbeddedRegistry"/> behaves.</summary>
public sealed record EmbeddedRegistryOptions
{
    /// <summary>The storage's root; null for a directory of its own that goes with the registry.</summary>
    public string? StoragePath { get; init; }

    /// <summary>The port on 127.0.0.1; 0 for one that is free.</summary>
    public int Port { get; init; }

    /// <summary>What it answers when a tag is to be deleted by name.</summary>
    public TagDeleteBehaviour TagDelete { get; init; } = TagDeleteBehaviour.Supported;

    /// <summary>Whether anything can be deleted; where not, every DELETE is 405 UNSUPPORTED before its digest is looked at.</summary>
    public bool DeleteEnabled { get; init; } = true;

    /// <summary>Whether it has the referrers API.</summary>
    public bool ReferrersApi { get; init; }

    /// <summary>Whether it lists its repositories.</summary>
    public bool Catalog { get; init; } = true;

    /// <summary>How it pages tags.</summary>
    public TagPaging TagPaging { get; init; } = TagPaging.RelativeLink;

    /// <summary>The most that a page holds.</summary>
    public int MaximumPage { get; init; } = 1000;

    /// <summary>How many repositories a page of the catalog holds where no number is asked for.</summary>
    public int CatalogPage { get; init; } = 100;

    /// <summary>Whether asking for more than a page holds is 400; else less is given.</summary>
    public bool RejectsLargeN { get; init; }

    /// <summary>What it answers for a repository without tags.</summary>
    public EmptyTagList EmptyTags { get; init; } = EmptyTagList.EmptyArray;

    /// <summary>Whether it leaves out the Docker-Content-Digest header.</summary>
    public bool OmitsContentDigest { get; init; }

    /// <summary>Whether a blob can be pushed whole by one POST; distribution takes that for the beginning of an upload, as the specification allows.</summary>
    public bool SinglePostUpload { get; init; } = true;

    /// <summary>What every answer says in <c>Warning</c> headers: the text alone, without code and quotes.</summary>
    public IReadOnlyList<string> Warnings { get; init; } = [];

    /// <summary>Whether deleting a layer's digest as if it were a manifest unlinks the layer and answers 202, as distribution up to 2.8.3 does.</summary>
    public bool UnlinksLayersByManifestDelete { get; init; }

    /// <summary>How it asks who one is.</summary>
    public RegistryAuthentication Authentication { get; init; }

    /// <summary>The one user.</summary>
    public string UserName { get; init; } = "user";

    /// <summary>That user's password.</summary>
    public string Password { get; init; } = "password";

    /// <summary>What that user may do in repositories: of <c>pull</c>, <c>push</c> and <c>delete</c>. The rest is 403 DENIED.</summary>
    public IReadOnlyList<string> UserActions { get; init; } = ["pull", "push", "delete"];

    /// <summary>Whether that user may list the repositories; else 403 DENIED.</summary>
    public bool UserCatalog { get; init; } = true;

    /// <summary>Whether anybody may pull without being known.</summary>
    public bool AnonymousPull { get; init; }

    /// <summary>How long a token is good for.</summary>
    public TimeSpan TokenLifetime { get; init; } = TimeSpan.FromMinutes(5);

    /// <summary>Whether the token service takes POST too (OAuth2); else that is 405.</summary>
    public bool OAuth2 { get; init; } = true;

    /// <summary>As distribution 2.8: no deletion of tags by name.</summary>
    public static EmbeddedRegistryOptions Distribution2() => new()
    {
        TagDelete = TagDeleteBehaviour.Refused400,
        TagPaging = TagPaging.IgnoresN,
        EmptyTags = EmptyTagList.Null,
        RejectsLargeN = true,
        SinglePostUpload = false,
        UnlinksLayersByManifestDelete = true,
    };

    /// <summary>As distribution 3.</summary>
    public static EmbeddedRegistryOptions Distribution3() => new() { SinglePostUpload = false };

    /// <summary>As distribution 2.8 comes: deletion switched off.</summary>
    public static EmbeddedRegistryOptions DeletionDisabled() => Distribution2() with { DeleteEnabled = false };

    /// <summary>As distribution 3, with the referrers API.</summary>
    public static EmbeddedRegistryOptions Full() => new() { ReferrersApi = true };

    /// <summary>What <see cref="Named"/> knows.</summary>
    public static IReadOnlyList<string> Names { get; } = ["2.8", "3", "2.8-no-delete", "3-no-delete", "full"];

    /// <summary>A behaviour by the name that a command line gives it.</summary>
    /// <param name="behaviour">One of <see cref="Names"/>.</param>
    /// <exception cref="ArgumentException">There is no such behaviour.</exception>
    public static EmbeddedRegistryOptions Named(string behaviour) => behaviour switch
    {
        "2.8" => Distribution2(),
        "3" => Distribution3(),
        "2.8-no-delete" => DeletionDisabled(),
        "3-no-delete" => Distribution3() with { DeleteEnabled = false },
        "full" => Full(),
        _ => throw new ArgumentException($"'{behaviour}' is no behaviour: there are {string.Join(", ", Names.SkipLast(1))} and {Names[^1]}.", nameof(behaviour)),
    };
}
