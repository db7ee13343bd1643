using Fairseq2Llama.Distributed;
using Fairseq2Llama.Stores.Local;
using Fairseq2Llama.Tests.Support;
using Fairseq2Llama.TorchFiles.Pickle;

namespace Fairseq2Llama.Tests.Distributed;

/// <summary>What other programs save is named, with the way out. The files are those that their sources write.</summary>
public sealed class ForeignCheckpointTests : IDisposable
{
    private readonly TempFolder _folder = new();

    public void Dispose() => _folder.Dispose();

    [Theory]
    [InlineData("model_world_size_8_rank_0.pt model_world_size_8_rank_1.pt optim_world_size_8_rank_0.pt fsdp_config.json", "verl", "verl.model_merger")]
    [InlineData("mp_rank_00_000/model_optim_rng.pt", "Megatron-LM", "tools/checkpoint/convert.py")]
    [InlineData("iter_0000500/mp_rank_00/model_optim_rng.pt latest_checkpointed_iteration.txt", "Megatron-LM", "tools/checkpoint/convert.py")]
    [InlineData("mp_rank_00_model_states.pt bf16_zero_pp_rank_0_mp_rank_00_optim_states.pt", "DeepSpeed", "zero_to_fp32.py")]
    [InlineData("zero_pp_rank_0_mp_rank_00_model_states.pt", "DeepSpeed", "zero_to_fp32.py")]
    [InlineData("latest zero_to_fp32.py global_step10/mp_rank_00_model_states.pt", "DeepSpeed", "zero_to_fp32.py")]
    [InlineData("metadata.pkl checkpoint_0.pt", "experimental second version", "torch.distributed.checkpoint.save")]
    [InlineData("step-5/.metadata step-10/.metadata", "steps of a training run", "step-10'")]
    [InlineData("step-5/.metadata step-10/.metadata step-15/__0_0.distcp", "steps of a training run", "step-10'")]
    [InlineData("checkpoint-5/pytorch_model_fsdp_0/.metadata checkpoint-5/optimizer_0/.metadata", "steps of a training run", "pytorch_model_fsdp_0'")]
    [InlineData("pytorch_model_fsdp_0/.metadata optimizer_0/.metadata trainer_state.json", "there is one in", "pytorch_model_fsdp_0'")]
    [InlineData("config.json pytorch_model_fsdp_0/.metadata", "there is one in", "pytorch_model_fsdp_0'")]
    [InlineData("checkpoint/step-5/.metadata tb/x", "checkpoint' holds the steps", "step-5'")]
    [InlineData("adapter_config.json adapter_model.safetensors README.md tokenizer.json", "adapter of PEFT", "Merge-LlamaLora")]
    [InlineData("actor/model_world_size_8_rank_0.pt", "verl", "verl.model_merger")]
    public void Is_recognized_by_its_files(string files, string program, string remedy)
    {
        foreach (var file in files.Split(' '))
        {
            Directory.CreateDirectory(Path.GetDirectoryName(_folder[file])!);
            File.WriteAllText(_folder[file], "");
        }

        foreach (var read in new Func<LlamaCheckpoint>[] { () => CheckpointReader.Read(_folder.Path), () => DistributedCheckpoint.Read(_folder.Path) })
        {
            ErrorAssert.Throws(CheckpointErrorCode.CheckpointUnrecognized, () => read(), program, remedy);
        }
    }

    /// <summary>dist_checkpointing/core.py of Megatron-LM, before and after common.pt went into the metadata.</summary>
    [Theory]
    [InlineData("""{"sharded_backend": "torch_dist", "sharded_backend_version": 1, "common_backend": "torch", "common_backend_version": 1}""")]
    [InlineData("""{"sharded_backend": "torch_dist", "sharded_backend_version": 1}""")]
    public void Megatron_s_use_of_the_format_is_not_read(string metadata)
    {
        Copy("titan-1");
        File.WriteAllText(_folder["metadata.json"], metadata);

        ErrorAssert.Throws(CheckpointErrorCode.CheckpointUnrecognized, () => CheckpointReader.Read(_folder.Path), "Megatron", "Megatron Bridge");
    }

    /// <summary>Megatron Core to 0.15 has classes of its own in the metadata (dist_checkpointing/strategies/torch.py), which other programs may have copied without metadata.json.</summary>
    [Fact]
    public void Megatron_s_classes_are_not_suspicious()
    {
        var metadata = new PickleBuilder().OpWith(Opcode.Proto, 4).StackGlobal("megatron.core.dist_checkpointing.strategies.torch", "MCoreMetadata").Op(Opcode.EmptyTuple, Opcode.NewObj);
        File.WriteAllBytes(_folder[".metadata"], metadata.Stop());

        ErrorAssert.Throws(CheckpointErrorCode.CheckpointUnrecognized, () => CheckpointReader.Read(_folder.Path), ".metadata", "Megatron Bridge");
    }

    [Theory]
    [InlineData("""{"author": "me"}""")]
    [InlineData("no JSON")]
    public void Another_file_of_that_name_is_not_Megatron_s(string content)
    {
        Copy("titan-1");
        File.WriteAllText(_folder["metadata.json"], content);

        Assert.Equal(21, CheckpointReader.Read(_folder.Path).Tensors.Length);
    }

    [Theory]
    [InlineData("model.layers.0._flat_param", "LOCAL_STATE_DICT", "SHARDED_STATE_DICT")]
    [InlineData("_fsdp_wrapped_module.flat_param", "LOCAL_STATE_DICT", "SHARDED_STATE_DICT")]
    [InlineData("layers.0.attention.qkv_linear.wqkv.weight", "fused query, key and value", "convert_to_hf.py")]
    [InlineData("decoder.layers.self_attention.linear_qkv.weight", "Megatron", "Megatron Bridge")]
    public void Tensors_of_several_parameters_are_refused_by_name(string name, string what, string remedy) => ErrorAssert.Throws(
        CheckpointErrorCode.UnsupportedTensor,
        () => ForeignCheckpoint.RequireParameters(new LocalFolder(_folder.Path), ["tok_embeddings.weight", name]),
        name,
        what,
        remedy);

    /// <summary>The optimizer of torchtitan still has the fused projection under its own name when the model is saved without it.</summary>
    [Fact]
    public void The_state_of_an_optimizer_may_have_any_name() =>
        ForeignCheckpoint.RequireParameters(new LocalFolder(_folder.Path), ["optimizer.state.layers.0.attention.qkv_linear.wqkv.weight", "norm.weight"]);

    private void Copy(string name) => CheckpointFolder.CopyFiles(DistributedManifest.Cases[name].Path, _folder.Path);
}
