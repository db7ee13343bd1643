using Fairseq2Llama.Stores;
using Fairseq2Llama.Stores.Local;

namespace Fairseq2Llama.Planning;

/// <summary>The meaning of file names in a folder for a format.</summary>
internal abstract class FolderRules
{
    /// <summary>Whether a folder with nothing else in it is a checkpoint as a whole, so that another one can take the place of it.</summary>
    public virtual bool OwnsFolder => true;

    /// <summary>The name of the checkpoint in a folder that can have others beside it; null where the folder is the checkpoint.</summary>
    public virtual string? Stem => null;

    /// <summary>Whether exports write files of that name.</summary>
    public abstract bool IsWritten(string name);

    /// <summary>Whether readers would take a file of that name for part of the checkpoint, although it is not.</summary>
    /// <param name="name">Its name.</param>
    /// <param name="planned">The names of the files that the checkpoint has.</param>
    public abstract bool IsStale(string name, IReadOnlySet<string> planned);

    /// <summary>Why readers would not find the checkpoint in a folder, even after a replacement; null if they would. Follows the path of the folder in a message.</summary>
    public virtual string? FindObstacle(ICheckpointFolder folder) => null;

    /// <summary>A remark about a file that stays beside a checkpoint; null for none. Follows its path in a message.</summary>
    public abstract string? FindStumblingBlock(string name);

    /// <summary>Whether a name is one of others, as the file system compares them.</summary>
    protected static bool Is(string name, params IEnumerable<string> others) => others.Contains(name, RealPath.Comparer);
}
