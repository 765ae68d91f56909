using System.Collections;
using System.Diagnostics.CodeAnalysis;
using System.Management.Automation;
using System.Management.Automation.Provider;
using System.Text;
using RegistryTools.Manifests;
using RegistryTools.PowerShell.Output;

namespace RegistryTools.PowerShell.Drives;

/// <summary>The content of a tag is its manifest.</summary>
public sealed partial class ContainerRegistryProvider
{
    /// <inheritdoc/>
    public object GetContentReaderDynamicParameters(string path) => new RegistryContentParameters();

    /// <inheritdoc/>
    public IContentReader? GetContentReader(string path)
    {
        if (!TryLocateOrTell(path, out var located)) return null;
        if (located.Path.IsLeaf) return TryReadManifest(located, path, out var named) ? Reader(named) : null;
        if (!TryFindOrTell(located, path, out var place)) return null;
        if (place.Kind == PlaceKind.Tag) return TryReadManifest(located, path, out var manifest) ? Reader(manifest) : null;
        var twin = place.Manifest is null ? "Its tags have: Get-ChildItem lists them." : $"The tag '{located.Path.Tag}' of '{located.Path.Repository}' is {located.Show(located.Path.Repository!, located.Path.Tag!)}.";
        WriteError(ErrorRecords.Create(
            ErrorRecords.InvalidArgument,
            ErrorCategory.InvalidArgument,
            place.Kind == PlaceKind.Root ? "A registry has no content." : $"'{located.Path.Container}' is a {place.Kind.ToString().ToLowerInvariant()}, and has no content.",
            twin,
            new ErrorSubject(path, located.Connection.Name, located.Path.Container)));
        return null;
    }

    /// <summary>The manifest that a path names by tag or digest; what has both is read by its digest, so that it is what was listed.</summary>
    private bool TryReadManifest(Located located, string path, [NotNullWhen(true)] out Manifest? manifest)
    {
        var (repository, reference) = (located.Path.Repository!, located.Path.Digest?.ToString() ?? located.Path.Tag!);
        var failure = _pump.Run(token => located.Connection.Handle.GetManifestAsync(repository, reference, token), out manifest, $"Reading {located.Path.Text}");
        if (failure is null) return true;
        WriteError(ErrorRecords.From(failure, new ErrorSubject(path, located.Connection.Name, repository, reference)));
        return false;
    }

    private ManifestReader Reader(Manifest manifest)
    {
        var asked = DynamicParameters as RegistryContentParameters;
        var bytes = manifest.Raw.ToArray();
        object[] items = asked switch
        {
            { Raw.IsPresent: true, AsByteStream.IsPresent: true } => [bytes],
            { AsByteStream.IsPresent: true } => Array.ConvertAll(bytes, static one => (object)one),
            { Raw.IsPresent: true } => [Encoding.UTF8.GetString(bytes)],
            _ => Lines(Encoding.UTF8.GetString(bytes)),
        };
        return new ManifestReader(items);
    }

    private static object[] Lines(string text)
    {
        var lines = new List<object>();
        using var reader = new StringReader(text);
        while (reader.ReadLine() is { } line) lines.Add(line);
        return [.. lines];
    }

    /// <summary>Hands out what has been read already.</summary>
    private sealed class ManifestReader(object[] items) : IContentReader
    {
        private long _next;

        public IList Read(long readCount)
        {
            var count = readCount <= 0 ? items.Length - _next : Math.Min(readCount, items.Length - _next);
            var portion = new object[Math.Max(0, count)];
            Array.Copy(items, _next, portion, 0, portion.Length);
            _next += portion.Length;
            return portion;
        }

        public void Seek(long offset, SeekOrigin origin) =>
            _next = Math.Max(0, Math.Min(items.Length, offset + origin switch { SeekOrigin.Begin => 0, SeekOrigin.Current => _next, _ => items.Length }));

        public void Close()
        {
            // Nothing is open.
        }

        public void Dispose() => Close();
    }
}
