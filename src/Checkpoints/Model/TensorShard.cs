using System.Collections.Immutable;
using Fairseq2Llama.Model;
using Fairseq2Llama.Stores;
using Fairseq2Llama.Tensors;

namespace Fairseq2Llama;

/// <summary>The part of a tensor that one file holds.</summary>
public sealed class TensorShard
{
    private readonly StoredFile _file;
    private readonly ShardCoordinates _place;

    internal TensorShard(ShardFile file, string key, TensorView tensor)
    {
        _file = file.File;
        File = file.Path;
        _place = file.Place;
        Key = key;
        Tensor = tensor;
    }

    /// <summary>The file's path.</summary>
    public string File { get; }

    /// <summary>The tensor's name in the file, with the prefixes that wrappers left.</summary>
    public string Key { get; }

    /// <summary>The pipeline stage (fairseq2's pp) of the file, from 0.</summary>
    public int PipelineStage => _place.Pipeline;

    /// <summary>The tensor-parallel rank (fairseq2's tp) of the file, from 0.</summary>
    public int TensorParallelRank => _place.TensorParallel;

    /// <summary>The file's rank in sharded data parallelism (fairseq2's sdp), from 0.</summary>
    public int DataParallelRank => _place.DataParallel;

    /// <summary>The part's shape; of an empty part (0), whatever the tensor's.</summary>
    public TensorShape Shape => Tensor.Shape;

    /// <summary>Elements between neighbours along each dimension.</summary>
    public ImmutableArray<long> Strides => [.. Tensor.Strides];

    /// <summary>Whether its elements lie one after the other in the file.</summary>
    public bool IsContiguous => Tensor.IsContiguous;

    internal TensorView Tensor { get; }

    /// <summary>The path of the folder that the file is in.</summary>
    internal string FolderPath => _file.Folder.Path;

    /// <summary>The file and the shape.</summary>
    public override string ToString() => PrintableText.Of($"{_file.Name}: {Shape}");
}
