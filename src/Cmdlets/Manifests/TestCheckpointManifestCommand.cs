using System.Management.Automation;

namespace Fairseq2Llama.Cmdlets;

/// <summary>Tests whether a checkpoint is what its manifest says: files, tensors compared with another checkpoint of any format, and who signed it.</summary>
[Cmdlet(VerbsDiagnostic.Test, "CheckpointManifest", DefaultParameterSetName = CheckpointSet)]
[OutputType(typeof(ManifestTestResult), typeof(bool))]
public sealed class TestCheckpointManifestCommand : StoreCmdlet
{
    private const string PathSet = "Path";
    private const string LiteralPathSet = "LiteralPath";
    private const string CheckpointSet = "Checkpoint";

    private LlamaCheckpoint? _against;
    private CheckpointManifest? _againstManifest;

    /// <summary>A checkpoint of any format.</summary>
    [Parameter(Mandatory = true, Position = 0, ValueFromPipeline = true, ParameterSetName = CheckpointSet)]
    public LlamaCheckpoint Checkpoint { get; set; } = null!;

    /// <summary>Paths of checkpoints, which may have wildcards. A checkpoint need not be readable.</summary>
    [Parameter(Mandatory = true, Position = 0, ValueFromPipeline = true, ParameterSetName = PathSet)]
    [SupportsWildcards]
    [PathTransformation]
    [ValidateNotNullOrEmpty]
    public PathArgument[] Path { get; set; } = [];

    /// <summary>Paths that are taken as they are.</summary>
    [Parameter(Mandatory = true, ValueFromPipelineByPropertyName = true, ParameterSetName = LiteralPathSet)]
    [Alias("PSPath", "FullName")]
    [ValidateNotNullOrEmpty]
    public string[] LiteralPath { get; set; } = [];

    /// <summary>A checkpoint of any format that should have the same tensors, its path, or the path of a manifest. The data of a checkpoint is read, that of a manifest need not be there.</summary>
    [Parameter]
    [ValidateNotNull]
    public CheckpointArgument? Against { get; set; }

    /// <summary>The manifest, if it is not beside the checkpoint.</summary>
    [Parameter]
    [ValidateNotNullOrEmpty]
    public string? ManifestPath { get; set; }

    /// <summary>The file of the public key that must have signed the checkpoint, or of a certificate of it, in PEM.</summary>
    [Parameter]
    [ValidateNotNullOrEmpty]
    public string? KeyPath { get; set; }

    /// <summary>Files of root certificates in PEM, to one of which the certificate of whoever signed must lead.</summary>
    [Parameter]
    [ValidateNotNullOrEmpty]
    public string[] TrustedCertificatePath { get; set; } = [];

    /// <summary>Gets only true or false: whether nothing found is an error.</summary>
    [Parameter]
    public SwitchParameter Quiet { get; set; }

    /// <inheritdoc/>
    protected override void BeginProcessing()
    {
        if (KeyPath is not null && TrustedCertificatePath.Length > 0)
        {
            ThrowTerminatingError(ErrorRecords.Ambiguous("Either the owner of a key is trusted, or the certificates of an authority. Use -KeyPath or -TrustedCertificatePath."));
        }

        if (Against is not null)
        {
            FromArgument(() => FindOther(Against));
        }
    }

    /// <inheritdoc/>
    protected override void ProcessRecord()
    {
        if (ParameterSetName == CheckpointSet)
        {
            PerItem(() => Test(Checkpoint.Name, (options, progress) => ManifestTest.Run(Checkpoint, options, progress, Stop)));
            return;
        }

        PerPath([.. Path, .. LiteralPath.Select(PathArgument.Literal)], address => Test(address.Text, (options, progress) => ManifestTest.Run(address, options, progress, Stop)));
    }

    /// <inheritdoc/>
    protected override void EndProcessing()
    {
        base.EndProcessing();
        WarnIfNothingWasPiped("test");
    }

    private bool FindOther(CheckpointArgument argument)
    {
        if (argument.Place is { } place && FindOne(place) is { } address && CheckpointManifests.IsManifest(address))
        {
            _againstManifest = CheckpointManifests.Read(address, Stop);
        }
        else
        {
            _against = Get(argument);
        }

        return true;
    }

    private void Test(string name, Func<ManifestTestOptions, IProgress<ByteProgress>, ManifestTestResult> test)
    {
        using var progress = new ProgressBar(this, $"Testing {name}");

        var result = test(
            new ManifestTestOptions
            {
                ManifestPath = ManifestPath is null ? null : ResolveConfig(ManifestPath),
                Against = _against,
                AgainstManifest = _againstManifest,
                Trust = Trust,
            },
            progress);

        WriteObject(Quiet ? result.Passed : result);
    }

    private SignatureTrust? Trust => KeyPath is null && TrustedCertificatePath.Length == 0
        ? null
        : new SignatureTrust { KeyPath = KeyPath is null ? null : ResolveKey(KeyPath), RootPaths = [.. TrustedCertificatePath.Select(ResolveKey)] };
}
