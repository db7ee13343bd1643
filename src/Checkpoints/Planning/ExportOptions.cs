using System.Collections.Immutable;
using Fairseq2Llama.Planning;
using Fairseq2Llama.Transfer;

namespace Fairseq2Llama;

/// <summary>How to export, whatever the format; the format is the type of the options.</summary>
public abstract record ExportOptions
{
    private protected ExportOptions()
    {
    }

    /// <summary>The architecture; null for the one of a file beside the weights or, without such a file, the one that the shapes fit.</summary>
    public LlamaArchitecture? Architecture { get; init; }

    /// <summary>
    /// The element type that real floating-point tensors are cast to, rounding to the nearest as PyTorch does; null to leave them as they are.
    /// </summary>
    public DType? DType { get; init; }

    /// <summary>Whether tensors that LLaMA does not have are carried over rather than refused.</summary>
    public bool AllowUnmapped { get; init; }

    /// <summary>How much to check.</summary>
    public VerificationMode Verification { get; init; }

    /// <summary>
    /// The tensor files to write, counted from 0, if other jobs write the others; empty for a whole export. What jobs have written becomes a
    /// checkpoint with <see cref="CompleteShards"/>.
    /// </summary>
    public ImmutableArray<int> ShardIndex { get; init; } = [];

    /// <summary>Whether to check the tensor files that jobs with <see cref="ShardIndex"/> have written, and to write all other files.</summary>
    public bool CompleteShards { get; init; }

    /// <summary>
    /// Whether to write a manifest, too: the hashes of all files and tensors, what they were made from, and how. If other jobs write tensor files, the last step writes it.
    /// </summary>
    public bool Manifest { get; init; }

    internal VerificationPolicy Policy => VerificationPolicy.Of(Verification);

    /// <summary>Whether files of an earlier export in the destination are replaced.</summary>
    public bool Force { get; init; }

    /// <summary>
    /// Whether the export waits until the files are on the disk before it puts them in place, so that they are whole or absent even after
    /// a loss of power. That takes longer than writing them, and the input is still there to write them from; so it is always done where
    /// files of an earlier export are replaced or removed, and elsewhere only on demand.
    /// </summary>
    public bool Flush { get; init; }

    /// <summary>The options that change what is written, by the names of the parameters, for a manifest. Those that have their default are left out.</summary>
    internal ImmutableSortedDictionary<string, string> Recorded => new (string Name, string? Value)[]
    {
        (nameof(Architecture), Architecture?.Name),
        (nameof(DType), DType?.ToString()),
        (nameof(AllowUnmapped), AllowUnmapped ? "true" : null),
        (nameof(Verification), Verification == default ? null : $"{Verification}"),
    }.Concat(OwnRecorded).Where(option => option.Value is not null).ToImmutableSortedDictionary(option => option.Name, option => option.Value!, StringComparer.Ordinal);

    /// <summary>Those of <see cref="Recorded"/> that only this format has; null for one that has its default.</summary>
    private protected virtual IEnumerable<(string Name, string? Value)> OwnRecorded => [];

    /// <summary>Makes the format that they are about. It can have to look for files.</summary>
    /// <param name="cancellationToken">Stops it.</param>
    internal abstract OutputFormat MakeFormat(CancellationToken cancellationToken);
}
