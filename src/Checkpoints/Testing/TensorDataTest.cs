using Fairseq2Llama.Conversion;
using Fairseq2Llama.Reading;
using Fairseq2Llama.Tensors;

namespace Fairseq2Llama.Testing;

/// <summary>Reads the data of every tensor once, a few MB at a time: checksums, numbers that are none, copies that should be the same.</summary>
internal sealed class TensorDataTest : IDisposable
{
    private readonly LlamaCheckpoint _checkpoint;
    private readonly IProgress<ByteProgress>? _progress;
    private readonly TensorData _data;
    private readonly HashSet<TensorView> _seen = [];
    private readonly long _total;
    private long _done;

    /// <param name="checkpoint">The checkpoint.</param>
    /// <param name="progress">Told how far it is.</param>
    /// <param name="cancellationToken">Stops it.</param>
    /// <exception cref="CheckpointException">There is no room for what has to be inflated.</exception>
    public TensorDataTest(LlamaCheckpoint checkpoint, IProgress<ByteProgress>? progress, CancellationToken cancellationToken)
    {
        _data = new TensorData(checkpoint.Tensors, cancellationToken);
        _checkpoint = checkpoint;
        _progress = progress;
        _total = checkpoint.Tensors.SelectMany(tensor => tensor.Shards).Select(shard => shard.Tensor).Distinct().Sum(tensor => DataOf(tensor).Length);
    }

    public IEnumerable<CheckpointFinding> Run() =>
        _checkpoint.Tensors.SelectMany(tensor => tensor.Shards.SelectMany(shard => Read(tensor, shard)).Concat(Compare(tensor)));

    public void Dispose() => _data.Dispose();

    private IEnumerable<CheckpointFinding> Read(CheckpointTensor tensor, TensorShard shard)
    {
        // Tied weights are read once.
        if (!_seen.Add(shard.Tensor))
        {
            yield break;
        }

        var numbers = new NonFiniteCounter(tensor.NumberDType);

        if (Catch(() => _data.Copier.Copy(DataOf(shard.Tensor), chunk => Take(chunk, numbers, tensor, shard), _data.CancellationToken)) is { } error)
        {
            yield return new CheckpointFinding(FindingSeverity.Error, error.Code, $"'{tensor.Name}' can't be read. {error.Message}", tensor.Name, shard.File);
        }

        if (NonFiniteFinding.Of(tensor.Name, tensor.DType, shard.Shape.ElementCount, numbers.NaNs, numbers.Infinities, shard.File) is { } finding)
        {
            yield return finding;
        }
    }

    /// <summary>The stored bytes of a tensor. An expanded tensor can claim any number of elements, all of them the same few.</summary>
    private static PlannedStorage DataOf(TensorView tensor)
    {
        var (storage, info) = (tensor.Storage, DTypeInfo.Of(tensor.DType));

        return tensor.SizeInBytes <= storage.Length
            ? PlannedStorage.Of(tensor, info.NumberDType)
            : new PlannedStorage(tensor.DType, [RowBlock.Of(new ByteRuns(storage, 0, info.LengthOf(info.ElementsIn(storage.Length)), []))]);
    }

    private CheckpointFinding[] Compare(CheckpointTensor tensor)
    {
        if (tensor.Copies.Length == 1)
        {
            return [];
        }

        CheckpointFinding? finding = null;

        // A damaged copy was reported when it was read.
        Catch(() => finding = ReplicaCheck.Find(tensor, _data.Copier, _data.CancellationToken));
        return finding is null ? [] : [finding];
    }

    private void Take(ReadOnlySpan<byte> chunk, NonFiniteCounter numbers, CheckpointTensor tensor, TensorShard shard)
    {
        numbers.Add(chunk);
        _done += DTypeInfo.Of(tensor.DType).LengthOf(chunk.Length / tensor.NumberDType.GetItemSize());
        _progress?.Report(new ByteProgress(shard.File, _done, _total));
    }

    private static CheckpointException? Catch(Action work)
    {
        try
        {
            work();
            return null;
        }
        catch (CheckpointException e)
        {
            return e;
        }
    }
}
