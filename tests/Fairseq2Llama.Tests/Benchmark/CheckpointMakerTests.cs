using Fairseq2Llama.Benchmark;
using Fairseq2Llama.Tests.Support;
using PyTorch = Fairseq2Llama.Tests.Support.PyTorch;

namespace Fairseq2Llama.Tests.Benchmark;

/// <summary>What the benchmark exports has to be what fairseq2 saves, or its figures would be of something else.</summary>
public sealed class CheckpointMakerTests
{
    [Fact]
    public void PyTorch_finds_finite_bfloat16_weights_in_it_as_fairseq2_wraps_them()
    {
        using var folder = new TempFolder();
        var made = CheckpointMaker.Make(folder["made"], TinyModel.Tied);

        var answer = PyTorch.Ask(
            """
            import sys, torch, zipfile
            assert zipfile.ZipFile(sys.argv[1]).testzip() is None
            content = torch.load(sys.argv[1], weights_only=True)
            model = content[content["model_key"]]
            assert all(weight.dtype == torch.bfloat16 and 0 < weight.float().abs().max() < 2 for weight in model.values())
            assert len({weight.storage().data_ptr() for weight in model.values()}) == len(model)
            print(len(model), *list(model)[::10], tuple(model["decoder.layers.1.ffn.gate_proj.weight"].shape))
            """,
            made.Files[0]);

        Assert.Equal("21 decoder_frontend.embed.weight decoder.layers.1.self_attn.q_proj.weight final_proj.weight (48, 16)", answer);
        Assert.Equal(21, made.TensorCount);
    }

    [Fact]
    public void Its_shards_are_those_of_one_model()
    {
        using var folder = new TempFolder();
        var made = CheckpointMaker.Make(folder["made"], TinyModel.Architecture, shardCount: 2);

        var checkpoint = Fairseq2Checkpoint.Read(made.Path);
        CheckpointExport.Plan(checkpoint, folder["merged"], new ReferenceExportOptions { Architecture = TinyModel.Architecture, ShardCount = 1 }).Execute();

        Assert.Equal(2, checkpoint.TensorParallelSize);
        Assert.Equal(CheckpointMaker.SizeOf(TinyModel.Architecture), checkpoint.Tensors.Sum(tensor => tensor.ElementCount) * 2);
    }
}
