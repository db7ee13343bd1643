namespace Fairseq2Llama.Stores.Local;

/// <summary>Folders that were created for the output. They are removed again if the export fails.</summary>
internal sealed class NewFolders
{
    private readonly Stack<string> _created = new();

    /// <summary>Those that were not there before, the innermost first.</summary>
    public IEnumerable<string> Paths => _created;

    /// <summary>Makes a folder and those above it, as far as they are missing.</summary>
    public void Create(string? path)
    {
        var missing = new Stack<string>();

        for (var folder = path; folder is not null && !Directory.Exists(folder); folder = Path.GetDirectoryName(folder))
        {
            missing.Push(folder);
        }

        foreach (var folder in missing)
        {
            LocalChange.CreateFolder(folder);
            _created.Push(folder);
        }
    }

    /// <summary>Removes them, unless somebody else has put something into them.</summary>
    public void Discard()
    {
        while (_created.TryPop(out var folder) && Local.Discard.EmptyFolder(folder))
        {
        }
    }
}
