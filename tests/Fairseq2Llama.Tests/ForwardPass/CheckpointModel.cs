using Fairseq2Llama.Tests.Support;
using static TorchSharp.torch;

namespace Fairseq2Llama.Tests.ForwardPass;

/// <summary>What the module reads from a checkpoint, whatever its format, without an export: tensors are to have their rows in one order.</summary>
internal static class CheckpointModel
{
    /// <param name="checkpoint">Any.</param>
    /// <param name="architecture">For a checkpoint that tells none.</param>
    public static ReferenceModel Of(LlamaCheckpoint checkpoint, LlamaArchitecture? architecture = null)
    {
        LibTorch.Require();

        var weights = checkpoint.Tensors.ToDictionary(tensor => tensor.ReferenceName!, Load, StringComparer.Ordinal);

        if (!weights.ContainsKey("output.weight"))
        {
            weights["output.weight"] = weights["tok_embeddings.weight"].alias();
        }

        return new ReferenceModel(ArgsOf(architecture ?? checkpoint.Architecture!), weights);
    }

    private static ModelArgs ArgsOf(LlamaArchitecture architecture) => new()
    {
        Dim = architecture.ModelDim,
        NLayers = architecture.NumLayers,
        NHeads = architecture.NumAttnHeads,
        NKvHeads = architecture.NumKeyValueHeads,
        NormEps = architecture.NormEps,
        RopeTheta = architecture.RopeTheta,
        RotaryScaling = architecture.RopeScaleFactor is { } factor ? new RotaryScaling(factor) : null,
    };

    private static Tensor Load(CheckpointTensor tensor)
    {
        using var loaded = (Tensor)LibTorch.Tensors.CreateTensor(tensor.DType, tensor.Shape, sink => sink(TensorBytes.Of(tensor.ToStorage())));
        return loaded.to(ScalarType.Float32, copy: true);
    }
}
