using RegistryTools.Host.Embedded;

namespace RegistryTools.Host.Tour;

/// <summary>One command of a tour.</summary>
/// <param name="Says">What is going to happen, in a sentence.</param>
/// <param name="Command">The command.</param>
/// <param name="IsRefused">Whether it has to fail: what it shows is a refusal.</param>
/// <param name="Gone">Where it is to be looked after, what must be gone by then, and nothing else; null where it needn't be. Where it is the same as before, nothing may have been written.</param>
internal sealed record TourStep(string Says, string Command, bool IsRefused = false, IReadOnlyCollection<(string Repository, string Tag)>? Gone = null);

/// <summary>What a tour does on one registry.</summary>
/// <param name="Registry">How the registry behaves.</param>
/// <param name="Opening">What is said first.</param>
/// <param name="Steps">The commands.</param>
/// <param name="Closing">What is said before the verdict.</param>
/// <param name="IsBrief">Whether a verdict that finds nothing wrong is one line, without a line for each tag.</param>
internal sealed record TourPart(EmbeddedRegistryOptions Registry, string Opening, IReadOnlyList<TourStep> Steps, string Closing, bool IsBrief = false)
{
    /// <summary>What the tour is there to remove.</summary>
    public static IReadOnlyList<(string Repository, string Tag)> Unwanted { get; } = [("i1", "T12"), ("i2", "T22"), ("i5", "T52")];

    private const string RemoveThree = "Get-RegistryTag I1, I2, I5 | ? Name -in T12, T22, T52 | Remove-RegistryTag";

    /// <summary>The whole tour. <c>{address}</c> stands for the address, which is known only once the registry runs.</summary>
    public static IReadOnlyList<TourPart> All { get; } =
    [
        new(
            EmbeddedRegistryOptions.Distribution2(),
            "It behaves like distribution 2.8 (the image registry:2): it deletes a manifest together with all its tags, and has no way to delete a tag alone.",
            [
                new("Connect once; every command that follows goes to this registry.", "Connect-Registry {address}"),
                new("What the registry can do is found out without changing anything on it.", "Test-Registry"),
                new("These are its repositories.", "Get-RegistryRepository"),
                new("The tags of one of them. T12 and T13 have the same digest: they are two names of one manifest.", "Get-RegistryTag I1 -Detailed"),
                new("Deleting that manifest would take T13 along, so that is refused.", "Get-RegistryTag I1 | ? Name -eq T12 | Remove-RegistryManifest", IsRefused: true, Gone: []),
                new("What is meant is the tag. -WhatIf says what would be done, and does nothing.", "Get-RegistryTag I1 | ? Name -eq T12 | Remove-RegistryTag -WhatIf", Gone: []),
                new("Now three tags of three repositories are removed, in one pipeline.", RemoveThree, Gone: Unwanted),
                new("What is left of those repositories.", "Get-RegistryTag I1, I2, I5"),
                new("Each removal was written to a journal before it was done.", "Get-RegistryRemoval"),
                new("So it can be undone: the tag comes back with the digest that it had.", "Restore-RegistryTag I2 T22 -PassThru", Gone: [("i1", "T12"), ("i5", "T52")]),
                new("Once more, by name.", "Remove-RegistryTag I2 T22", Gone: Unwanted),
            ],
            "Last, without the module: every tag is pulled over plain HTTP with all that belongs to it, and every digest is computed anew."),
        new(
            EmbeddedRegistryOptions.Distribution3(),
            "The same samples again, in a registry that behaves like distribution 3 and deletes a tag by its name. The commands stay the same.",
            [
                new("Connect to this one.", "Connect-Registry {address}"),
                new("It has what the other had not.", "Test-Registry"),
                new("The same three tags, by the same pipeline.", RemoveThree, Gone: Unwanted),
                new("What is left of those repositories.", "Get-RegistryTag I1, I2, I5"),
            ],
            "And again every tag is pulled over plain HTTP, without the module.",
            IsBrief: true),
    ];
}
