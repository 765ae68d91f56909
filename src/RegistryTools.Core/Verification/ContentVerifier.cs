using System.Buffers;
using System.Security.Cryptography;
using RegistryTools.References;
using RegistryTools.Storage;
using RegistryTools.Text;

namespace RegistryTools.Verification;

/// <summary>Holds the bytes of blobs against their digests, as fast as they can be read.</summary>
internal sealed class ContentVerifier(StorageLocation location, DigestTable digests, int throttleLimit, IActivityLog log)
{
    private const string Activity = "Verifying the content";
    private const int BufferSize = 1 << 19;

    private long _done;

    /// <summary>The bytes that were read.</summary>
    public long Read => Interlocked.Read(ref _done);

    /// <summary>Checks blobs, the largest first so that all threads end at about the same time, and tells which are not what they should be: with the digest that they have, or why they can't be read.</summary>
    public void Check(List<KeyValuePair<Sha256Key, long>> blobs, Action<Sha256Key, Digest?, string> tell, CancellationToken cancellationToken)
    {
        blobs.Sort(static (left, right) => right.Value.CompareTo(left.Value));
        var total = blobs.Sum(static blob => blob.Value);
        var next = -1;
        void Work()
        {
            var buffer = ArrayPool<byte>.Shared.Rent(BufferSize);
            try
            {
                for (var index = Interlocked.Increment(ref next); index < blobs.Count; index = Interlocked.Increment(ref next))
                {
                    cancellationToken.ThrowIfCancellationRequested();
                    CheckOne(blobs[index].Key, buffer, total, blobs.Count, index, tell, cancellationToken);
                }
            }
            finally
            {
                ArrayPool<byte>.Shared.Return(buffer);
            }
        }

        var workers = new Task[Math.Max(1, Math.Min(throttleLimit, blobs.Count))];
        for (var i = 0; i < workers.Length; i++) workers[i] = Task.Factory.StartNew(Work, CancellationToken.None, TaskCreationOptions.LongRunning, TaskScheduler.Default);
        Task.WhenAll(workers).GetAwaiter().GetResult();
    }

    private void CheckOne(Sha256Key key, byte[] buffer, long total, int count, int index, Action<Sha256Key, Digest?, string> tell, CancellationToken cancellationToken)
    {
        var digest = digests.ToDigest(key);
        if (!digest.CanVerify) return;
        try
        {
            using var hash = IncrementalHash.CreateHash(digest.Algorithm == Digest.Sha512 ? HashAlgorithmName.SHA512 : HashAlgorithmName.SHA256);
#if NET
            using var handle = File.OpenHandle(Path.Combine(location.Blobs, digests.BlobPath(key)), FileMode.Open, FileAccess.Read, FileShare.ReadWrite | FileShare.Delete, FileOptions.SequentialScan);
            long position = 0;
            int read;
            while ((read = RandomAccess.Read(handle, buffer.AsSpan(0, BufferSize), position)) > 0)
            {
                position += read;
#else
            using var stream = new FileStream(Path.Combine(location.Blobs, digests.BlobPath(key)), FileMode.Open, FileAccess.Read, FileShare.ReadWrite | FileShare.Delete, 1, FileOptions.SequentialScan);
            int read;
            while ((read = stream.Read(buffer, 0, BufferSize)) > 0)
            {
#endif
                cancellationToken.ThrowIfCancellationRequested();
                hash.AppendData(buffer, 0, read);
                var done = Interlocked.Add(ref _done, read);
                if (read == BufferSize || (index & 63) == 0) log.Progress(Activity, FormattableString.Invariant($"blob {index + 1:N0} of {count:N0}"), done, total, "byte");
            }

            var actual = Digest.FromHash(digest.Algorithm, hash.GetHashAndReset());
            if (actual != digest) tell(key, actual, string.Empty);
        }
        catch (Exception exception) when (exception is FileNotFoundException or DirectoryNotFoundException)
        {
            // Collected since it was listed.
        }
        catch (Exception exception) when (exception is IOException or UnauthorizedAccessException)
        {
            tell(key, null, exception.Message);
        }
    }
}
