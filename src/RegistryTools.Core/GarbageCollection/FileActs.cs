namespace RegistryTools.GarbageCollection;

/// <summary>The only place where files are changed, so that a test can end a run before any of its acts.</summary>
internal sealed class FileActs(Action<string>? before)
{
    public void CreateDirectory(string path)
    {
        if (Directory.Exists(path)) return;
        before?.Invoke("mkdir " + path);
        Directory.CreateDirectory(path);
    }

    /// <summary>Renames a file or directory. Never replaces.</summary>
    public void Move(string from, string to, bool isDirectory)
    {
        before?.Invoke("move " + from);
        if (isDirectory) Directory.Move(from, to);
        else File.Move(from, to);
    }

    /// <summary>Does something that is whole or not done.</summary>
    public void Do(string what, Action act)
    {
        before?.Invoke(what);
        act();
    }

    public void DeleteFile(string path)
    {
        before?.Invoke("delete " + path);
        File.Delete(path);
    }

    /// <summary>Removes a directory that has nothing in it; false where it has, or is gone.</summary>
    public bool DeleteEmptyDirectory(string path)
    {
        before?.Invoke("rmdir " + path);
        try
        {
            Directory.Delete(path, recursive: false);
            return true;
        }
        catch (Exception exception) when (exception is IOException or UnauthorizedAccessException)
        {
            return false;
        }
    }

    /// <summary>Appends to a journal. It is on the disk when this returns.</summary>
    public void Append(FileStream stream, byte[] bytes, int count)
    {
        before?.Invoke("append " + stream.Name);
        stream.Write(bytes, 0, count);
        stream.Flush(flushToDisk: true);
    }
}
