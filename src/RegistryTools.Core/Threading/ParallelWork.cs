namespace RegistryTools.Threading;

/// <summary>Work on many items that does not wait for anything but the disk.</summary>
internal static class ParallelWork
{
    // Below this many items it costs more to divide the work than to do it.
    private const int Least = 32;

    public static void For(int count, int limit, Action<int> body, CancellationToken cancellationToken)
    {
        if (limit <= 1 || count < Least)
        {
            for (var i = 0; i < count; i++)
            {
                cancellationToken.ThrowIfCancellationRequested();
                body(i);
            }

            return;
        }

        try
        {
            Parallel.For(0, count, new ParallelOptions { MaxDegreeOfParallelism = limit, CancellationToken = cancellationToken }, body);
        }
        catch (AggregateException exception) when (exception.InnerExceptions.Count > 0)
        {
            System.Runtime.ExceptionServices.ExceptionDispatchInfo.Capture(exception.InnerExceptions[0]).Throw();
        }
    }
}
