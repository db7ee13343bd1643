using Fairseq2Llama.Stores;
using Fairseq2Llama.Stores.Local;

namespace Fairseq2Llama.Planning;

/// <summary>What the names of the files in a folder mean to a format.</summary>
internal abstract class FolderRules
{
    /// <summary>The file that whoever finds it may take the folder for whole by: it leaves first and comes last.</summary>
    public abstract string CommitMarker { get; }

    /// <summary>Whether exports write files of that name.</summary>
    public abstract bool IsWritten(string name);

    /// <summary>Whether readers would take a file of that name for part of a checkpoint that has no such part.</summary>
    /// <param name="name">Its name.</param>
    /// <param name="planned">The names of the files that the checkpoint has.</param>
    public abstract bool IsStale(string name, IReadOnlySet<string> planned);

    /// <summary>What in a folder would keep readers from the checkpoint, even where it may be replaced; null for nothing. Follows the folder's path.</summary>
    public virtual string? FindObstacle(ICheckpointFolder folder) => null;

    /// <summary>What is to be said of a file that stays beside a checkpoint; null for nothing. Follows its path.</summary>
    public abstract string? FindStumblingBlock(string name);

    /// <summary>Whether a name is one of others, as the file system compares them.</summary>
    protected static bool Is(string name, params IEnumerable<string> others) => others.Contains(name, RealPath.Comparer);
}
