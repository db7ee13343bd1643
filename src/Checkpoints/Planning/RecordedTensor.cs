using System.Collections.Immutable;
using System.Globalization;
using Fairseq2Llama.Llama;
using Fairseq2Llama.Manifests.Hashing;
using Fairseq2Llama.Tensors;

namespace Fairseq2Llama.Planning;

/// <summary>A tensor of an export that a manifest records: what it is made from, and where it goes.</summary>
/// <param name="Name">Its name in Meta's reference format or, where that has no such module, in the format that is written.</param>
/// <param name="Input">What it is made from.</param>
/// <param name="HalfSplitHeadDim">As <see cref="CheckpointTensor.HalfSplitHeadDim"/>, for what is written.</param>
/// <param name="Pieces">What each file has of it, in the order in which files are written.</param>
internal sealed record RecordedTensor(string Name, CheckpointTensor Input, int? HalfSplitHeadDim, ImmutableArray<RecordedPiece> Pieces)
{
    public TensorShape Shape => Input.Shape;

    /// <summary>The element type that is written.</summary>
    public DType DType => Pieces[0].Tensor.DType;

    /// <summary>Bytes of all of it as it is written.</summary>
    public long SizeInBytes => DTypeInfo.Of(DType).LengthOf(Shape.ElementCount);

    public bool IsCast => Input.DType != DType;

    /// <summary>Whether each file has all of it.</summary>
    public bool IsReplicated => Pieces[0].Tensor.Shape.Equals(Shape);

    /// <summary>The pieces that make it up.</summary>
    public ImmutableArray<RecordedPiece> Distinct => IsReplicated ? Pieces[..1] : Pieces;

    /// <summary>Whether its bytes come in the canonical order when one file after the other is written: a tensor that is divided by columns would take all files at once.</summary>
    public bool ComesInOrder =>
        (IsReplicated || Pieces.All(piece => piece.Tensor.Shape.Sizes.AsSpan()[1..].SequenceEqual(Shape.Sizes.AsSpan()[1..])))
        && (HalfSplitHeadDim is not { } headDim || (TensorHash.CanInterleave(DType, Shape, headDim) && TensorHash.CanInterleave(Input.DType, Shape, headDim)));

    /// <summary>All of it as it is to be written, in the canonical order.</summary>
    public PlannedStorage ToStorage() => Input.ToStorage(new TensorSlice(Input.Copies[0], Shape), castTo: DType);

    /// <summary>The CRC-32 that its file has of it, in hexadecimal digits; null if there is none, or several parts have one each.</summary>
    public string? Crc32 => new TensorSlice(Input.Copies[0], Shape).ToStorage(Input.DType).UnchangedInput?.Crc32?.ToString("x8", CultureInfo.InvariantCulture);

    /// <summary>What becomes of it, in words of <see cref="ManifestTensorSource.Changes"/>.</summary>
    public ImmutableArray<string> Changes =>
    [
        .. Input.Shards.All(shard => shard.IsStored) ? (string[])[] : ["computed"],
        .. Pieces[0].Tensor.Name == Input.Name ? (string[])[] : ["renamed"],
        .. Input.Copies[0].Select(part => part.Tensor.Storage.Source.Name).Distinct(StringComparer.Ordinal).Count() > 1 ? (string[])["merged"] : [],
        .. Input.HalfSplitHeadDim == HalfSplitHeadDim ? (string[])[] : ["permuted"],
        .. IsCast ? (string[])["cast"] : [],
        .. IsReplicated ? (string[])[] : ["split"],
    ];

    /// <summary>All tensors of an export, in the order of its files.</summary>
    public static ImmutableArray<RecordedTensor> Of(OutputFiles output, ExportedModel model, NamingConvention convention) =>
    [
        .. from file in output.OfCheckpoint.OfType<PlannedTensorFile>()
           from placed in file.Tensors.Zip(OffsetsOf(file), (tensor, offset) => new RecordedPiece(file, tensor, offset))
           where model.OriginOf(placed.Tensor.Storage) is not null
           group placed by placed.Tensor.Name into pieces
           let origin = model.OriginOf(pieces.First().Tensor.Storage)!
           select new RecordedTensor(
               ParameterName.Parse(pieces.Key, convention).In(NamingConvention.Reference) ?? pieces.Key, origin.Tensor, origin.HalfSplitHeadDim, [.. pieces]),
    ];

    private static IEnumerable<long> OffsetsOf(PlannedTensorFile file)
    {
        var offsets = file.Layout.Storages.ToDictionary(placed => placed.Storage, placed => placed.Offset);
        return file.Tensors.Select(tensor => offsets[tensor.Storage]);
    }
}

/// <summary>What a file has of a tensor.</summary>
/// <param name="File">The file.</param>
/// <param name="Tensor">The tensor in it.</param>
/// <param name="Offset">Where in the file its bytes begin.</param>
internal readonly record struct RecordedPiece(PlannedTensorFile File, PlannedTensor Tensor, long Offset);
