using System.Collections.Immutable;
using Fairseq2Llama.Llama;
using Fairseq2Llama.Model;
using Fairseq2Llama.Tensors;
using Fairseq2Llama.TorchFiles;

namespace Fairseq2Llama.Sharding;

/// <summary>A tensor as far as it is fitted together: of one file, then of one tensor-parallel rank.</summary>
/// <param name="Name">Its name.</param>
/// <param name="DType">Its element type.</param>
/// <param name="IsBigEndian">Its byte order.</param>
/// <param name="Shape">Its shape as far as it is fitted together.</param>
/// <param name="Parts">They tile it.</param>
/// <param name="Shards">The part of it in each file.</param>
internal sealed record PartialTensor(
    ParameterName Name, DType DType, bool IsBigEndian, TensorShape Shape, ImmutableArray<TensorPart> Parts, ImmutableArray<TensorShard> Shards)
{
    /// <summary>The file that it is from, or the first of them.</summary>
    public string File => Shards[0].File;

    public static PartialTensor Of(StateDictEntry entry, ShardFile file, ParameterName name) => new(
        name,
        entry.Tensor.DType,
        entry.Tensor.Storage.IsBigEndian,
        entry.Tensor.Shape,
        [new TensorPart(entry.Tensor)],
        [new TensorShard(file, entry.RawName == name.Name ? name.Name : entry.RawName, entry.Tensor)]);

    /// <summary>The properties in which all parts of a tensor must agree, for a message.</summary>
    public string Describe() => $"{DType.GetTorchName()} {Shape}{(IsBigEndian ? " in big-endian byte order" : "")} in '{File}'";
}
