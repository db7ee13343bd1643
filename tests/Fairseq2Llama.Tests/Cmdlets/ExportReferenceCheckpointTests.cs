using System.Text.Json.Nodes;
using Fairseq2Llama.Tests.Support;

namespace Fairseq2Llama.Tests.Cmdlets;

/// <summary>Exporting what is in the reference format: what its files tell, and what they do not.</summary>
public class ExportReferenceCheckpointTests : ExportTests
{
    public ExportReferenceCheckpointTests() => Session.Run("$null = $fs2 | Export-LlamaReferenceCheckpoint ref -Architecture $tiny");

    [Fact]
    public void It_can_be_divided_anew()
    {
        Session.Run("Read-LlamaReferenceCheckpoint ref | Export-LlamaReferenceCheckpoint two -ShardCount 2");
        Session.Run("$fs2 | Export-LlamaReferenceCheckpoint expected -Architecture $tiny -ShardCount 2");
        Session.Run("Read-LlamaReferenceCheckpoint two | Export-LlamaReferenceCheckpoint same");

        Assert.Equal(CheckpointFolder.Hashes(Folder["expected"]), CheckpointFolder.Hashes(Folder["two"]));
        Assert.Equal(CheckpointFolder.Hashes(Folder["expected"]), CheckpointFolder.Hashes(Folder["same"]));
    }

    [Fact]
    public void What_an_export_gives_can_be_exported_on()
    {
        var warnings = Session.RunOn("$fs2 | Export-LlamaReferenceCheckpoint a -Architecture $tiny | Export-LlamaHuggingFaceCheckpoint b").Warnings;

        Assert.Empty(warnings);
        Assert.True(File.Exists(Folder["b/model.safetensors"]));
    }

    [Fact]
    public void Params_do_not_tell_how_long_sequences_may_be()
    {
        var warning = Assert.Single(Session.RunOn("Read-LlamaReferenceCheckpoint ref | Export-LlamaHuggingFaceCheckpoint out").Warnings);

        Assert.Contains(Folder["ref/params.json"], warning, StringComparison.Ordinal);
        Assert.Contains("2048", warning, StringComparison.Ordinal);
        Assert.Contains("-Architecture", warning, StringComparison.Ordinal);
        Assert.Empty(Session.RunOn("Read-LlamaReferenceCheckpoint ref | Export-LlamaHuggingFaceCheckpoint other -Architecture $tiny").Warnings);
        Assert.Empty(Session.RunOn("Read-LlamaReferenceCheckpoint ref | Export-LlamaReferenceCheckpoint another").Warnings);
    }

    /// <summary>Buffers that Meta saved beside the weights; fairseq2 and transformers drop them as well.</summary>
    [External]
    [Theory]
    [InlineData("rope.freqs")]
    [InlineData("layers.0.attention.inner_attention.rope.freqs")]
    public void Frequencies_are_no_weights(string name)
    {
        PyTorch.Ask(
            "import sys, torch; path = sys.argv[1]; model = torch.load(path); model[sys.argv[2]] = torch.ones(2); torch.save(model, path)",
            Folder["ref/consolidated.00.pth"],
            name);

        Session.Run("Read-LlamaReferenceCheckpoint ref | Export-Fairseq2Checkpoint out -Architecture $tiny");

        Assert.Equal(Session.Run<string>("$fs2.Tensors.Name"), Session.Run<string>("(Read-Fairseq2Checkpoint out).Tensors.Name"));
    }

    [Fact]
    public void A_damaged_shard_is_noticed()
    {
        var path = Folder["ref/consolidated.00.pth"];
        var storage = LlamaReferenceCheckpoint.Read(Folder["ref"]).Tensors[3].Shards[0].Tensor.Storage;
        var bytes = File.ReadAllBytes(path);
        bytes[storage.Offset + 5] ^= 1;
        File.WriteAllBytes(path, bytes);

        Session.RunForError(CheckpointErrorCode.CheckpointCorrupt, "Read-LlamaReferenceCheckpoint ref | Export-LlamaHuggingFaceCheckpoint out -Architecture $tiny", path, "CRC-32");

        Assert.False(Directory.Exists(Folder["out"]));
    }

    [Fact]
    public void Params_can_not_tell_by_what_rotary_encoding_is_scaled()
    {
        Session.Run("$scaled = New-LlamaArchitecture -BasedOn $tiny -Name scaled -RopeScaleFactor 32");

        var warning = Assert.Single(Session.RunOn("$fs2 | Export-LlamaReferenceCheckpoint scaled -Architecture $scaled -ParamsLayout Flat").Warnings);

        Assert.Contains("scaled by 32", warning, StringComparison.Ordinal);
    }

    /// <summary>8/3 of the model dim and the multiplier, rounded in another order than by fairseq2: 276 here, and 277 there.</summary>
    [External]
    [Fact]
    public void The_inner_dim_of_the_ffn_is_what_Meta_computes()
    {
        PyTorch.Ask(
            """
            import sys, torch
            dim, inner = 80, 276
            shapes = {"attention.wq": (dim, dim), "attention.wk": (dim, dim), "attention.wv": (dim, dim), "attention.wo": (dim, dim),
                      "attention_norm": (dim,), "feed_forward.w1": (inner, dim), "feed_forward.w2": (dim, inner), "feed_forward.w3": (inner, dim), "ffn_norm": (dim,)}
            model = {f"layers.0.{name}.weight": torch.ones(shape) for name, shape in shapes.items()}
            model |= {"tok_embeddings.weight": torch.ones(8, dim), "norm.weight": torch.ones(dim), "output.weight": torch.ones(8, dim)}
            torch.save(model, sys.argv[1])
            """,
            Folder["ref/consolidated.00.pth"]);
        File.WriteAllText(
            Folder["ref/params.json"],
            """{"dim": 80, "n_layers": 1, "n_heads": 4, "multiple_of": 1, "ffn_dim_multiplier": 1.3, "norm_eps": 1e-5, "vocab_size": -1}""");

        var written = Session.RunOne<Fairseq2Checkpoint>("Read-LlamaReferenceCheckpoint ref | Export-Fairseq2Checkpoint out -WarningAction SilentlyContinue");

        Assert.Equal(276, written.Architecture!.FfnInnerDim);
    }

    [Fact]
    public void Without_params_it_can_t_be_read()
    {
        File.Delete(Folder["ref/params.json"]);

        Session.RunForError(CheckpointErrorCode.CheckpointUnrecognized, "Read-LlamaReferenceCheckpoint ref | Export-Fairseq2Checkpoint out", "params.json");
    }

    [Fact]
    public void Params_of_another_model_are_noticed()
    {
        var json = JsonNode.Parse(File.ReadAllText(Folder["ref/params.json"]))!;
        json["model"]!["n_layers"] = 3;
        File.WriteAllText(Folder["ref/params.json"], json.ToJsonString());

        Session.RunForError(
            CheckpointErrorCode.ArchitectureMismatch, "Read-LlamaReferenceCheckpoint ref | Export-Fairseq2Checkpoint out", "NumLayers is 3 in the architecture and 2");
    }
}
