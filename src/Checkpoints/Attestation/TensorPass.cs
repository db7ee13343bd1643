using Fairseq2Llama.Manifests.Hashing;
using Fairseq2Llama.Tensors;

namespace Fairseq2Llama.Attestation;

/// <summary>Where the bytes of a tensor pass by in the canonical order while files are read one after the other, each from front to back.</summary>
/// <param name="Tensor">The tensor.</param>
/// <param name="Ranges">Which bytes of which files; empty if they don't come in that order, so that it has to be read by itself.</param>
internal sealed record TensorPass(CheckpointTensor Tensor, IReadOnlyList<(int File, long Offset, long Length)> Ranges)
{
    /// <param name="tensor">The tensor.</param>
    /// <param name="files">The place of each file in the order in which they are read, by path.</param>
    public static TensorPass Of(CheckpointTensor tensor, IReadOnlyDictionary<string, int> files)
    {
        var ranges = new List<(int File, long Offset, long Length)>();

        foreach (var part in tensor.Copies[0].Where(part => part.Tensor.Shape.ElementCount > 0).OrderBy(part => part.Row))
        {
            var storage = part.Tensor.Storage;
            var hasWholeRows = part.Tensor.Shape.Sizes.AsSpan()[Math.Min(1, tensor.Shape.Count)..].SequenceEqual(tensor.Shape.Sizes.AsSpan()[Math.Min(1, tensor.Shape.Count)..]);

            if (!hasWholeRows || storage is not { DeflatedLength: null, IsBigEndian: false } || !files.TryGetValue(storage.Source.Name, out var file)
                || ByteRuns.Of(part.Tensor) is not { Axes.IsEmpty: true } run)
            {
                return new TensorPass(tensor, []);
            }

            ranges.Add((file, storage.Offset + run.Offset, run.RunLength));
        }

        var isInOrder = ranges.Zip(ranges.Skip(1)).All(pair => pair.First.File < pair.Second.File || (pair.First.File == pair.Second.File && pair.First.Offset < pair.Second.Offset));
        var canInterleave = tensor.HalfSplitHeadDim is not { } headDim || TensorHash.CanInterleave(tensor.DType, tensor.Shape, headDim);
        return new TensorPass(tensor, isInOrder && canInterleave ? ranges : []);
    }

    /// <summary>Whether the tensor has to be read by itself.</summary>
    public bool IsApart => Ranges.Count == 0 && Tensor.ElementCount > 0;

    public TensorHash MakeHash() => new(Tensor.Name, Tensor.DType, Tensor.Shape, IsApart ? null : Tensor.HalfSplitHeadDim);
}
