using System.Collections.Immutable;
using Fairseq2Llama.Model;
using Fairseq2Llama.Stores;
using Fairseq2Llama.Tensors;

namespace Fairseq2Llama;

/// <summary>The part of a tensor that one file holds.</summary>
public sealed class TensorShard
{
    private readonly StoredFile? _file;
    private readonly ShardCoordinates _place;

    internal TensorShard(ShardFile file, string key, TensorView tensor)
    {
        _file = file.File;
        File = file.Path;
        _place = file.Place;
        Key = key;
        Tensor = tensor;
    }

    /// <summary>The part, which is all of it, of a tensor that is in no file.</summary>
    /// <param name="origin">What stands in the place of the file's path.</param>
    /// <param name="key">The tensor's name.</param>
    /// <param name="tensor">The tensor.</param>
    internal TensorShard(string origin, string key, TensorView tensor)
    {
        File = origin;
        Key = key;
        Tensor = tensor;
    }

    /// <summary>The file's path; the name of the checkpoint where the tensor is computed.</summary>
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

    /// <summary>Whether it is in a file, and not computed or in memory.</summary>
    internal bool IsStored => _file is not null;

    /// <summary>The path of the folder that the file is in.</summary>
    internal string FolderPath => _file?.Folder.Path ?? "";

    /// <summary>The file and the shape.</summary>
    public override string ToString() => PrintableText.Of(IsStored ? $"{_file!.Name}: {Shape}" : $"{Shape}");
}
