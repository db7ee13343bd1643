using System.Collections.Immutable;
using Fairseq2Llama.Llama;
using Fairseq2Llama.Model;
using Fairseq2Llama.Tensors;

namespace Fairseq2Llama;

/// <summary>A tensor of a checkpoint: what it is called, what it looks like and where its parts are. Its data stays in the files.</summary>
public sealed class CheckpointTensor
{
    private readonly Lazy<TensorPlaces> _places;

    internal CheckpointTensor(
        ParameterName parsedName,
        DType dtype,
        TensorShape shape,
        int? splitDim,
        ImmutableArray<ImmutableArray<TensorPart>> copies,
        ImmutableArray<TensorShard> shards)
        : this(parsedName, dtype, shape, splitDim, new Lazy<TensorPlaces>(new TensorPlaces(copies, shards)))
    {
    }

    internal CheckpointTensor(ParameterName parsedName, DType dtype, TensorShape shape, int? splitDim, Lazy<TensorPlaces> places)
    {
        ParsedName = parsedName;
        DType = dtype;
        Shape = shape;
        SplitDim = splitDim;
        _places = places;
    }

    /// <summary>The name that its own checkpoint has for it, without the prefixes that wrappers leave.</summary>
    public string Name => ParsedName.Name;

    /// <summary>The name in fairseq2's convention; null where that has no such module.</summary>
    public string? Fairseq2Name => ParsedName.In(NamingConvention.Fairseq2);

    /// <summary>The name in Meta's reference format; null where that has no such module.</summary>
    public string? ReferenceName => ParsedName.In(NamingConvention.Reference);

    /// <summary>The name in Hugging Face's format; null where that has no such module.</summary>
    public string? HuggingFaceName => ParsedName.In(NamingConvention.HuggingFace);

    /// <summary>The name in GGUF files; null where they have no such module.</summary>
    public string? GgufName => ParsedName.In(NamingConvention.Gguf);

    /// <summary>The decoder layer that it belongs to, from 0; null outside of the layers.</summary>
    public int? Layer => ParsedName.Layer;

    /// <summary>The element type.</summary>
    public DType DType { get; }

    /// <summary>The shape of the whole tensor, whatever the number of shards.</summary>
    public TensorShape Shape { get; }

    /// <summary>Elements of the whole tensor.</summary>
    public long ElementCount => Shape.ElementCount;

    /// <summary>Bytes of the whole tensor.</summary>
    public long SizeInBytes => DTypeInfo.Of(DType).LengthOf(ElementCount);

    /// <summary><see cref="SizeInBytes"/>, under the name that tables have for it.</summary>
    public long Size => SizeInBytes;

    /// <summary>Whether the elements of every part lie one after the other in their file.</summary>
    public bool IsContiguous => Shards.All(shard => shard.IsContiguous);

    /// <summary>The part of it in each file, by tensor-parallel rank and then by rank of sharded data parallelism.</summary>
    public ImmutableArray<TensorShard> Shards => _places.Value.Shards;

    /// <summary>The name of the checkpoint that it belongs to; empty for a new one. The object itself is not public, or a tensor in JSON would drag all others along.</summary>
    public string Checkpoint => IsNew ? "" : Owner.Name;

    /// <summary>Its name in the canonical order of manifests: the one in Meta's reference format or, where that has no such module, its own.</summary>
    internal string CanonicalName => ReferenceName ?? Name;

    /// <summary>The checkpoint that it belongs to.</summary>
    internal LlamaCheckpoint Owner { get; set; } = null!;

    /// <summary>Whether it belongs to none.</summary>
    internal bool IsNew => Owner is null;

    /// <summary>Whether its weights are those of an earlier tensor of the checkpoint, so that whoever counts parameters counts them there.</summary>
    internal bool IsRepeat { get; set; }

    /// <summary>The dim along which tensor parallelism divides it; null where it does not.</summary>
    internal int? SplitDim { get; }

    /// <summary>
    /// The parts that tile it. More than once where tensor parallelism does not divide it: every rank has a copy then.
    /// </summary>
    internal ImmutableArray<ImmutableArray<TensorPart>> Copies => _places.Value.Copies;

    /// <summary>The type in which its numbers are looked at; see <see cref="DTypeInfo.NumberDType"/>.</summary>
    internal DType NumberDType => DTypeInfo.Of(DType).NumberDType;

    /// <summary>Whether it is known where its parts lie in their files. Where it is not, it is found out when it is first asked for, which reads from them.</summary>
    internal bool IsLocated => _places.IsValueCreated;

    internal ParameterName ParsedName { get; }

    /// <summary>
    /// The size of a head where the two rows of each rotary pair lie half a head apart, as in Hugging Face's format, and not side by side.
    /// </summary>
    internal int? HalfSplitHeadDim { get; set; }

    /// <summary>The same numbers, to belong to another checkpoint.</summary>
    /// <param name="name">Its name there.</param>
    internal CheckpointTensor As(ParameterName name) => new(name, DType, Shape, SplitDim, _places) { HalfSplitHeadDim = HalfSplitHeadDim };

    /// <summary>All of it, in row-major order, with rotary pairs side by side.</summary>
    internal PlannedStorage ToStorage() => ToStorage(new TensorSlice(Copies[0], Shape));

    /// <summary>The same in <see cref="NumberDType"/>.</summary>
    internal PlannedStorage ToNumbers() => ToStorage(new TensorSlice(Copies[0], Shape), castTo: NumberDType);

    /// <summary>A part of it, with whole heads where the rows of rotary pairs change their places.</summary>
    /// <param name="slice">The part.</param>
    /// <param name="halfSplitHeadDim">As <see cref="HalfSplitHeadDim"/>, for what it shall become: the size of a head, or null for pairs side by side.</param>
    /// <param name="castTo">The element type that it shall have, if another.</param>
    internal PlannedStorage ToStorage(TensorSlice slice, int? halfSplitHeadDim = null, DType? castTo = null)
    {
        if (halfSplitHeadDim != HalfSplitHeadDim)
        {
            slice = halfSplitHeadDim is { } headDim ? RotaryLayout.SplitHalves(slice, headDim) : RotaryLayout.Interleave(slice, HalfSplitHeadDim!.Value);
        }

        return slice.ToStorage(DType, castTo);
    }

    /// <summary>Its name.</summary>
    public override string ToString() => Name;
}
