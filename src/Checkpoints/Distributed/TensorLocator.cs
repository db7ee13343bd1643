using System.Collections.Concurrent;
using System.Collections.Immutable;
using Fairseq2Llama.Llama;
using Fairseq2Llama.Model;
using Fairseq2Llama.Tensors;

namespace Fairseq2Llama.Distributed;

/// <summary>Makes tensors that find out where their elements lie when that is first asked for, and does so for many at once.</summary>
internal sealed class TensorLocator
{
    private readonly ConcurrentDictionary<DistributedTensor, TensorPlaces> _places = new(ReferenceEqualityComparer.Instance);
    private readonly ConcurrentDictionary<CheckpointTensor, DistributedTensor> _saved = new(ReferenceEqualityComparer.Instance);

    /// <param name="name">Its name.</param>
    /// <param name="saved">What the metadata says about it.</param>
    public CheckpointTensor MakeTensor(ParameterName name, DistributedTensor saved)
    {
        var places = new Lazy<TensorPlaces>(() => Find([saved], CancellationToken.None)[0], LazyThreadSafetyMode.PublicationOnly);
        var tensor = new CheckpointTensor(name, saved.DType, saved.Shape, null, places);
        _saved[tensor] = saved;
        return tensor;
    }

    /// <summary>Finds out where the elements of tensors lie.</summary>
    /// <exception cref="CheckpointException">The files can't be read, are damaged, or are not what the metadata says.</exception>
    public void Locate(IEnumerable<CheckpointTensor> tensors, CancellationToken cancellationToken)
    {
        CheckpointTensor[] unknown = [.. tensors.Where(tensor => !tensor.IsLocated)];
        Find([.. unknown.Select(tensor => _saved[tensor])], cancellationToken);

        foreach (var tensor in unknown)
        {
            _ = tensor.Copies;
        }
    }

    private TensorPlaces[] Find(DistributedTensor[] tensors, CancellationToken cancellationToken)
    {
        DistributedTensor[] unknown = [.. tensors.Where(tensor => !_places.ContainsKey(tensor))];
        var views = SavedItems.Locate([.. from tensor in unknown from chunk in tensor.Chunks select (tensor, chunk)], cancellationToken);
        var next = 0;

        foreach (var tensor in unknown)
        {
            _places[tensor] = PlacesOf(tensor, views.AsSpan(next, tensor.Chunks.Length));
            next += tensor.Chunks.Length;
        }

        return Array.ConvertAll(tensors, tensor => _places[tensor]);
    }

    private static TensorPlaces PlacesOf(DistributedTensor tensor, ReadOnlySpan<TensorView> views)
    {
        var parts = ImmutableArray.CreateBuilder<TensorPart>(views.Length);
        var shards = ImmutableArray.CreateBuilder<TensorShard>(views.Length);

        for (var i = 0; i < views.Length; i++)
        {
            parts.Add(new TensorPart(views[i], tensor.Chunks[i].Offsets));
            shards.Add(new TensorShard(tensor.Chunks[i].File.Shard, tensor.Name, views[i]));
        }

        return new TensorPlaces([parts.MoveToImmutable()], shards.MoveToImmutable());
    }
}
