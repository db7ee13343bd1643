using System.Collections.Immutable;
using Fairseq2Llama.Manifests;
using Fairseq2Llama.Manifests.Hashing;
using Fairseq2Llama.Model;
using Fairseq2Llama.Reading;
using Fairseq2Llama.Stores;
using Fairseq2Llama.Tensors;

namespace Fairseq2Llama.Attestation;

/// <summary>
/// Makes a manifest of a checkpoint that is there. It reads each file once, from front to back, and hashes the tensors in it while they pass; only those that
/// no order of the files gives in the canonical order are read once more.
/// </summary>
internal sealed class ManifestMaker : IDisposable
{
    private readonly LlamaCheckpoint _checkpoint;
    private readonly IProgress<ByteProgress>? _progress;
    private readonly CancellationToken _cancellationToken;
    private readonly TensorData _data;
    private readonly HashLanes _lanes;
    private readonly ImmutableArray<CheckpointContent> _files;
    private readonly ImmutableArray<CheckpointTensor> _tensors;
    private readonly Dictionary<CheckpointTensor, TensorPass> _passes = new(SharedStorage.Comparer);
    private readonly Dictionary<CheckpointTensor, TensorHash> _hashes = new(SharedStorage.Comparer);
    private readonly Dictionary<string, FileHash> _fileHashes = new(StringComparer.Ordinal);
    private readonly List<ChecksumTap> _checksums = [];
    private readonly List<FileTap>[] _taps;
    private readonly Dictionary<string, IByteSource> _sources;
    private readonly long _total;
    private long _done;

    /// <param name="checkpoint">The checkpoint.</param>
    /// <param name="progress">Told how far it is, on the calling thread.</param>
    /// <param name="cancellationToken">Stops it.</param>
    /// <exception cref="CheckpointException">It can't be read.</exception>
    public ManifestMaker(LlamaCheckpoint checkpoint, IProgress<ByteProgress>? progress, CancellationToken cancellationToken)
    {
        _checkpoint = checkpoint;
        _progress = progress;
        _cancellationToken = cancellationToken;
        _tensors = [.. checkpoint.Tensors.Where(tensor => !tensor.ParsedName.IsComputed)];
        _files = [.. CheckpointContent.AllOf(checkpoint)];
        checkpoint.Locate(_tensors, cancellationToken);
        var places = _files.Select((file, index) => (file.Stored.Path, index)).ToDictionary(pair => pair.Path, pair => pair.index, checkpoint.Folder.Identities);

        foreach (var tensor in _tensors.Where(tensor => !_passes.ContainsKey(tensor)))
        {
            var pass = _passes[tensor] = TensorPass.Of(tensor, places);
            _hashes[tensor] = pass.MakeHash();
        }

        _taps = MakeTaps(places);

        // As the index was read from them: where it found tensors, another state of a file has something else.
        _sources = Storages.Select(storage => storage.Source).DistinctBy(source => source.Name, checkpoint.Folder.Identities).ToDictionary(source => source.Name, checkpoint.Folder.Identities);
        _data = new TensorData(Apart, cancellationToken);
        _lanes = new HashLanes(cancellationToken);
        _total = _files.Sum(file => file.Stored.Length) + Apart.Sum(tensor => tensor.SizeInBytes);
    }

    private IEnumerable<StoredBytes> Storages => _tensors.SelectMany(tensor => tensor.Copies).SelectMany(copy => copy).Select(part => part.Tensor.Storage).Distinct();

    private IEnumerable<CheckpointTensor> Apart => _passes.Where(pair => pair.Value.IsApart).Select(pair => pair.Key);

    /// <exception cref="CheckpointException">It can't be read, or is damaged.</exception>
    public CheckpointManifest Run()
    {
        ImmutableArray<ManifestFile> files = [.. _files.Zip(_taps, Read)];
        TensorHashes.Read([.. Apart.Select(tensor => (tensor, _hashes[tensor]))], _data, count => Report(_checkpoint.Name, count));
        _lanes.Complete();
        _checksums.ForEach(checksum => checksum.Require());

        return new CheckpointManifest(_checkpoint.Name, _checkpoint.Format, [.. files.Select(file => file with { Sha256 = _fileHashes[file.Name].Value })], TiedTensor.AddTo([.. _tensors.Select(Describe)]));
    }

    public void Dispose()
    {
        _lanes.Dispose();
        _data.Dispose();

        foreach (var hash in _hashes.Values)
        {
            hash.Dispose();
        }

        foreach (var hash in _fileHashes.Values)
        {
            hash.Dispose();
        }
    }

    /// <summary>Who wants which bytes of each file.</summary>
    private List<FileTap>[] MakeTaps(Dictionary<string, int> places)
    {
        var taps = Array.ConvertAll([.. _files], _ => new List<FileTap>());

        foreach (var pass in _passes.Values)
        {
            foreach (var (file, offset, length) in pass.Ranges)
            {
                taps[file].Add(new FileTap(offset, length, _hashes[pass.Tensor]));
            }
        }

        foreach (var storage in Storages)
        {
            if (storage is { Crc32: not null, DeflatedLength: null } && places.TryGetValue(storage.Source.Name, out var file))
            {
                var checksum = new ChecksumTap(storage);
                _checksums.Add(checksum);
                taps[file].Add(checksum.Tap);
            }
        }

        return taps;
    }

    private ManifestFile Read(CheckpointContent file, List<FileTap> taps)
    {
        var source = _sources.TryGetValue(file.Stored.Path, out var known) ? known : file.Stored.Source;
        var hash = _fileHashes[file.Name] = new FileHash(file.Name, source.Length, taps, _lanes);

        WholeFile.ReadPieces(
            source,
            piece =>
            {
                hash.Append(piece);
                Report(file.Name, piece.Length);
            },
            _cancellationToken);

        return new ManifestFile(file.Name, source.Length, null);
    }

    private ManifestTensor Describe(CheckpointTensor tensor) => new(tensor.CanonicalName, tensor.DType, tensor.Shape, _hashes[tensor].Value)
    {
        Key = tensor.Shards[0].Key,
        Files = [.. tensor.Shards.Select(shard => _checkpoint.PathWithin(shard.File)).Distinct(StringComparer.Ordinal)],
    };

    private void Report(string file, long count)
    {
        _done += count;
        _progress?.Report(new ByteProgress(file, _done, _total));
    }
}
