using System.Collections.Immutable;
using Fairseq2Llama.Conversion;
using Fairseq2Llama.Planning;
using Fairseq2Llama.Stores;
using Fairseq2Llama.Transfer;

namespace Fairseq2Llama;

/// <summary>
/// What a conversion will do, complete and checked, before the first byte is written. Make one with <see cref="CheckpointExport"/>
/// and carry it out with <see cref="Execute"/>.
/// </summary>
public sealed class ConversionPlan
{
    internal ConversionPlan(
        IExportDestination destination, LlamaArchitecture architecture, OutputFiles output, OutputFormat format, VerificationMode verification)
    {
        Destination = destination;
        Architecture = architecture;
        Output = output;
        Format = format;
        Verification = verification;
    }

    /// <summary>The folder that will hold the files.</summary>
    public string DestinationPath => Destination.Folder.Path;

    /// <summary>The architecture that the result has.</summary>
    public LlamaArchitecture Architecture { get; }

    /// <summary>
    /// The reasons for its decisions, one sentence each: where the architecture comes from, whether the output is tied, how many files it becomes.
    /// </summary>
    public ImmutableArray<string> Reasons { get; internal init; } = [];

    /// <summary>The files to be written.</summary>
    public ImmutableArray<PlannedFile> Files => Output.Planned;

    /// <summary>The number of files that the weights are divided into, whether or not all of them are among <see cref="Files"/>.</summary>
    public int ShardCount => Output.ShardCount;

    /// <summary>The tensor files of this job, if other jobs write the others; otherwise empty.</summary>
    public ImmutableArray<ExportedShard> Shards => Output.Shards;

    /// <summary>How much will be checked.</summary>
    public VerificationMode Verification { get; }

    /// <summary>The policy for <see cref="Verification"/>.</summary>
    internal VerificationPolicy Policy => VerificationPolicy.Of(Verification);

    /// <summary>Files in the destination that will be replaced.</summary>
    public ImmutableArray<string> ReplacedFiles { get; internal init; } = [];

    /// <summary>Files of an earlier export in the destination that will be removed, because readers would take them for part of this one: more shards, a checklist.</summary>
    public ImmutableArray<string> StaleFiles { get; internal init; } = [];

    /// <summary>Whether the files are flushed to the disk before they are put in place.</summary>
    public bool Flush { get; internal init; }

    /// <summary>Warnings for the user.</summary>
    public ImmutableArray<string> Warnings { get; internal init; } = [];

    /// <summary>The destination.</summary>
    internal IExportDestination Destination { get; }

    /// <summary>The changes to the destination.</summary>
    internal FolderChange Change => new()
    {
        Placed = [.. Files.Select(file => file.Name)],
        Replaced = ReplacedFiles,
        Stale = StaleFiles,
        Consumed = Output.Consumed,
        CommitMarker = Output.CommitMarker,
        OwnsFolder = Folder.OwnsFolder,
        Shards = Output.ShardIndex,
        Flush = Flush,
        ReadsBack = Policy.ReadsBack,
        Space = Output.Space,
        RequireAsPlanned = () => DestinationFolder.RequireAsPlanned(this),
    };

    /// <summary>Whether everything is there already, as where a job runs again.</summary>
    public bool IsDone => Files.IsEmpty && Output.InPlace.IsEmpty;

    /// <summary>The files, and what other jobs write beside them.</summary>
    internal OutputFiles Output { get; }

    /// <summary>The meaning of file names in the destination.</summary>
    internal FolderRules Folder => Format.Folder;

    /// <summary>The format that is written.</summary>
    internal OutputFormat Format { get; }

    /// <summary>Tensors with a copy in several input files, of which only one is used. The copies must be the same.</summary>
    internal ImmutableArray<CheckpointTensor> ReplicatedTensors { get; init; } = [];

    /// <summary>Bytes of all files.</summary>
    public long Length => Files.Sum(file => file.Length);

    /// <summary>Each tensor's old and new name, a line each, by file.</summary>
    public IEnumerable<string> DescribeTensors() =>
        from file in Files.OfType<PlannedTensorFile>()
        from tensor in file.Tensors
        let input = tensor.Storage.IsCast ? $"{tensor.Storage.InputDType.GetTorchName()} -> " : ""
        select $"{file.Name}: {tensor.SourceName} -> {tensor.Name} ({input}{tensor.DType.GetTorchName()} {tensor.Shape})";

    /// <summary>
    /// Writes the files and puts them in place together. On any failure and on cancellation, the destination is unchanged. If the
    /// process is killed, the destination is unchanged, too, or the next export to it finishes putting the files in place.
    /// A store replaces files one by one: after a failure between the first of them and the last, nothing of either export can be read.
    /// </summary>
    /// <param name="progress">Told after every chunk, on the calling thread.</param>
    /// <param name="cancellationToken">Stops it within a chunk's time.</param>
    /// <returns>Warnings that only reading the data reveals: numbers that became Inf in a cast.</returns>
    /// <exception cref="CheckpointException">An input is damaged or changed, or can't be read; or the output can't be written.</exception>
    /// <exception cref="OperationCanceledException">It was cancelled.</exception>
    public ImmutableArray<CheckpointFinding> Execute(IProgress<ByteProgress>? progress = null, CancellationToken cancellationToken = default) =>
        new PlanWriter(this, progress, cancellationToken).Run();

    /// <summary>The exported checkpoint, after the plan was carried out.</summary>
    /// <param name="cancellationToken">Stops reading its index.</param>
    /// <exception cref="CheckpointException">It can't be read, as after a job that has written only some of the <see cref="Shards"/>.</exception>
    public LlamaCheckpoint OpenResult(CancellationToken cancellationToken = default) => Format.Open(Destination.Folder, Architecture, Output, cancellationToken);
}
