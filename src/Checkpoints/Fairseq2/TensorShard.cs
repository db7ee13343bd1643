using System.Collections.Immutable;
using Fairseq2Llama.Tensors;

namespace Fairseq2Llama;

/// <summary>The part of a tensor that one file holds.</summary>
public sealed class TensorShard
{
    internal TensorShard(string file, string key, TorchTensor tensor)
    {
        File = file;
        Key = key;
        Tensor = tensor;
    }

    /// <summary>The file's path.</summary>
    public string File { get; }

    /// <summary>The tensor's name in the file, with the prefixes that wrappers left.</summary>
    public string Key { get; }

    /// <summary>The part's shape.</summary>
    public TensorShape Shape => Tensor.Shape;

    /// <summary>Elements between neighbours along each dimension.</summary>
    public ImmutableArray<long> Strides => [.. Tensor.Strides];

    /// <summary>Whether its elements lie one after the other in the file.</summary>
    public bool IsContiguous => Tensor.IsContiguous;

    internal TorchTensor Tensor { get; }

    /// <summary>The file and the shape.</summary>
    public override string ToString() => $"{Path.GetFileName(File)}: {Shape}";
}
