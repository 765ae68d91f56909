namespace RegistryTools.Host.Embedded;

/// <summary>The registry of the README: five repositories, with everything in them that makes deleting a tag a delicate thing.</summary>
public static class SampleData
{
    private static readonly ImageOptions Amd64 = new();
    private static readonly ImageOptions Arm64 = new() { Architecture = "arm64", Variant = "v8" };
    private static readonly ImageOptions Windows = new() { Os = "windows", OsVersion = "10.0.20348.2700" };

    /// <summary>Every tag, by repository; the fallback tag of i5's referrer is not among them.</summary>
    public static IReadOnlyDictionary<string, string[]> Tags { get; } = new Dictionary<string, string[]>
    {
        ["i1"] = ["T11", "T12", "T13"],
        ["i2"] = ["T21", "T22", "T23", "T24"],
        ["i3"] = ["T31", "T32"],
        ["i4"] = ["T41", "T42", "T43", "vT44"],
        ["i5"] = ["T51", "T52"],
    };

    /// <summary>
    /// Writes them. T12 and T13 are one manifest, and so are T22 and T24; T41 is an OCI image of three platforms, T42 a Docker one of two; T51 has an SBOM that refers to it.
    /// </summary>
    /// <param name="store">Where to.</param>
    /// <param name="fallbackTag">Whether the SBOM is noted under the fallback tag, as where there is no referrers API.</param>
    public static void Seed(DistributionStore store, bool fallbackTag = true)
    {
        store.AddImage("i1", "T11", "i1/T11", Amd64 with { Created = On(2023, 2, 11) });
        Alias(store, "i1", store.AddImage("i1", "T12", "i1/T12", Amd64 with { Created = On(2024, 5, 12) }), "T13");

        store.AddImage("i2", "T21", "i2/T21", Docker(2023, 3, 21));
        Alias(store, "i2", store.AddImage("i2", "T22", "i2/T22", Docker(2024, 6, 22)), "T24");
        store.AddImage("i2", "T23", "i2/T23", Amd64 with { Created = On(2025, 1, 23) });

        store.AddImage("i3", "T31", "i3/T31", Amd64 with { Created = On(2024, 7, 31) });
        store.AddImage("i3", "T32", "i3/T32", Docker(2025, 3, 2));

        Platforms(store, "T41", oci: true, Amd64, Arm64, Windows);
        Platforms(store, "T42", oci: false, Amd64, Arm64);
        store.AddImage("i4", "T43", "i4/T43", Docker(2025, 4, 3));
        store.AddImage("i4", "vT44", "i4/vT44", Amd64 with { Created = On(2025, 4, 4) });

        var subject = store.AddImage("i5", "T51", "i5/T51", Amd64 with { Created = On(2025, 5, 1) });
        store.AddReferrer("i5", subject, "application/spdx+json", "{\"spdxVersion\":\"SPDX-2.3\",\"name\":\"i5/T51\"}", fallbackTag);
        store.AddImage("i5", "T52", "i5/T52", Docker(2025, 5, 2));
    }

    private static ImageOptions Docker(int year, int month, int day) => Amd64 with { Oci = false, Created = On(year, month, day) };

    private static DateTimeOffset On(int year, int month, int day) => new(year, month, day, 12, 0, 0, TimeSpan.Zero);

    private static void Alias(DistributionStore store, string repository, string digest, string tag) =>
        store.WriteManifest(repository, tag, store.ReadManifest(repository, digest)!, digest);

    private static void Platforms(DistributionStore store, string tag, bool oci, params ImageOptions[] platforms)
    {
        var children = platforms.Select(platform => platform with { Oci = oci, Created = On(2025, 4, 1) })
            .Select(platform => (store.AddImage("i4", null, $"i4/{tag} {platform.Os}/{platform.Architecture}", platform), platform))
            .ToList();
        store.AddIndex("i4", tag, children, oci);
    }
}
