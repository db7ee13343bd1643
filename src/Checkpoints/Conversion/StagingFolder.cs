namespace Fairseq2Llama;

/// <summary>
/// A folder inside the destination, and so on its file system, in which the result is prepared. Only when all of it is there is it
/// moved into place; whatever happens before, the destination is as it was.
/// </summary>
internal sealed class StagingFolder : IDisposable
{
    private const string NamePrefix = ".fairseq2llama-";

    private readonly string _destination;
    private readonly Stack<string> _created = new();
    private readonly Stack<(string From, string To)> _moves = new();
    private bool _isCommitted;

    private StagingFolder(string destination)
    {
        _destination = destination;
        Path = System.IO.Path.Combine(destination, NamePrefix + Guid.NewGuid().ToString("N")[..8]);
    }

    public string Path { get; }

    public static StagingFolder Create(string destination)
    {
        var staging = new StagingFolder(destination);

        try
        {
            staging.CreateFolders();
            return staging;
        }
        catch
        {
            staging.Dispose();
            throw;
        }
    }

    public string PathOf(PlannedFile file) => System.IO.Path.Combine(Path, file.Name);

    /// <summary>Moves new files into place and old ones out of it.</summary>
    public void Commit(ConversionPlan plan)
    {
        var old = Directory.CreateDirectory(System.IO.Path.Combine(Path, "replaced")).FullName;

        foreach (var name in plan.ReplacedFiles.Concat(plan.StaleFiles))
        {
            Move(System.IO.Path.Combine(_destination, name), System.IO.Path.Combine(old, name));
        }

        foreach (var file in plan.Files)
        {
            Move(PathOf(file), System.IO.Path.Combine(_destination, file.Name));
        }

        _isCommitted = true;
    }

    public void Dispose()
    {
        while (!_isCommitted && _moves.TryPop(out var move))
        {
            File.Move(move.To, move.From);
        }

        if (Directory.Exists(Path))
        {
            Directory.Delete(Path, recursive: true);
        }

        while (!_isCommitted && _created.TryPop(out var folder))
        {
            Directory.Delete(folder);
        }
    }

    private void CreateFolders()
    {
        var missing = new Stack<string>();

        for (var folder = _destination; folder is not null && !Directory.Exists(folder); folder = System.IO.Path.GetDirectoryName(folder))
        {
            missing.Push(folder);
        }

        foreach (var folder in missing)
        {
            Directory.CreateDirectory(folder);
            _created.Push(folder);
        }

        Directory.CreateDirectory(Path);
    }

    private void Move(string from, string to)
    {
        File.Move(from, to);
        _moves.Push((from, to));
    }
}
