using System.Collections.Immutable;
using Fairseq2Llama.Llama;
using Fairseq2Llama.Model;
using Fairseq2Llama.Stores;

namespace Fairseq2Llama;

/// <summary>A LLaMA on disk, whatever its format, indexed: the names, shapes and places of its tensors. It holds no file open and no tensor data.</summary>
public abstract class LlamaCheckpoint
{
    private protected LlamaCheckpoint(ICheckpointFolder folder, string path, string name)
    {
        Folder = folder;
        Path = path;
        Name = name;
    }

    /// <summary>Its name: that of its folder, or of the run or model to which the folder belongs.</summary>
    public string Name { get; }

    /// <summary>The path that it was read from; its name if it is merged.</summary>
    public string Path { get; }

    /// <summary>Whose format it has.</summary>
    public abstract CheckpointFormat Format { get; }

    /// <summary>The architecture that the user named when it was read, otherwise that which a file beside the weights describes; null if none does.</summary>
    public virtual LlamaArchitecture? Architecture => NamedArchitecture ?? ArchitectureFile?.Architecture;

    /// <summary>The number of files that its weights are divided into.</summary>
    public abstract int ShardCount { get; }

    /// <summary>Its files.</summary>
    public abstract ImmutableArray<string> Files { get; }

    /// <summary>Its tensors, in the order of its files.</summary>
    public abstract ImmutableArray<CheckpointTensor> Tensors { get; }

    /// <summary>The element types that occur, the most frequent first.</summary>
    public ImmutableArray<DType> DTypes => DTypesOf(Tensors);

    /// <summary>Elements of all tensors. Those that share their storage, as a tied output does with the embeddings, count once, as in the files.</summary>
    public long ElementCount => Tensors.Where(tensor => !tensor.IsRepeat).Sum(tensor => tensor.ElementCount);

    /// <summary>Bytes of its files.</summary>
    public abstract long SizeInBytes { get; }

    /// <summary><see cref="ElementCount"/>, under the name that tables have for it.</summary>
    public long Elements => ElementCount;

    /// <summary><see cref="SizeInBytes"/>, under the name that tables have for it.</summary>
    public long Size => SizeInBytes;

    /// <summary><see cref="ShardCount"/>, under the name that tables have for it.</summary>
    public int Shards => ShardCount;

    /// <summary>Warnings about how it was found.</summary>
    public virtual ImmutableArray<string> Warnings => [];

    /// <summary>The checkpoint that it takes everything from but weights: the one that it was made from, or the first of these; itself, if it is on a disk or in a store.</summary>
    internal virtual LlamaCheckpoint Origin => this;

    /// <summary>What it was made from; empty if it is on a disk or in a store.</summary>
    internal virtual ImmutableArray<MergeSource> MadeFrom => [];

    /// <summary>The files that are read for it.</summary>
    internal virtual IEnumerable<string> InputFiles => Files.Append(ArchitectureFile?.Path).OfType<string>();

    /// <summary>The folder that it is in, or that holds it where it was read from a single file.</summary>
    internal ICheckpointFolder Folder { get; }

    /// <summary>Folders besides that in which files that belong to it may be, such as tokenizer.model; the nearest first.</summary>
    internal virtual IEnumerable<ICheckpointFolder> FoldersAround => [];

    /// <summary>The architecture that the user named when it was read; null if none was.</summary>
    internal LlamaArchitecture? NamedArchitecture { get; set; }

    /// <summary>The file beside the weights that describes the architecture; null if there is none.</summary>
    internal abstract ArchitectureFile? ArchitectureFile { get; }

    /// <summary>Its name among others that can be in the same folder; null where the folder is the checkpoint.</summary>
    internal virtual string? Stem => Files.Contains(Path) ? System.IO.Path.GetFileNameWithoutExtension(Path) : null;

    /// <summary>Into how many parts tensor parallelism, or model parallelism, has divided it.</summary>
    internal virtual int ModelParallelSize => 1;

    /// <summary>Whether its files are of a layout that divides a model, though there may be only one.</summary>
    internal virtual bool IsShard => false;

    /// <summary>Whether what several of its files have a copy of is the same to the bit in all of them, as long as they are sound.</summary>
    internal virtual bool HasExactReplicas => false;

    /// <summary>The names of tensors in its files that are not part of the model, though they are called as such.</summary>
    internal virtual IReadOnlyList<string> IgnoredTensors => [];

    /// <summary>The files that should have checksums and have none, so that damage to tensor data can't be noticed.</summary>
    internal virtual IEnumerable<string> FilesWithoutChecksums => [];

    /// <summary>The files whose pickle has a wrong checksum.</summary>
    internal virtual IEnumerable<string> FilesWithInvalidPickleChecksum => [];

    /// <summary>The path of one of its files within its folder, with slashes: <c>pp_00/tp_00/sdp_00.pt</c>.</summary>
    internal string PathWithin(string file) => Folder.PathWithin(file);

    /// <summary>Its name.</summary>
    public override string ToString() => Name;

    /// <summary>The element types of some tensors, the most frequent first.</summary>
    internal static ImmutableArray<DType> DTypesOf(IEnumerable<CheckpointTensor> tensors) =>
        [.. tensors.GroupBy(tensor => tensor.DType).OrderByDescending(group => group.Count()).Select(group => group.Key)];

    /// <summary>
    /// Finds out where the parts of tensors lie, before they are read: all at once is faster than one by one where that is not known from the index.
    /// </summary>
    /// <param name="tensors">Some of its tensors.</param>
    /// <param name="cancellationToken">Stops it.</param>
    /// <exception cref="CheckpointException">The files can't be read, are damaged, or are not what the index says.</exception>
    internal virtual void Locate(IEnumerable<CheckpointTensor> tensors, CancellationToken cancellationToken)
    {
    }

    /// <summary>Makes tensors belong to it.</summary>
    private protected ImmutableArray<CheckpointTensor> Adopt(ImmutableArray<CheckpointTensor> tensors)
    {
        var seen = new HashSet<CheckpointTensor>(SharedStorage.Comparer);

        foreach (var tensor in tensors)
        {
            tensor.Owner = this;
            tensor.IsRepeat = !seen.Add(tensor);
        }

        return tensors;
    }
}
