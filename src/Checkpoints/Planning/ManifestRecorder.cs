using System.Collections.Concurrent;
using System.Collections.Immutable;
using Fairseq2Llama.Dependencies;
using Fairseq2Llama.Manifests.Hashing;
using Fairseq2Llama.Stores;
using Fairseq2Llama.Tensors;

namespace Fairseq2Llama.Planning;

/// <summary>Hashes the files and the tensors of an export while they are written, and reads what does not pass by.</summary>
internal sealed class ManifestRecorder : IDisposable
{
    private readonly CancellationToken _cancellationToken;
    private readonly HashLanes _lanes;
    private readonly Dictionary<PlannedFile, FileHash> _files = [];
    private readonly Dictionary<PlannedStorage, RecordedHashes> _tensors = [];
    private readonly ConcurrentDictionary<PlannedStorage, ChunkSink> _beforeCast = [];
    private readonly List<StorageInPlace> _inPlace = [];

    /// <param name="output">All files of the checkpoint.</param>
    /// <param name="tensors">All tensors in them.</param>
    /// <param name="cancellationToken">Stops it.</param>
    public ManifestRecorder(OutputFiles output, ImmutableArray<RecordedTensor> tensors, CancellationToken cancellationToken)
    {
        var inPlace = output.InPlace.Select(check => (PlannedFile)check.File).ToHashSet();
        _cancellationToken = cancellationToken;
        _lanes = new HashLanes(cancellationToken);
        var taps = output.OfCheckpoint.ToDictionary(file => file, _ => new List<FileTap>());

        // Tied weights are several tensors on one storage.
        foreach (var tensor in tensors.DistinctBy(tensor => tensor.Pieces[0].Tensor.Storage))
        {
            var isRead = NeedsReading(tensor, inPlace);
            var hashes = _tensors[tensor.Pieces[0].Tensor.Storage] = new RecordedHashes(tensor, isRead);

            foreach (var piece in isRead ? [] : tensor.Distinct)
            {
                var storage = piece.Tensor.Storage;
                taps[piece.File].Add(new FileTap(piece.Offset, storage.Length, hashes.Output));

                if (hashes.Input is { } input)
                {
                    _beforeCast[storage] = chunk => AppendInput(input, chunk);
                }
            }
        }

        foreach (var (check, placed) in from check in output.InPlace from placed in check.File.Layout.Storages where placed.Storage.Length > 0 select (check, placed))
        {
            var storage = new StorageInPlace(check, placed.Storage);
            _inPlace.Add(storage);
            taps[check.File].Add(new FileTap(placed.Offset, placed.Storage.Length, storage, IsOfInput: true));
        }

        foreach (var (file, ofFile) in taps)
        {
            _files[file] = new FileHash(file.Name, file.Length, ofFile, _lanes);
        }
    }

    /// <summary>Whether a tensor has to be read once more: its bytes do not come in the canonical order or, before a cast, not at all.</summary>
    public static bool NeedsReading(RecordedTensor tensor, IReadOnlySet<PlannedFile> inPlace) =>
        !tensor.ComesInOrder || (tensor.IsCast && tensor.Distinct.Any(piece => inPlace.Contains(piece.File)));

    /// <summary>Hashes a file while it is written.</summary>
    public IFileSink Watch(PlannedFile file, IFileSink sink) => _files.TryGetValue(file, out var hash) ? new HashedSink(sink, hash) : sink;

    /// <summary>Who wants the bytes of a storage before a cast.</summary>
    public ChunkSink? BeforeCast(PlannedStorage storage) => _beforeCast.GetValueOrDefault(storage);

    /// <summary>Reads what did not pass by, and waits until everything is hashed.</summary>
    /// <exception cref="CheckpointException">An input is damaged or changed, or a file of the result can't be read.</exception>
    public void Complete(WriteContext context)
    {
        foreach (var (file, hash) in _files.Where(pair => context.InPlace.Has(pair.Key)))
        {
            WholeFile.ReadPieces(
                context.SourceOf(file),
                piece =>
                {
                    hash.Append(piece);
                    context.Report(piece.Length);
                },
                _cancellationToken);
        }

        RecordedHashes[] unread = [.. _tensors.Values.Where(hashes => hashes.IsRead)];
        var workers = context.MakeWorkers();
        workers.Run(unread, isParallel: true, (hashes, cancellationToken) => Read(hashes, context, workers.Done, cancellationToken));
        _lanes.Complete();

        if (context.Verification.ComparesChecksums)
        {
            _inPlace.ForEach(storage => storage.Require());
        }
    }

    /// <summary>The hash of a file, once <see cref="Complete"/> has returned.</summary>
    public string HashOf(PlannedFile file) => _files[file].Value;

    /// <summary>The hash of a tensor as it is written, once <see cref="Complete"/> has returned.</summary>
    public string HashOf(RecordedTensor tensor) => _tensors[tensor.Pieces[0].Tensor.Storage].Output.Value;

    /// <summary>The hash of a tensor as it is read, once <see cref="Complete"/> has returned.</summary>
    public string HashOfInput(RecordedTensor tensor) => _tensors[tensor.Pieces[0].Tensor.Storage] is var hashes && hashes.Input is { } input ? input.Value : hashes.Output.Value;

    public void Dispose()
    {
        _lanes.Dispose();

        foreach (var file in _files.Values)
        {
            file.Dispose();
        }

        foreach (var hashes in _tensors.Values)
        {
            hashes.Output.Dispose();
            hashes.Input?.Dispose();
        }
    }

    private void AppendInput(TensorHash hash, ReadOnlySpan<byte> bytes)
    {
        while (!bytes.IsEmpty)
        {
            var count = Math.Min(bytes.Length, HashLanes.ChunkSize);
            using var chunk = _lanes.Copy(bytes[..count]);
            _lanes.Inputs.Add(chunk, ..count, hash);
            bytes = bytes[count..];
        }
    }

    private void Read(RecordedHashes hashes, WriteContext context, Action<long> done, CancellationToken cancellationToken)
    {
        var storage = hashes.Tensor.ToStorage();

        if (hashes.Input is { } input)
        {
            _beforeCast[storage] = chunk => input.Append(chunk);
        }

        context.Copier.Copy(
            storage,
            chunk =>
            {
                hashes.Output.Append(chunk);
                done(chunk.Length);
            },
            cancellationToken);
    }

    /// <param name="tensor">The tensor.</param>
    /// <param name="isRead">Whether it is read once more, in the canonical order.</param>
    private sealed class RecordedHashes(RecordedTensor tensor, bool isRead)
    {
        private readonly int? _headDim = isRead ? null : tensor.HalfSplitHeadDim;

        public RecordedTensor Tensor => tensor;

        public bool IsRead => isRead;

        public TensorHash Output => field ??= new TensorHash(tensor.Name, tensor.DType, tensor.Shape, _headDim);

        public TensorHash? Input => tensor.IsCast ? field ??= new TensorHash(tensor.Name, tensor.Input.DType, tensor.Shape, _headDim) : null;
    }

    /// <summary>Data that a job has written. A manifest must not vouch for what was damaged since.</summary>
    private sealed class StorageInPlace(WrittenFileCheck check, PlannedStorage storage) : IHashTarget
    {
        private readonly IChecksum _crc = ThirdParty.CreateCrc32();

        public void Append(ReadOnlySpan<byte> bytes) => _crc.Append(bytes);

        /// <exception cref="CheckpointException">It is damaged.</exception>
        public void Require() => check.CompareData(storage, _crc.GetAndReset());
    }
}
