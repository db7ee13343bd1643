using Fairseq2Llama.Tensors;

namespace Fairseq2Llama.Merging;

/// <summary>Which tensors can be computed with, and the element types of what comes out.</summary>
internal static class MergeTypes
{
    /// <summary>The type that all have, if it is one that numbers can be rounded to; otherwise float32, which holds all of the others.</summary>
    public static DType ResultOf(IEnumerable<CheckpointTensor> tensors) =>
        tensors.Select(tensor => tensor.NumberDType).Distinct().ToArray() is [var only and (DType.Float16 or DType.BFloat16)] ? only : DType.Float32;

    /// <summary>What to do about a tensor that can't be computed with.</summary>
    public const string Remedy = "Convert what it is in to float32 first, or leave it out: an export has -DType, and takes tensors from Get-CheckpointTensor.";

    /// <summary>Why a tensor can't be computed with, as a clause; null if it can.</summary>
    public static string? Refuse(CheckpointTensor tensor) => tensor switch
    {
        { DType: DType.Float64 } => $"{NameOf(tensor)} is float64, which is computed in float32 and would lose digits",
        _ when !DTypeInfo.Of(tensor.DType).IsRealFloat => $"{NameOf(tensor)} is {tensor.DType.GetTorchName()}, not a type of floating-point numbers",
        { Shape.Count: > 2 } => $"{NameOf(tensor)} is {tensor.Shape}, neither a vector nor a matrix",
        _ => null,
    };

    /// <summary>Those of an adapter belong to no checkpoint, and are called as in its file.</summary>
    private static string NameOf(CheckpointTensor tensor) => tensor.IsNew ? $"'{tensor.Shards[0].Key}' of the adapter" : $"'{tensor.Name}' of '{tensor.Checkpoint}'";
}
