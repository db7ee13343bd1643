using System.Management.Automation;
using System.Security;

namespace Fairseq2Llama.Cmdlets;

/// <summary>A command that finds checkpoints by their addresses: paths of PowerShell, or addresses in object stores and on web servers.</summary>
public abstract class StoreCmdlet : CheckpointCmdlet
{
    private readonly List<CheckpointAddress> _listed = [];
    private Action<CheckpointAddress>? _workOnListed;
    private int _outdatedCount;
    private StoreAccess? _access;

    /// <summary>A shared access signature for Azure Blob Storage, if the address does not contain one.</summary>
    [Parameter]
    [ValidateNotNull]
    public SecureString? SasToken { get; set; }

    /// <summary>The profile of the AWS configuration to use for S3.</summary>
    [Parameter]
    [ValidateNotNullOrEmpty]
    public string? ProfileName { get; set; }

    /// <summary>The AWS region of the bucket.</summary>
    [Parameter]
    [ValidateNotNullOrEmpty]
    public string? Region { get; set; }

    /// <summary>The address of a service that speaks the protocol of S3, or of another endpoint of Azure Blob Storage.</summary>
    [Parameter]
    [ValidateHttpAddress]
    public Uri? EndpointUrl { get; set; }

    /// <summary>How many requests for data run at the same time.</summary>
    [Parameter]
    [ValidateRange(1, 256)]
    public int ThrottleLimit { get; set; } = StoreAccess.Default.ThrottleLimit;

    /// <summary>How many bytes a request to a store asks for at most.</summary>
    [Parameter]
    [ValidateRange(1 << 16, 1 << 30)]
    public int RangeSize { get; set; } = StoreAccess.Default.RangeSize;

    /// <summary>The architecture of what is read, if the user names it.</summary>
    private protected virtual LlamaArchitecture? ReadArchitecture => null;

    private protected StoreAccess Access => _access ??= new StoreAccess
    {
        SasToken = SasToken,
        ProfileName = ProfileName,
        Region = Region,
        EndpointUrl = EndpointUrl,
        ThrottleLimit = ThrottleLimit,
        RangeSize = RangeSize,
    };

    /// <summary>
    /// Does the work for the checkpoints of files that were listed. A listing of a store has no folders, so all of its files have to be known before they are
    /// checkpoints.
    /// </summary>
    protected override void EndProcessing()
    {
        if (_outdatedCount > 0)
        {
            WriteWarning($"Snapshots, earlier versions and deleted files are skipped ({_outdatedCount}). Only the current version of a file is read.");
        }

        foreach (var address in CheckpointListing.Find(_listed))
        {
            PerItem(() => _workOnListed!(address));
        }
    }

    /// <summary>Does the work for each address that arguments stand for; at the end of the pipeline for those of listed files.</summary>
    /// <param name="given">Paths of PowerShell, addresses in stores, or listed files.</param>
    /// <param name="work">The work.</param>
    private protected void PerPath(IEnumerable<PathArgument> given, Action<CheckpointAddress> work)
    {
        foreach (var argument in given)
        {
            PerItem(() =>
            {
                if (argument.File is { } file)
                {
                    Collect(file, work);
                    return;
                }

                foreach (var address in Resolve(argument))
                {
                    PerItem(() => work(address));
                }
            });
        }
    }

    /// <summary>Does the work for each checkpoint that arguments stand for.</summary>
    /// <param name="given">Checkpoints, or their addresses, which are read.</param>
    /// <param name="work">The work.</param>
    private protected void PerCheckpoint(IEnumerable<CheckpointArgument> given, Action<LlamaCheckpoint> work)
    {
        foreach (var argument in given)
        {
            RequireCheckpoint(argument);

            if (argument.Checkpoint is { } checkpoint)
            {
                PerItem(() => work(checkpoint));
            }
            else
            {
                PerPath([argument.Place!], address => work(Read(address)));
            }
        }
    }

    /// <summary>Gets the one checkpoint that an argument stands for.</summary>
    /// <exception cref="CheckpointException">There is none, or there are several, or it can't be read.</exception>
    private protected LlamaCheckpoint Get(CheckpointArgument argument)
    {
        RequireCheckpoint(argument);

        return argument.Checkpoint ?? (Resolve(argument.Place!) is [var address]
            ? Read(address)
            : throw new CheckpointException(
                CheckpointErrorCode.CheckpointNotFound, $"Several files and folders match '{argument}'. Give the path of one checkpoint.", $"{argument}"));
    }

    /// <summary>Reads a checkpoint, and writes its warnings.</summary>
    /// <param name="address">Where it is.</param>
    /// <param name="read">The reader; by default, the one for any format.</param>
    /// <exception cref="CheckpointException">There is none, or it can't be read.</exception>
    private protected LlamaCheckpoint Read(CheckpointAddress address, Func<CheckpointAddress, LlamaCheckpoint>? read = null)
    {
        LlamaCheckpoint checkpoint;

        try
        {
            checkpoint = read is null ? CheckpointReader.Read(address, new CheckpointReadOptions { Architecture = ReadArchitecture, Log = WriteVerbose }, Stop) : read(address);
        }
        catch (CheckpointException e)
        {
            throw ReadErrors.Explain(e, address, Stop);
        }

        foreach (var warning in checkpoint.Warnings)
        {
            WriteWarning(warning);
        }

        var told = checkpoint.Architecture is { } architecture
            ? $"the architecture is {Display.Architecture(architecture)}."
            : "no file beside them describes the architecture.";

        WriteVerbose($"'{checkpoint.Path}': {Display.Count(checkpoint.Tensors.Length, "tensor")} in {string.Join(", ", checkpoint.Files)}; {told}");
        return checkpoint;
    }

    /// <summary>Writes a merged checkpoint and its warnings.</summary>
    private protected void WriteMerged(MergedCheckpoint merged)
    {
        foreach (var warning in merged.Warnings)
        {
            WriteWarning(warning);
        }

        WriteObject(merged);
    }

    /// <summary>A folder to write into, which need not exist.</summary>
    /// <exception cref="CheckpointException">It is on no drive of the file system, and in no store.</exception>
    private protected CheckpointAddress ResolveDestination(string path) =>
        CheckpointAddress.IsOfStore(path) ? new CheckpointAddress(path, Access) : PathResolution.ResolveDestination(this, path);

    /// <summary>A folder or file of a tokenizer.</summary>
    /// <exception cref="CheckpointException">It is on no drive of the file system, and in no store.</exception>
    private protected CheckpointAddress ResolveTokenizer(string path) =>
        CheckpointAddress.IsOfStore(path) ? new CheckpointAddress(path, Access) : PathResolution.ResolveTokenizer(this, path);

    /// <summary>A file that describes a model, or the folder that it is in.</summary>
    /// <exception cref="CheckpointException">It is on no drive of the file system, and in no store.</exception>
    private protected CheckpointAddress ResolveConfig(string path) =>
        CheckpointAddress.IsOfStore(path) ? new CheckpointAddress(path, Access) : PathResolution.ResolveConfig(this, path);

    /// <summary>The folder or file of an adapter.</summary>
    /// <exception cref="CheckpointException">It is on no drive of the file system, and in no store.</exception>
    private protected CheckpointAddress ResolveAdapter(string path) =>
        CheckpointAddress.IsOfStore(path) ? new CheckpointAddress(path, Access) : PathResolution.ResolveAdapter(this, path);

    /// <summary>A file of a key or of certificates.</summary>
    /// <exception cref="CheckpointException">It is on no drive of the file system, and in no store.</exception>
    private protected CheckpointAddress ResolveKey(string path) =>
        CheckpointAddress.IsOfStore(path) ? new CheckpointAddress(path, Access) : PathResolution.ResolveKey(this, path);

    /// <summary>The one file or folder that a path stands for; null if it stands for several.</summary>
    /// <exception cref="CheckpointException">There is none.</exception>
    private protected CheckpointAddress? FindOne(PathArgument place) => Resolve(place) is [var only] ? only : null;

    private void RequireCheckpoint(CheckpointArgument argument)
    {
        if (argument.Given is TensorComparison)
        {
            ThrowTerminatingError(ErrorRecords.Ambiguous(
                "The pipeline holds comparisons of tensors, not checkpoints. For a report of a comparison, use Compare-LlamaCheckpoint with -Summary."));
        }
    }

    private void Collect(ListedFile file, Action<CheckpointAddress> work)
    {
        if (!file.IsCurrent)
        {
            _outdatedCount++;
            return;
        }

        _listed.Add(file.At(Access));
        _workOnListed = work;
    }

    private CheckpointAddress[] Resolve(PathArgument argument) => argument switch
    {
        { File: { } file } => [.. CheckpointListing.Find([file.At(Access)])],
        { Path: var path } when CheckpointAddress.IsOfStore(path) => [new CheckpointAddress(path, Access)],
        _ => [.. CheckpointListing.WithoutParts([.. this.ResolvePath(argument.Path, argument.IsLiteral).Select(resolved => new CheckpointAddress(resolved))])],
    };
}
