using Fairseq2Llama.Llama;
using Fairseq2Llama.Model;
using Fairseq2Llama.Stores;
using Fairseq2Llama.Tensors;

namespace Fairseq2Llama.Merging;

/// <summary>Makes tensors of what an adapter's file has.</summary>
internal static class LoraTensors
{
    public static CheckpointTensor Make(StoredFile file, string key, ParameterName name, TensorView view) =>
        new(name, view.DType, view.Shape, null, [[new TensorPart(view)]], [new TensorShard(new ShardFile(file, default), key, view)]);
}
