using System.Collections.Concurrent;
using Fairseq2Llama.Stores;
using Fairseq2Llama.Tensors;
using Fairseq2Llama.Transfer;

namespace Fairseq2Llama.Reading;

/// <summary>
/// Gives access to data of tensors that is looked at and not exported. Deflated records are inflated into a temporary folder, which is
/// there as long as this is.
/// </summary>
internal sealed class TensorData : IDisposable
{
    private const int MinBufferLength = 1 << 20;

    private readonly HashSet<StoredBytes> _inflated = [];
    private readonly ConcurrentBag<byte[]> _idleBuffers = [];

    /// <param name="tensors">What is going to be read.</param>
    /// <param name="cancellationToken">Stops it.</param>
    /// <param name="verification">How much to check.</param>
    /// <exception cref="CheckpointException">There is no room for what has to be inflated.</exception>
    public TensorData(IEnumerable<CheckpointTensor> tensors, CancellationToken cancellationToken, VerificationPolicy? verification = null)
    {
        Copier = new StorageCopier(Scratch, verification ?? VerificationPolicy.Usual);
        CancellationToken = cancellationToken;
        Include(tensors);
    }

    /// <summary>Reads it, and compares it with its checksums.</summary>
    public StorageCopier Copier { get; }

    /// <summary>Where records are inflated.</summary>
    public ScratchFolder Scratch { get; } = ScratchFolder.Temporary();

    /// <summary>Stops it.</summary>
    public CancellationToken CancellationToken { get; }

    /// <summary>To be told before tensors are read that it does not know yet. May be called from several threads at once.</summary>
    /// <exception cref="CheckpointException">There is no room for what has to be inflated.</exception>
    public void Include(IEnumerable<CheckpointTensor> tensors)
    {
        foreach (var checkpoint in tensors.Where(tensor => !tensor.IsLocated).GroupBy(tensor => tensor.Owner))
        {
            checkpoint.Key.Locate(checkpoint, CancellationToken);
        }

        var deflated = tensors.SelectMany(tensor => tensor.Shards).Select(shard => shard.Tensor.Storage).Where(storage => storage.DeflatedLength is not null);

        lock (_inflated)
        {
            Scratch.Require(deflated.Where(_inflated.Add).Sum(storage => storage.ScratchLength));
        }

        Copier.Expect(tensors.SelectMany(tensor => tensor.Shards).Select(shard => PlannedStorage.Of(shard.Tensor)), CancellationToken);
    }

    /// <summary>
    /// Room for a window. Threads come and go with each tensor, and what they gave back to a pool of all would go with them, to be collected some time.
    /// </summary>
    /// <param name="length">At least so many bytes.</param>
    public byte[] TakeBuffer(int length) =>
        _idleBuffers.TryTake(out var buffer) && buffer.Length >= length ? buffer : GC.AllocateUninitializedArray<byte>(Math.Max(length, MinBufferLength));

    /// <param name="buffer">One that was taken.</param>
    public void GiveBack(byte[] buffer) => _idleBuffers.Add(buffer);

    public void Dispose()
    {
        Copier.Dispose();
        Scratch.Dispose();
    }
}
