using Fairseq2Llama.Gguf.Writing;

namespace Fairseq2Llama.Gguf;

/// <summary>Writes what the metadata say of the architecture, in the order of the converter of llama.cpp (set_gguf_parameters of conversion/base.py and llama.py).</summary>
internal static class ArchitectureMetadata
{
    /// <summary>How rows of quantized types are made (GGML_QNT_VERSION); every file has it.</summary>
    private const uint QuantizationVersion = 2;

    /// <param name="keys">Gets it.</param>
    /// <param name="architecture">The architecture.</param>
    /// <param name="fileType">The type of most of the weights; null where it is not known.</param>
    public static void Write(MetadataWriter keys, LlamaArchitecture architecture, DType? fileType)
    {
        keys.Add(MetadataKeys.BlockCount, (uint)architecture.NumLayers);
        keys.Add(MetadataKeys.ContextLength, (uint)architecture.MaxSeqLen);
        keys.Add(MetadataKeys.EmbeddingLength, (uint)architecture.ModelDim);
        keys.Add(MetadataKeys.FeedForwardLength, (uint)architecture.FfnInnerDim);
        keys.Add(MetadataKeys.HeadCount, (uint)architecture.NumAttnHeads);
        keys.Add(MetadataKeys.HeadCountKV, (uint)architecture.NumKeyValueHeads);
        keys.Add(MetadataKeys.RopeFreqBase, (float)architecture.RopeTheta);
        keys.Add(MetadataKeys.NormEpsilon, (float)architecture.NormEps);
        keys.Add(MetadataKeys.KeyLength, (uint)architecture.HeadDim);
        keys.Add(MetadataKeys.ValueLength, (uint)architecture.HeadDim);

        if (fileType is { } type)
        {
            keys.Add(MetadataKeys.FileType, NumberOf(type));
        }

        keys.Add(MetadataKeys.VocabSize, (uint)architecture.VocabSize);
        keys.Add(MetadataKeys.RopeDimensionCount, (uint)architecture.HeadDim);
        keys.Add(MetadataKeys.QuantizationVersion, QuantizationVersion);
    }

    /// <summary>As llama.h's llama_ftype.</summary>
    private static uint NumberOf(DType dtype) => dtype switch
    {
        DType.Float16 => 1,
        DType.Q8_0 => 7,
        DType.BFloat16 => 32,
        _ => 0,
    };
}
