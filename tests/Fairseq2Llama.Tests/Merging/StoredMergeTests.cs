using Fairseq2Llama.Tests.Cmdlets;
using Fairseq2Llama.Tests.Support;

namespace Fairseq2Llama.Tests.Merging;

/// <summary>Merged checkpoints come from stores and go to them.</summary>
public sealed class StoredMergeTests : StoreCommandTests
{
    [Theory]
    [InlineData("Fairseq2")]
    [InlineData("LlamaReference")]
    [InlineData("LlamaHuggingFace")]
    public void Averages_are_as_those_of_folders(string format)
    {
        CheckpointFolder.Copy("legacy", Folder["legacy"]);
        Bucket.PutFolder(Folder["legacy"], "legacy/");
        Session.Run($"Merge-LlamaCheckpoint fs2, legacy -Weight 1, 3 | Export-{format}Checkpoint local -Architecture $tiny");

        Session.Run($"Merge-LlamaCheckpoint s3://bucket/fs2, s3://bucket/legacy -Weight 1, 3 @at | Export-{format}Checkpoint s3://bucket/out -Architecture $tiny @at");
        Session.Run($"Merge-LlamaCheckpoint fs2, s3://bucket/legacy -Weight 1, 3 @at | Export-{format}Checkpoint stored -Architecture $tiny");

        AssertIsAs("local", "out");
        Assert.Equal(FolderHash.Of(Folder["local"]), FolderHash.Of(Folder["stored"]));
    }

    [Fact]
    public void Are_not_exported_over_their_input() =>
        Assert.Contains(
            "input",
            Session.RunForError("Merge-LlamaCheckpoint s3://bucket/fs2, fs2 @at | Export-Fairseq2Checkpoint s3://bucket/fs2 -Architecture $tiny -Force @at").ToString(),
            StringComparison.OrdinalIgnoreCase);

    [Fact]
    public void Adapters_may_be_in_a_store()
    {
        LibTorch.Require();
        ConverterModel.Half.Write(Folder["model"]);
        Directory.CreateDirectory(Folder["peft"]);
        File.WriteAllText(Folder["peft/adapter_config.json"], """{"peft_type": "LORA", "r": 1, "lora_alpha": 1}""");
        const string Query = "base_model.model.model.layers.0.self_attn.q_proj";
        var numbers = new byte[256];
        new Random(1).NextBytes(numbers);
        numbers.AsSpan().Replace((byte)0x7f, (byte)0x3f);
        File.WriteAllBytes(
            Folder["peft/adapter_model.safetensors"],
            SafeTensorsBuilder.Build($"{{{SafeTensorsBuilder.Entry($"{Query}.lora_A.weight", "F32", "1,32", 0, 128)},{SafeTensorsBuilder.Entry($"{Query}.lora_B.weight", "F32", "32,1", 128, 256)}}}", numbers));
        Bucket.PutFolder(Folder["model"], "model/");
        Bucket.PutFolder(Folder["peft"], "peft/");
        Session.Run("Merge-LlamaLora peft model | Export-Fairseq2Checkpoint local");

        Session.Run("Merge-LlamaLora s3://bucket/peft s3://bucket/model @at | Export-Fairseq2Checkpoint s3://bucket/out @at");

        AssertIsAs("local", "out");
        Assert.Equal(["decoder.layers.0.self_attn.q_proj.weight"], Session.RunOn("Compare-LlamaCheckpoint model local -DifferentOnly | ForEach-Object Name").Names);
    }
}
