using System.Buffers;

namespace Fairseq2Llama.Manifests.Hashing;

/// <summary>
/// Hashes bytes on threads of its own while another one reads and writes them, because SHA-256 is slower than a copy. Bytes that wait are held in
/// memory, up to a limit.
/// </summary>
/// <param name="cancellationToken">Stops waiting for room.</param>
internal sealed class HashLanes(CancellationToken cancellationToken) : IDisposable
{
    /// <summary>Bytes that go to the lanes at once.</summary>
    public const int ChunkSize = 1 << 20;

    /// <summary>More would not be faster, and each takes memory.</summary>
    private const int MaxChunks = 24;

    private readonly SemaphoreSlim _room = new(MaxChunks);

    /// <summary>Whole files.</summary>
    public HashLane Files { get; } = new();

    /// <summary>Tensors as the files have them.</summary>
    public HashLane Tensors { get; } = new();

    /// <summary>What has to be looked at besides: tensors before a cast, checksums.</summary>
    public HashLane Inputs { get; } = new();

    /// <summary>Copies bytes, for as long as any lane needs them.</summary>
    /// <param name="bytes">At most <see cref="ChunkSize"/>.</param>
    /// <returns>To be disposed of when all lanes that want it have it.</returns>
    /// <exception cref="OperationCanceledException">It was cancelled.</exception>
    public HashChunk Copy(ReadOnlySpan<byte> bytes)
    {
        _room.Wait(cancellationToken);
        var copy = ArrayPool<byte>.Shared.Rent(ChunkSize);
        bytes.CopyTo(copy);

        return new HashChunk(copy, () =>
        {
            ArrayPool<byte>.Shared.Return(copy);
            _room.Release();
        });
    }

    /// <summary>Waits until everything is hashed.</summary>
    public void Complete()
    {
        Files.Complete();
        Tensors.Complete();
        Inputs.Complete();
    }

    /// <summary>Ends the threads.</summary>
    public void Dispose()
    {
        Files.Dispose();
        Tensors.Dispose();
        Inputs.Dispose();
        _room.Dispose();
    }
}
