using System.Collections.Immutable;
using Fairseq2Llama.Fairseq2;
using Fairseq2Llama.Sources;
using Fairseq2Llama.TorchFiles;

namespace Fairseq2Llama;

/// <summary>
/// A LLaMA that fairseq2 saved, indexed: the names, shapes and places of its tensors. It holds no file open and no tensor data.
/// </summary>
public sealed class Fairseq2Checkpoint
{
    private readonly IReadOnlyList<StateDict> _ranks;

    private Fairseq2Checkpoint(CheckpointLocation location, IReadOnlyList<StateDict> ranks)
    {
        _ranks = ranks;
        Path = location.Path;
        Name = location.Name;
        Step = location.Step;
        Tensors = TensorParallelShards.Join(ranks);

        foreach (var tensor in Tensors)
        {
            tensor.Checkpoint = this;
        }
    }

    /// <summary>The name of its training run, of its folder, or of its file without the extension where that says more than "model".</summary>
    public string Name { get; }

    /// <summary>The path that it was read from, a folder or a file; of a training run, the folder of the step.</summary>
    public string Path { get; }

    /// <summary>The training step that it is from, where its path tells.</summary>
    public long? Step { get; }

    /// <summary>The number of tensor-parallel shards.</summary>
    public int ShardCount => _ranks.Count;

    /// <summary>Its files, by tensor-parallel rank.</summary>
    public ImmutableArray<string> Files => [.. _ranks.Select(rank => rank.File.Source.Name)];

    /// <summary>Its tensors, in the order of the (first) file.</summary>
    public ImmutableArray<CheckpointTensor> Tensors { get; }

    /// <summary>The element types that occur, the most frequent first.</summary>
    public ImmutableArray<DType> DTypes =>
        [.. Tensors.GroupBy(tensor => tensor.DType).OrderByDescending(group => group.Count()).Select(group => group.Key)];

    /// <summary>Elements of all tensors; tied tensors count twice.</summary>
    public long ElementCount => Tensors.Sum(tensor => tensor.ElementCount);

    /// <summary>Bytes of its files.</summary>
    public long SizeInBytes => _ranks.Sum(rank => rank.File.Source.Length);

    /// <summary>The keys beside the tensors in its state dicts whose values are not tensors.</summary>
    internal IEnumerable<string> NonTensors => _ranks.SelectMany(rank => rank.NonTensors).Distinct(StringComparer.Ordinal);

    /// <summary>The files in which damage to tensor data can't be noticed.</summary>
    internal IEnumerable<string> FilesWithoutChecksums =>
        _ranks.Where(rank => !rank.File.HasChecksums).Select(rank => rank.File.Source.Name);

    /// <summary>The files whose pickle has a wrong checksum.</summary>
    internal IEnumerable<string> FilesWithInvalidPickleChecksum =>
        _ranks.Where(rank => !rank.File.IsPickleChecksumValid).Select(rank => rank.File.Source.Name);

    /// <summary>Reads the index of a checkpoint of fairseq2 0.3.0 to 0.4.6.</summary>
    /// <param name="path">
    /// The absolute path of the folder that holds <c>model.pt</c> or <c>model.0.pt</c>, …; of one file; or of a training run.
    /// </param>
    /// <param name="step">The step of a training run; null for the newest one that is finished.</param>
    /// <param name="log">Told which steps are passed over.</param>
    /// <param name="cancellationToken">Stops it.</param>
    /// <exception cref="CheckpointException">There is none, or it can't be read, or is damaged.</exception>
    /// <exception cref="OperationCanceledException">It was cancelled.</exception>
    public static Fairseq2Checkpoint Read(
        string path, long? step = null, Action<string>? log = null, CancellationToken cancellationToken = default)
    {
        var location = CheckpointLocation.Find(path, step, log);
        var ranks = location.Files.Select(file => StateDict.In(TorchFile.Open(new LocalFile(file.Path), cancellationToken)));

        return new Fairseq2Checkpoint(location, [.. ranks]);
    }

    /// <summary>Its name.</summary>
    public override string ToString() => Name;
}
