using Fairseq2Llama.Attestation;
using Fairseq2Llama.Tests.Support;

namespace Fairseq2Llama.Tests.Manifests;

/// <summary>Exports with manifests, and what is in them.</summary>
internal static class ManifestedExport
{
    private static CancellationToken Token => TestContext.Current.CancellationToken;

    /// <summary>Exports with a manifest.</summary>
    /// <returns>The manifest that was written.</returns>
    public static CheckpointManifest Write(LlamaCheckpoint checkpoint, string folder, ExportOptions options) => Write(checkpoint, folder, options, out _);

    /// <param name="checkpoint">What is exported.</param>
    /// <param name="folder">Where.</param>
    /// <param name="options">How.</param>
    /// <param name="written">What was written.</param>
    public static CheckpointManifest Write(LlamaCheckpoint checkpoint, string folder, ExportOptions options, out LlamaCheckpoint written)
    {
        var plan = CheckpointExport.Plan(checkpoint, folder, options with { Manifest = true }, Token);
        plan.Execute(cancellationToken: Token);
        written = plan.OpenResult();
        return CheckpointManifests.Read(written.Files[0], Token);
    }

    /// <summary>What New-CheckpointManifest would write.</summary>
    public static CheckpointManifest Make(LlamaCheckpoint checkpoint)
    {
        using var maker = new ManifestMaker(checkpoint, null, Token);
        return maker.Run();
    }

    /// <summary>A tokenizer for a model of that many tokens, as exports to GGUF need one.</summary>
    /// <returns>Its folder.</returns>
    public static string WriteTokenizer(string folder, long vocabSize)
    {
        Directory.CreateDirectory(folder);
        File.WriteAllBytes(Path.Combine(folder, "tokenizer.model"), SentencePieceBuilder.OfSize((int)vocabSize).Build());
        return folder;
    }

    /// <summary>The two must say the same of files and tensors, whatever they know of where these are from.</summary>
    public static void AssertSame(CheckpointManifest expected, CheckpointManifest actual)
    {
        Assert.Equal(expected.ModelSha256, actual.ModelSha256);
        Assert.Equal(expected.Format, actual.Format);
        Assert.Equal(Files(expected), Files(actual));
        Assert.Equal(Tensors(expected), Tensors(actual));
    }

    public static IEnumerable<string> Files(CheckpointManifest manifest) => manifest.Files.Select(file => $"{file.Name} {file.SizeInBytes} {file.Sha256}").Order(StringComparer.Ordinal);

    public static IEnumerable<string> Tensors(CheckpointManifest manifest) =>
        manifest.Tensors.Select(tensor => $"{tensor.Name} {tensor.TiedTo} {tensor.Key} {tensor.DType} {tensor.Shape} {tensor.Sha256} {string.Join(' ', tensor.Files)}").Order(StringComparer.Ordinal);
}
