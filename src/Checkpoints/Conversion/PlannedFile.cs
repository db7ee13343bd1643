using System.Collections.Immutable;
using Fairseq2Llama.Tensors;

namespace Fairseq2Llama;

/// <summary>A file that a conversion will write.</summary>
public abstract class PlannedFile
{
    private protected PlannedFile(string name) => Name = name;

    /// <summary>Its name in the destination folder.</summary>
    public string Name { get; }

    /// <summary>Its length in bytes, exact.</summary>
    public abstract long Length { get; }

    /// <summary>What it will hold, in a few words.</summary>
    public abstract string Summary { get; }

    /// <summary>Prints as its name.</summary>
    public override string ToString() => Name;
}

/// <summary>A small file whose content is known.</summary>
internal sealed class PlannedTextFile(string name, ReadOnlyMemory<byte> content) : PlannedFile(name)
{
    public ReadOnlyMemory<byte> Content => content;

    public override long Length => content.Length;

    public override string Summary => "the architecture";
}

/// <summary>A tensor of a file to be written.</summary>
/// <param name="Name">Its name there.</param>
/// <param name="SourceName">Its name in the checkpoint, or what it is made of.</param>
/// <param name="DType">Its element type.</param>
/// <param name="Shape">Its shape.</param>
/// <param name="Storage">Its bytes, which lie there in row-major order.</param>
internal sealed record PlannedTensor(string Name, string SourceName, DType DType, TensorShape Shape, PlannedStorage Storage);

/// <summary>
/// A storage of a file to be written: which bytes of which input storages follow each other in it. Compared by reference: tied weights
/// are two tensors on one storage.
/// </summary>
internal sealed class PlannedStorage(DType dtype, ImmutableArray<ByteRuns> runs)
{
    public DType DType => dtype;

    public ImmutableArray<ByteRuns> Runs => runs;

    public long Length { get; } = runs.Sum(run => run.Length);
}
