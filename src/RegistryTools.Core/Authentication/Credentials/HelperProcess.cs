using System.ComponentModel;
using System.Diagnostics;
using RegistryTools.Errors;
using RegistryTools.Text;

namespace RegistryTools.Authentication;

/// <summary>Runs a program without a shell: a little input, bounded output, bounded time. It is ended when the time is up, when it talks too much and when the caller cancels.</summary>
internal static class HelperProcess
{
    public const int MaximumOutput = 1024 * 1024;

    // What a child that outlives the helper may still hold open is not waited for longer than this.
    private static readonly TimeSpan Grace = TimeSpan.FromSeconds(1);

    /// <summary>The secrets of this module's own that a helper has no use for.</summary>
    private static readonly string[] OwnVariables = ["REGISTRYTOOLS_USERNAME", "REGISTRYTOOLS_PASSWORD", "REGISTRYTOOLS_TOKEN"];

    /// <param name="program">The program's path.</param>
    /// <param name="argument">The one argument: a word of the protocol.</param>
    /// <param name="input">What it reads; overwritten with zeros afterwards.</param>
    /// <param name="timeLimit">How long it may take.</param>
    /// <param name="cancellationToken">Ends it.</param>
    /// <exception cref="CredentialException">It can't be started, took too long, or wrote more than 1 MiB.</exception>
    public static async Task<HelperOutcome> RunAsync(string program, string argument, byte[] input, TimeSpan timeLimit, CancellationToken cancellationToken)
    {
        cancellationToken.ThrowIfCancellationRequested();
        using var process = new Process
        {
            EnableRaisingEvents = true,
            StartInfo = new ProcessStartInfo(program, argument)
            {
                UseShellExecute = false,
                CreateNoWindow = true,
                RedirectStandardInput = true,
                RedirectStandardOutput = true,
                RedirectStandardError = true,
            },
        };
        foreach (var name in OwnVariables) process.StartInfo.Environment.Remove(name);
        var exited = new TaskCompletionSource<bool>(TaskCreationOptions.RunContinuationsAsynchronously);
        process.Exited += (_, _) => exited.TrySetResult(true);
        Start(process, program);
        using var output = new Capture(process.StandardOutput.BaseStream, MaximumOutput);
        using var error = new Capture(process.StandardError.BaseStream, int.MaxValue);
        using var limit = CancellationTokenSource.CreateLinkedTokenSource(cancellationToken);
        var stopped = new TaskCompletionSource<bool>(TaskCreationOptions.RunContinuationsAsynchronously);
        using var registration = limit.Token.Register(static state => ((TaskCompletionSource<bool>)state!).TrySetResult(true), stopped);
        limit.CancelAfter(timeLimit);
        try
        {
            var writing = WriteAsync(process, input);
            await Task.WhenAny(exited.Task, stopped.Task, output.Overflow).ConfigureAwait(false);
            if (exited.Task.IsCompleted) await Task.WhenAny(Task.WhenAll(output.End, error.End), Task.Delay(Grace, limit.Token), output.Overflow).ConfigureAwait(false);
            if (output.Overflow.IsCompleted) throw new CredentialException($"{program} was ended: it wrote more than {MaximumOutput} bytes.", "Check that the program is a credential helper.");
            if (exited.Task.IsCompleted) return new HelperOutcome(process.ExitCode, output.Taken(), error.Taken());
            cancellationToken.ThrowIfCancellationRequested();
            throw new CredentialException(
                FormattableString.Invariant($"{program} {argument} was ended: it did not finish within {timeLimit.TotalSeconds:0.#} s."),
                "It may be waiting for a password or for a locked keychain: run it by hand, or give -Credential.");
        }
        finally
        {
            if (!exited.Task.IsCompleted) Kill(process);
            Array.Clear(input, 0, input.Length);
        }
    }

    private static void Start(Process process, string program)
    {
        try
        {
#if NET
            process.Start();
#else
            // .NET Framework begins the child's input with the console encoding's byte order mark, which a helper would take for part of the server's name.
            var before = Console.InputEncoding;
            var changed = before.GetPreamble().Length > 0 && SetInputEncoding(new System.Text.UTF8Encoding(false));
            try
            {
                process.Start();
            }
            finally
            {
                if (changed) SetInputEncoding(before);
            }
#endif
        }
        catch (Exception exception) when (exception is Win32Exception or InvalidOperationException or IOException or PlatformNotSupportedException)
        {
            throw new CredentialException($"{program} can't be started: {Shown.Short(exception.Message, 300)}", "Check that it is a program for this machine and that you may run it.", exception);
        }
    }

#if !NET
    private static bool SetInputEncoding(System.Text.Encoding encoding)
    {
        try
        {
            Console.InputEncoding = encoding;
            return true;
        }
        catch (Exception exception) when (exception is IOException or System.Security.SecurityException)
        {
            return false;
        }
    }
#endif

    private static async Task WriteAsync(Process process, byte[] input)
    {
        // A copy: the caller's is wiped when the helper ends, and this may still be writing to who does not read.
        var copy = (byte[])input.Clone();
        try
        {
            var stream = process.StandardInput.BaseStream;
            await stream.WriteAsync(copy, 0, copy.Length).ConfigureAwait(false);
            await stream.FlushAsync().ConfigureAwait(false);
            process.StandardInput.Dispose();
        }
        catch (Exception exception) when (exception is IOException or ObjectDisposedException or InvalidOperationException or OperationCanceledException)
        {
            // It ended without reading: what it has to say stands in its output.
        }
        finally
        {
            Array.Clear(copy, 0, copy.Length);
        }
    }

    private static void Kill(Process process)
    {
        try
        {
#if NET
            process.Kill(entireProcessTree: true);
#else
            process.Kill();
#endif
        }
        catch (Exception exception) when (exception is InvalidOperationException or Win32Exception or AggregateException or NotSupportedException)
        {
            // It ended by itself meanwhile, or can't be ended by us.
        }
    }

    /// <summary>Reads a stream to its end, keeps the start, and says so when there is more than a limit.</summary>
    private sealed class Capture : IDisposable
    {
        private readonly Stream _stream;
        private readonly int _limit;
        private readonly MemoryStream _taken = new();
        private readonly TaskCompletionSource<bool> _overflow = new(TaskCreationOptions.RunContinuationsAsynchronously);

        public Capture(Stream stream, int limit)
        {
            _stream = stream;
            _limit = limit;
            End = Task.Run(ReadAsync);
        }

        public Task End { get; }

        public Task Overflow => _overflow.Task;

        public byte[] Taken()
        {
            lock (_taken) return _taken.ToArray();
        }

        public void Dispose()
        {
            _stream.Dispose();
            lock (_taken) _taken.Dispose();
        }

        private async Task ReadAsync()
        {
            var buffer = new byte[16384];
            long total = 0;
            try
            {
                int count;
                while ((count = await _stream.ReadAsync(buffer, 0, buffer.Length).ConfigureAwait(false)) > 0)
                {
                    total += count;
                    if (total > _limit)
                    {
                        _overflow.TrySetResult(true);
                        return;
                    }

                    lock (_taken)
                    {
                        if (_taken.Length < MaximumOutput) _taken.Write(buffer, 0, count);
                    }
                }
            }
            catch (Exception exception) when (exception is IOException or ObjectDisposedException or InvalidOperationException or OperationCanceledException)
            {
                // Closed from here.
            }
        }
    }
}

/// <summary>How a program ended, and the start of what it wrote.</summary>
internal sealed record HelperOutcome(int ExitCode, byte[] Output, byte[] Error);
