using Fairseq2Llama.Planning;
using Fairseq2Llama.Tokenizers;

namespace Fairseq2Llama.HuggingFace;

/// <summary>The files of a folder in Hugging Face's format.</summary>
internal sealed class HuggingFaceFiles : FolderRules
{
    public static readonly HuggingFaceFiles Rules = new();

    public static readonly FormatDescriptor Descriptor = new(CheckpointFormat.HuggingFace, "Hugging Face's format", "Read-LlamaHuggingFaceCheckpoint", Rules)
    {
        IsIn = folder => folder.HasFile(HuggingFaceConfig.FileName),
        HasWeightsIn = folder => folder.FileNames.Any(HoldsWeights),
        HasChecksums = false,
        ConfigFile = HuggingFaceConfig.FileName,
        Read = (folder, _, cancellationToken) => LlamaHuggingFaceCheckpoint.Read(folder, cancellationToken),
        MakeOptions = () => new HuggingFaceExportOptions(),
    };

    public override bool IsWritten(string name) =>
        HoldsWeights(name) || Is(name, HuggingFaceConfig.FileName, GenerationConfig.FileName) || Is(name, TokenizerFiles.Names);

    /// <summary>Readers prefer one file to several, and two tokenizers are none.</summary>
    public override bool IsStale(string name, IReadOnlySet<string> planned) =>
        HoldsWeights(name) || (Is(name, TokenizerFiles.Names) && TokenizerFiles.Names.Any(planned.Contains));

    public override string? FindStumblingBlock(string name) =>
        Is(name, TokenizerFiles.Names) ? "make sure that it belongs to this model, because transformers will use it."
        : name.StartsWith("adapter_", StringComparison.Ordinal) ? "transformers will load the adapter on top of the model."
        : null;

    private static bool HoldsWeights(string name) => WeightFile.IsNameOfOne(name) || Is(name, WeightIndex.FileName);
}
