using System.Diagnostics;
using System.Diagnostics.CodeAnalysis;
using System.Globalization;
using System.Runtime.InteropServices;
using System.Security.Cryptography;
using System.Text;
using System.Text.RegularExpressions;

// What the tests use of the modern .NET and the old one lacks, as far as they use it.
namespace System
{
    [Flags]
    internal enum UnixFileMode
    {
        None = 0,
        UserExecute = 64,
        UserWrite = 128,
        UserRead = 256,
        GroupRead = 32,
        OtherRead = 4,
    }

    internal static class MorePolyfills
    {
        extension(FileInfo file)
        {
            public string? LinkTarget
            {
                get
                {
                    using var process = Process.Start(new ProcessStartInfo("readlink", $"\"{file.FullName}\"") { RedirectStandardOutput = true, UseShellExecute = false })!;
                    return process.StandardOutput.ReadToEnd().Trim() is { Length: > 0 } target ? target : null;
                }
            }
        }

        extension(Directory)
        {
            public static void CreateSymbolicLink(string path, string target) => File.CreateSymbolicLink(path, target);

            public static DirectoryInfo CreateTempSubdirectory(string prefix) => Directory.CreateDirectory(Path.Combine(Path.GetTempPath(), prefix + Guid.NewGuid().ToString("N")));
        }

        extension(SHA512)
        {
            public static byte[] HashData(ReadOnlySpan<byte> bytes)
            {
                using var hash = SHA512.Create();
                return hash.ComputeHash(bytes.ToArray());
            }

            public static async Task<byte[]> HashDataAsync(Stream stream, CancellationToken cancellationToken)
            {
                using var hash = SHA512.Create();
                return await Task.Run(() => hash.ComputeHash(stream), cancellationToken);
            }
        }

        extension<T>(T[] items)
        {
            public IEnumerable<T> Reverse() => Enumerable.Reverse(items);
        }
    }

    internal static class SystemPolyfills
    {
        private static readonly Random SharedRandom = new();

        extension(Convert)
        {
            public static string ToHexStringLower(byte[] bytes) => string.Concat(bytes.Select(one => one.ToString("x2", CultureInfo.InvariantCulture)));
        }

        extension(OperatingSystem)
        {
            public static bool IsWindows() => RuntimeInformation.IsOSPlatform(OSPlatform.Windows);

            public static bool IsLinux() => RuntimeInformation.IsOSPlatform(OSPlatform.Linux);
        }

        extension(Random)
        {
            public static Random Shared => SharedRandom;
        }

        extension(DateTimeOffset)
        {
            public static DateTimeOffset UnixEpoch => DateTimeOffset.FromUnixTimeSeconds(0);
        }

        extension(string text)
        {
            public static string Create(IFormatProvider provider, FormattableString value) => value.ToString(provider);

            public static string Join(char separator, IEnumerable<string> values) => string.Join(separator.ToString(), values);

            public bool Contains(char value) => text.IndexOf(value) >= 0;

            public bool Contains(string value, StringComparison comparison) => text.IndexOf(value, comparison) >= 0;

            public bool Contains(char value, StringComparison comparison) => text.IndexOf(value.ToString(), comparison) >= 0;

            public int IndexOf(char value, StringComparison comparison) => text.IndexOf(value.ToString(), comparison);

            public bool StartsWith(char value) => text.Length > 0 && text[0] == value;

            public bool EndsWith(char value) => text.Length > 0 && text[text.Length - 1] == value;

            public string[] Split(char separator, StringSplitOptions options) => text.Split([separator], options);

            public string[] Split(string separator) => text.Split([separator], StringSplitOptions.None);

            public string Replace(string old, string value, StringComparison comparison) => comparison == StringComparison.Ordinal ? text.Replace(old, value) : throw new NotSupportedException();
        }

        extension(File)
        {
            public static void CreateSymbolicLink(string path, string target) => Check(symlink(target, path));

            public static void SetUnixFileMode(string path, UnixFileMode mode) => Check(chmod(path, (int)mode));

            public static UnixFileMode GetUnixFileMode(string path)
            {
                using var process = Process.Start(new ProcessStartInfo("stat", $"-c %a \"{path}\"") { RedirectStandardOutput = true, UseShellExecute = false })!;
                return (UnixFileMode)Convert.ToInt32(process.StandardOutput.ReadToEnd().Trim(), 8);
            }

            public static void Move(string source, string target, bool overwrite)
            {
                if (overwrite) File.Delete(target);
                File.Move(source, target);
            }
        }

        extension(Path)
        {
            public static string GetRelativePath(string relativeTo, string path)
            {
                var from = Path.GetFullPath(relativeTo).Split('/');
                var to = Path.GetFullPath(path).Split('/');
                var same = from.Zip(to, static (one, other) => one == other).TakeWhile(static isSame => isSame).Count();
                return string.Join("/", Enumerable.Repeat("..", from.Length - same).Concat(to.Skip(same)));
            }
        }

        extension(SHA256)
        {
            public static byte[] HashData(ReadOnlySpan<byte> bytes)
            {
                using var hash = SHA256.Create();
                return hash.ComputeHash(bytes.ToArray());
            }

            public static async Task<byte[]> HashDataAsync(Stream stream, CancellationToken cancellationToken)
            {
                using var hash = SHA256.Create();
                return await Task.Run(() => hash.ComputeHash(stream), cancellationToken);
            }
        }

        extension<T>(IEnumerable<T> items)
        {
            public IEnumerable<T> Order(IComparer<T>? comparer = null) => items.OrderBy(static item => item, comparer);

            public IEnumerable<T> DistinctBy<TKey>(Func<T, TKey> key) => items.GroupBy(key).Select(static group => group.First());
        }

        extension<TKey, TValue>(Dictionary<TKey, TValue> map) where TKey : notnull
        {
            public TValue? GetValueOrDefault(TKey key) => map.TryGetValue(key, out var value) ? value : default;

            public bool Remove(TKey key, [MaybeNullWhen(false)] out TValue value) => map.TryGetValue(key, out value) && map.Remove(key);
        }

        extension<TKey, TValue>(KeyValuePair<TKey, TValue> pair)
        {
            public void Deconstruct(out TKey key, out TValue value) => (key, value) = (pair.Key, pair.Value);
        }

        extension(CancellationTokenSource source)
        {
            public Task CancelAsync() => Task.Run(source.Cancel);
        }

        extension(Encoding encoding)
        {
            public byte[] GetBytes(ReadOnlySpan<char> text) => encoding.GetBytes(text.ToArray());

            public string GetString(ReadOnlySpan<byte> bytes) => encoding.GetString(bytes.ToArray());
        }

        extension(HttpContent content)
        {
            public Task<string> ReadAsStringAsync(CancellationToken cancellationToken) => content.ReadAsStringAsync();

            public Task<byte[]> ReadAsByteArrayAsync(CancellationToken cancellationToken) => content.ReadAsByteArrayAsync();
        }

        extension(Task task)
        {
            public async Task WaitAsync(CancellationToken cancellationToken)
            {
                var cancelled = Task.Delay(Timeout.Infinite, cancellationToken);
                await await Task.WhenAny(task, cancelled);
            }
        }

        private static void Check(int result)
        {
            if (result != 0) throw new IOException("It failed with " + Marshal.GetLastWin32Error().ToString(CultureInfo.InvariantCulture) + ".");
        }

        [DllImport("libc", SetLastError = true)]
        [DefaultDllImportSearchPaths(DllImportSearchPath.SafeDirectories)]
        private static extern int symlink([MarshalAs(UnmanagedType.LPStr)] string target, [MarshalAs(UnmanagedType.LPStr)] string path);

        [DllImport("libc", SetLastError = true)]
        [DefaultDllImportSearchPaths(DllImportSearchPath.SafeDirectories)]
        private static extern int chmod([MarshalAs(UnmanagedType.LPStr)] string path, int mode);
    }
}

namespace System.Runtime.CompilerServices
{
    internal static class RuntimeHelpers
    {
        public static T[] GetSubArray<T>(T[] array, Range range)
        {
            var (offset, length) = range.GetOffsetAndLength(array.Length);
            var part = new T[length];
            Array.Copy(array, offset, part, 0, length);
            return part;
        }
    }
}

namespace System.Threading
{
    internal sealed class Lock
    {
        private readonly object _gate = new();

        public Scope EnterScope()
        {
            Monitor.Enter(_gate);
            return new Scope(_gate);
        }

        public readonly ref struct Scope(object gate)
        {
            public void Dispose() => Monitor.Exit(gate);
        }
    }
}

namespace System.Threading.Tasks
{
    internal sealed class TaskCompletionSource(TaskCreationOptions options = TaskCreationOptions.None)
    {
        private readonly TaskCompletionSource<bool> _source = new(options);

        public Task Task => _source.Task;

        public void SetResult() => _source.SetResult(true);

        public bool TrySetResult() => _source.TrySetResult(true);
    }
}

namespace System.Text.RegularExpressions
{
    [AttributeUsage(AttributeTargets.Method)]
    internal sealed class GeneratedRegexAttribute(string pattern) : Attribute
    {
        public string Pattern { get; } = pattern;
    }
}

namespace System.Formats.Tar
{
    internal enum TarEntryFormat
    {
        Ustar,
    }

    internal enum TarEntryType
    {
        RegularFile,
    }

    internal sealed class UstarTarEntry(TarEntryType type, string name)
    {
        public TarEntryType Type { get; } = type;

        public string Name { get; } = name;

        public required Stream DataStream { get; init; }

        public DateTimeOffset ModificationTime { get; init; }
    }

    internal sealed class TarWriter(Stream stream, TarEntryFormat format, bool leaveOpen) : IDisposable
    {
        public TarEntryFormat Format { get; } = format;

        public void WriteEntry(UstarTarEntry entry)
        {
            var header = new byte[512];

            void Put(int at, string text) => Encoding.ASCII.GetBytes(text).CopyTo(header, at);

            Put(0, entry.Name);
            Put(100, "0000644\0" + "0000000\0" + "0000000\0");
            Put(124, Convert.ToString(entry.DataStream.Length, 8).PadLeft(11, '0'));
            Put(136, Convert.ToString(entry.ModificationTime.ToUnixTimeSeconds(), 8).PadLeft(11, '0'));
            Put(148, "        0");
            Put(257, "ustar\000");
            Put(148, Convert.ToString(header.Sum(one => one), 8).PadLeft(6, '0') + "\0 ");
            stream.Write(header, 0, header.Length);
            entry.DataStream.CopyTo(stream);
            stream.Write(header, 500, (int)((512 - (entry.DataStream.Length % 512)) % 512) % 12);
        }

        public void Dispose()
        {
            stream.Write(new byte[1024], 0, 1024);
            if (!leaveOpen) stream.Dispose();
        }
    }
}

namespace RegistryTools.Host.Embedded
{
    internal static partial class RegistryNames
    {
        private static partial Regex Repository() => new(@"\A[a-z0-9]+((\.|_|__|-+)[a-z0-9]+)*(/[a-z0-9]+((\.|_|__|-+)[a-z0-9]+)*)*\z");

        private static partial Regex Tag() => new(@"\A[a-zA-Z0-9_][a-zA-Z0-9._-]{0,127}\z");

        private static partial Regex Sha256() => new(@"\Asha256:[a-f0-9]{64}\z");

        private static partial Regex Sha512() => new(@"\Asha512:[a-f0-9]{128}\z");
    }
}
