namespace Fairseq2Llama.Distributed;

/// <summary>What a distributed checkpoint says about its tensors, checked: each is tiled by chunks, each of which lies in a file that is there.</summary>
internal abstract class DistributedIndex
{
    /// <summary>The names of all tensors.</summary>
    public abstract IEnumerable<string> Names { get; }

    /// <summary>The files that chunks lie in, as far as they were asked for.</summary>
    public abstract IEnumerable<DataFile> Files { get; }

    /// <summary>Tensors with their chunks.</summary>
    /// <param name="names">Their names.</param>
    /// <param name="cancellationToken">Stops it.</param>
    /// <exception cref="CheckpointException">The index contradicts itself or the files; everything that is missing is listed.</exception>
    public abstract IReadOnlyList<DistributedTensor> Find(IReadOnlyCollection<string> names, CancellationToken cancellationToken);

    /// <exception cref="CheckpointException">It has more elements than can be counted.</exception>
    protected static TensorShape ShapeOf(string name, ReadOnlySpan<long> sizes, string file)
    {
        try
        {
            return new TensorShape(sizes);
        }
        catch (OverflowException)
        {
            throw CheckpointException.Corrupt(file, $"'{name}' of shape {string.Join('x', sizes.ToArray())} can't exist.");
        }
    }
}
