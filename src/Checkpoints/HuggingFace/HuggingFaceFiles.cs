using Fairseq2Llama.Conversion;

namespace Fairseq2Llama.HuggingFace;

/// <summary>The files of a folder in Hugging Face's format.</summary>
internal sealed class HuggingFaceFiles : FolderRules
{
    public static readonly HuggingFaceFiles Rules = new();

    public override string Completion => HuggingFaceConfig.FileName;

    public override bool IsWritten(string name) =>
        IsStale(name) || name is HuggingFaceConfig.FileName or GenerationConfig.FileName || TokenizerFiles.Names.Contains(name);

    /// <summary>Readers prefer one file to several, and an index to none.</summary>
    public override bool IsStale(string name) => WeightFile.IsNameOfOne(name) || name == WeightIndex.FileName;

    public override string? FindStumblingBlock(string name) => name.StartsWith("adapter_", StringComparison.Ordinal)
        ? "transformers will load the adapter on top of the model."
        : null;
}
