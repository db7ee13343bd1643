using System.Collections.Immutable;
using System.Globalization;

namespace Fairseq2Llama.Llama;

/// <summary>What a file beside the weights says about the architecture: model.yaml, params.json, config.json.</summary>
/// <param name="Path">The absolute path of the file.</param>
internal record ArchitectureFile(string Path)
{
    public string Name => System.IO.Path.GetFileName(Path);

    /// <summary>The architecture that it describes; null if it describes none, or can't be used.</summary>
    public LlamaArchitecture? Architecture { get; init; }

    /// <summary>The tokens that begin and end a text, as far as it says that.</summary>
    public SpecialTokens SpecialTokens { get; init; } = SpecialTokens.Unknown;

    /// <summary>Other architectures that it may mean, because it does not record everything.</summary>
    public ImmutableArray<LlamaArchitecture> Alternatives { get; init; } = [];

    /// <summary>The facts that it does not record, so that they are guessed, as a clause; null if it records everything.</summary>
    public string? Guessed { get; init; }

    /// <summary>Why it can't be used. That matters only if the user names no architecture.</summary>
    public CheckpointException? Error { get; init; }

    /// <summary>Its settings that are ignored and may be misspelt.</summary>
    public ImmutableArray<string> Warnings { get; init; } = [];

    /// <summary>
    /// What shapes do not reveal, where it is different in another architecture: "'model.yaml' says that NumAttnHeads is 8, not 4". Null where nothing is.
    /// </summary>
    public string? Contradict(LlamaArchitecture other) =>
        FindDifferences(other).ToArray() is { Length: > 0 } differences ? $"'{Path}' says that {string.Join(", ", differences)}" : null;

    private IEnumerable<string> FindDifferences(LlamaArchitecture other)
    {
        if (Architecture is not { } told)
        {
            return [];
        }

        var isLengthTold = Guessed is null && Alternatives.IsEmpty;

        return
            from setting in new (string Name, double? Told, double? Other)[]
            {
                (nameof(told.NumAttnHeads), told.NumAttnHeads, other.NumAttnHeads),
                (nameof(told.NumKeyValueHeads), told.NumKeyValueHeads, other.NumKeyValueHeads),
                (nameof(told.RopeTheta), told.RopeTheta, other.RopeTheta),
                (nameof(told.RopeScaleFactor), isLengthTold ? told.RopeScaleFactor : null, isLengthTold ? other.RopeScaleFactor : null),
                (nameof(told.NormEps), told.NormEps, other.NormEps),
                (nameof(told.MaxSeqLen), isLengthTold ? told.MaxSeqLen : null, isLengthTold ? other.MaxSeqLen : null),
            }
            where setting.Told != setting.Other
            select $"{setting.Name} is {Show(setting.Told)}, not {Show(setting.Other)}";

        static string Show(double? value) => value?.ToString(CultureInfo.InvariantCulture) ?? "none";
    }
}
