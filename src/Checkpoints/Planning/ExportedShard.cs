namespace Fairseq2Llama;

/// <summary>A tensor file that a job has exported, as one of several jobs. It becomes part of a checkpoint when the export is completed.</summary>
public sealed class ExportedShard
{
    internal ExportedShard(string name, string path, int shardIndex, int shardCount, long sizeInBytes, bool isSkipped)
    {
        Name = name;
        Path = path;
        ShardIndex = shardIndex;
        ShardCount = shardCount;
        SizeInBytes = sizeInBytes;
        IsSkipped = isSkipped;
    }

    /// <summary>The name of the file.</summary>
    public string Name { get; }

    /// <summary>The path or address of the file.</summary>
    public string Path { get; }

    /// <summary>Which of the files it is, from 0.</summary>
    public int ShardIndex { get; }

    /// <summary>The number of files.</summary>
    public int ShardCount { get; }

    /// <summary>Bytes of the file.</summary>
    public long SizeInBytes { get; }

    /// <summary><see cref="SizeInBytes"/>, under the name that tables have for it.</summary>
    public long Size => SizeInBytes;

    /// <summary>Whether an earlier run of the job had already written it, from the same input.</summary>
    public bool IsSkipped { get; }

    /// <summary>Prints as its path.</summary>
    public override string ToString() => Path;
}
