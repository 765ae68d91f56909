namespace RegistryTools.Authentication;

/// <summary>What a request needs a token for, in the words of the distribution token specification: <c>repository:name:actions</c>.</summary>
internal static class TokenScope
{
    public const string Catalog = "registry:catalog:*";

    public static string Pull(string repository) => $"repository:{repository}:pull";

    public static string Push(string repository) => $"repository:{repository}:pull,push";

    public static string Mount(string repository, string fromRepository) => Push(repository) + " " + Pull(fromRepository);

    /// <summary>
    /// The key for deleting. What it is called differs (Quay refuses <c>delete</c> and wants <c>*</c>), so a token for it is asked for only once the registry has said, in a challenge, what it
    /// wants.
    /// </summary>
    public static string Delete(string repository) => $"repository:{repository}:delete";

    public static bool IsDelete(string scope) => scope.EndsWith(":delete", StringComparison.Ordinal);
}
