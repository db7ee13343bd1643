using System.Collections.Immutable;

namespace Fairseq2Llama.Llama;

/// <summary>What a file beside the weights tells of the architecture: model.yaml, params.json, config.json.</summary>
/// <param name="path">The absolute path of the file.</param>
internal class ArchitectureFile(string path)
{
    public string Path => path;

    /// <summary>What it says; null when it says nothing, or can't be used.</summary>
    public LlamaArchitecture? Architecture { get; init; }

    /// <summary>What else it may mean, because it does not tell all.</summary>
    public ImmutableArray<LlamaArchitecture> Alternatives { get; init; } = [];

    /// <summary>What it does not tell and is only guessed, to go into a sentence; null where it tells all.</summary>
    public string? Guessed { get; init; }

    /// <summary>Why it can't be used. That matters only when nobody names the architecture.</summary>
    public CheckpointException? Error { get; init; }

    /// <summary>What in it was passed over, and may be a slip.</summary>
    public ImmutableArray<string> Warnings { get; init; } = [];
}
