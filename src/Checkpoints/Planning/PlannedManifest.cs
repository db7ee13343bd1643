using System.Collections.Immutable;
using Fairseq2Llama.Manifests;

namespace Fairseq2Llama.Planning;

/// <summary>The manifest of an export, which is written last, when all bytes have passed.</summary>
internal sealed class PlannedManifest : PlannedFile
{
    private readonly string _name;
    private readonly CheckpointFormat _format;
    private readonly OutputFiles _output;
    private readonly ImmutableArray<RecordedTensor> _tensors;
    private readonly ManifestSource _source;
    private readonly ImmutableSortedDictionary<string, string> _options;
    private readonly HashSet<PlannedFile> _inPlace;

    /// <param name="name">The name of the checkpoint.</param>
    /// <param name="output">All of its files.</param>
    /// <param name="model">What they are made from.</param>
    /// <param name="format">Their format.</param>
    /// <param name="options">The options of the export.</param>
    public PlannedManifest(string name, OutputFiles output, ExportedModel model, OutputFormat format, ExportOptions options)
        : base(ManifestNames.For(format.Folder.Stem))
    {
        _name = name;
        _format = format.Format;
        _output = output;
        _inPlace = [.. output.InPlace.Select(check => check.File)];
        _tensors = RecordedTensor.Of(output, model, format.Convention);
        _source = DescribeSource(model.Checkpoint);
        _options = options.Recorded;
        var expected = Make(_ => HexDigest.Zero, _ => HexDigest.Zero, _ => HexDigest.Zero);
        Length = ManifestStatement.Write(expected).Length;
        Summary = $"SHA-256 of {Quantity.Of(expected.Files.Length, "file")} and {Quantity.Of(expected.Tensors.Length, "tensor")}";
        Work = Length
            + _inPlace.Sum(file => file.Length)
            + _tensors.Where(tensor => ManifestRecorder.NeedsReading(tensor, _inPlace)).Sum(tensor => tensor.SizeInBytes);
    }

    public override long Length { get; }

    public override string Summary { get; }

    internal override WritePhase Phase => WritePhase.Manifest;

    internal override long Work { get; }

    /// <summary>What is read for it that would not be read otherwise, in sentences.</summary>
    public IEnumerable<string> Reasons
    {
        get
        {
            if (_tensors.Any(tensor => tensor.Pieces.Any(piece => piece.Tensor.Storage.IsShareable)))
            {
                yield return "For the manifest, data that the file system or the store takes over from the input is read, too.";
            }

            if (_inPlace.Count > 0)
            {
                yield return $"For the manifest, {Quantity.Of(_inPlace.Count, "file")} of other jobs {(_inPlace.Count == 1 ? "is" : "are")} read.";
            }

            if (_tensors.Count(tensor => ManifestRecorder.NeedsReading(tensor, _inPlace)) is > 0 and var count)
            {
                yield return $"For the manifest, {Quantity.Of(count, "tensor")} {(count == 1 ? "is" : "are")} read again, because the files are not written in the order of the hash.";
            }
        }
    }

    /// <summary>Begins to hash what is written.</summary>
    public ManifestRecorder Begin(CancellationToken cancellationToken) => new(_output, _tensors, cancellationToken);

    internal override WrittenFileCheck? Write(WriteContext context)
    {
        var recorder = context.Recorder!;
        recorder.Complete(context);
        context.Write(this, ManifestStatement.Write(Make(recorder.HashOf, recorder.HashOf, recorder.HashOfInput)));
        return null;
    }

    private CheckpointManifest Make(Func<PlannedFile, string> hashOfFile, Func<RecordedTensor, string> hashOf, Func<RecordedTensor, string> hashOfInput)
    {
        ImmutableArray<ManifestTensor> tensors = [.. _tensors.Select(tensor => Describe(tensor, hashOf(tensor), hashOfInput(tensor)))];

        return new CheckpointManifest(_name, _format, [.. _output.OfCheckpoint.Select(file => new ManifestFile(file.Name, file.Length, hashOfFile(file)))], TiedTensor.AddTo(tensors))
        {
            Source = _source with
            {
                ModelSha256 = ModelHash.Of(TiedTensor.AddTo(tensors).Select(tensor => (tensor.Name, tensor.Source?.DType ?? tensor.DType, tensor.Shape, tensor.Source?.Sha256 ?? tensor.Sha256))),
            },
            Options = _options,
        };
    }

    private static ManifestTensor Describe(RecordedTensor tensor, string hash, string hashOfInput) => new(tensor.Name, tensor.DType, tensor.Shape, hash)
    {
        Key = tensor.Pieces[0].Tensor.Name,
        Files = [.. tensor.Pieces.Select(piece => piece.File.Name)],
        Source = new ManifestTensorSource(tensor.Input.Name, tensor.Input.DType, hashOfInput)
        {
            Files = [.. tensor.Input.Shards.Where(shard => shard.IsStored).Select(shard => tensor.Input.Owner.PathWithin(shard.File)).Distinct(StringComparer.Ordinal)],
            Crc32 = tensor.Crc32,
            Changes = tensor.Changes,
        },
    };

    private static ManifestSource DescribeSource(LlamaCheckpoint checkpoint) => new(checkpoint.Name, checkpoint.Format, HexDigest.Zero)
    {
        Address = checkpoint.MadeFrom.IsEmpty ? AddressOf(checkpoint.Path) : null,
        Files = FilesOf(checkpoint),
        Inputs = InputsOf(checkpoint),
    };

    private static ImmutableArray<ManifestInput> InputsOf(LlamaCheckpoint checkpoint) =>
    [
        .. from source in checkpoint.MadeFrom
           select new ManifestInput(source.Name, source.Role)
           {
               Weight = source.Weight,
               Address = source.Checkpoint is { MadeFrom.IsEmpty: false } ? null : AddressOf(source.Path),
               Files = source.Checkpoint is { } input ? FilesOf(input) : [.. source.Files.Select(file => new CheckpointContent(file.Name, file).DescribeInput())],
               Inputs = source.Checkpoint is { } merged ? InputsOf(merged) : [],
           },
    ];

    private static string? AddressOf(string path) => CheckpointAddress.IsOfStore(path) ? path : null;

    private static ImmutableArray<ManifestFile> FilesOf(LlamaCheckpoint checkpoint) =>
        checkpoint.MadeFrom.IsEmpty ? [.. CheckpointContent.FilesOf(checkpoint).Select(file => file.DescribeInput())] : [];
}
