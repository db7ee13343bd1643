using Fairseq2Llama.Stores;

namespace Fairseq2Llama.Distributed;

/// <summary>
/// The index of a checkpoint of PyTorch's writer for Hugging Face's format, before it is consolidated: safetensors files, each with the parts of one rank. They have
/// no metadata in common, so what is there has to tile each tensor.
/// </summary>
internal sealed class ShardIndex : DistributedIndex
{
    private readonly Dictionary<string, List<DistributedChunk>> _chunks = new(StringComparer.Ordinal);
    private readonly ICheckpointFolder _folder;

    /// <param name="folder">The folder with the files.</param>
    /// <param name="files">The files.</param>
    /// <param name="cancellationToken">Stops it.</param>
    /// <exception cref="CheckpointException">One is no such file, or is damaged.</exception>
    public ShardIndex(ICheckpointFolder folder, IEnumerable<StoredFile> files, CancellationToken cancellationToken)
    {
        _folder = folder;
        var headers = files.Select(file => ShardHeader.Open(new DataFile(file, file.Source), origin: 0, cancellationToken)).ToArray();
        Files = [.. headers.Select(header => header.File)];

        foreach (var (name, chunks) in headers.SelectMany(header => header.Chunks))
        {
            (_chunks.TryGetValue(name, out var known) ? known : _chunks[name] = []).AddRange(chunks);
        }
    }

    public override IEnumerable<string> Names => _chunks.Keys;

    public override IEnumerable<DataFile> Files { get; }

    public override IReadOnlyList<DistributedTensor> Find(IReadOnlyCollection<string> names, CancellationToken cancellationToken)
    {
        var findings = new List<CheckpointFinding>();
        DistributedTensor[] tensors = [.. names.Select(name => MakeTensor(name, _chunks[name], findings))];

        CheckpointException.ThrowIfAny(
            findings, $"The files of '{_folder.Path}' are not parts of one checkpoint", "Check that none is missing, and that none is left over from another run.");

        return tensors;
    }

    private static DistributedTensor MakeTensor(string name, List<DistributedChunk> chunks, List<CheckpointFinding> findings)
    {
        var first = chunks[0];
        var file = first.File.Source.Name;

        if (chunks.Find(chunk => chunk.View!.DType != first.View!.DType || chunk.Offsets.Length != first.Offsets.Length) is { File: { } other } misfit)
        {
            findings.Add(new CheckpointFinding(
                FindingSeverity.Error,
                CheckpointErrorCode.ShardMismatch,
                $"'{name}' is {Describe(misfit)} in '{other.Source.Name}' and {Describe(first)} in '{file}'",
                name,
                other.Source.Name));
            return new DistributedTensor(name, first.View!.DType, first.View.Shape, []);
        }

        // The largest extent is the shape: nothing else says it.
        var sizes = new long[first.Offsets.Length];

        foreach (var chunk in chunks)
        {
            for (var dim = 0; dim < sizes.Length; dim++)
            {
                sizes[dim] = Math.Max(sizes[dim], chunk.Offsets[dim] <= long.MaxValue - chunk.Sizes[dim] ? chunk.Offsets[dim] + chunk.Sizes[dim] : long.MaxValue);
            }
        }

        var tensor = DistributedTensor.Of(name, first.View!.DType, ShapeOf(name, sizes, file), chunks);

        if (ChunkTiling.FindFault(tensor.Chunks.AsSpan(), tensor.Shape) is { } fault)
        {
            findings.Add(new CheckpointFinding(FindingSeverity.Error, CheckpointErrorCode.MissingShard, $"'{name}' {fault}", name, file));
        }

        return tensor;
    }

    private static string Describe(DistributedChunk chunk) => $"{chunk.View!.DType.GetTorchName()} with {Quantity.Of(chunk.Offsets.Length, "dimension")}";
}
