using Fairseq2Llama.Tests.Support;

namespace Fairseq2Llama.Tests.ForwardPass;

/// <summary>A model that was trained and tells stories, which lies beside the repository, or does not.</summary>
internal static class StoriesModel
{
    public static readonly string Checkpoints = Path.GetFullPath(Path.Combine(Repository.Root, "..", "shared", "fixtures", "stories260k"));

    /// <summary>For those that have no model.yaml: the shapes don't tell the number of heads.</summary>
    public static readonly LlamaArchitecture Architecture = new()
    {
        Name = "stories260k",
        ModelDim = 64,
        NumLayers = 5,
        NumAttnHeads = 8,
        NumKeyValueHeads = 4,
        VocabSize = 512,
        FfnInnerDimMultipleOf = 4,
    };

    public static void Require()
    {
        Assert.SkipUnless(Directory.Exists(Checkpoints), $"needs a trained model in '{Checkpoints}'");
        LibTorch.Require();
    }

    /// <param name="folder">Gets the tokenizer.</param>
    /// <param name="type">The element type of the weights.</param>
    public static GgufExportOptions ToGguf(string folder, DType type)
    {
        var tokenizer = Path.Combine(folder, "tokenizer.model");
        File.WriteAllBytes(tokenizer, SentencePieceBuilder.OfStories(Path.Combine(Checkpoints, "tok512.bin")).Build());
        return new GgufExportOptions { FileName = "stories.gguf", DType = type, TokenizerPath = tokenizer };
    }
}
