using System.Management.Automation;
using System.Security;

namespace Fairseq2Llama.Cmdlets;

/// <summary>Writes a manifest beside a checkpoint: the hashes of its files and tensors. With a key, it also signs all files in OpenSSF's format for models.</summary>
[Cmdlet(VerbsCommon.New, "CheckpointManifest", DefaultParameterSetName = UnsignedSet, SupportsShouldProcess = true)]
[OutputType(typeof(CheckpointManifest))]
public sealed class NewCheckpointManifestCommand : StoreCmdlet, IDisposable
{
    private const string UnsignedSet = "Unsigned";
    private const string SignedSet = "Signed";

    private CheckpointSigner? _signer;

    /// <summary>Checkpoints of any format, or their paths, which may have wildcards.</summary>
    [Parameter(Mandatory = true, Position = 0, ValueFromPipeline = true)]
    [Alias("Path")]
    [SupportsWildcards]
    [ValidateNotNullOrEmpty]
    public CheckpointArgument[] Checkpoint { get; set; } = [];

    /// <summary>The file of a private key on the elliptic curve P-256, P-384 or P-521, in PEM. Writes model.sig.</summary>
    [Parameter(Mandatory = true, ParameterSetName = SignedSet)]
    [ValidateNotNullOrEmpty]
    public string KeyPath { get; set; } = "";

    /// <summary>The password of the private key, if it is encrypted.</summary>
    [Parameter(ParameterSetName = SignedSet)]
    [ValidateNotNull]
    public SecureString? KeyPassword { get; set; }

    /// <summary>Files of certificates in PEM: first that of the key, then those that lead from it to its root. Verifiers then need only the root.</summary>
    [Parameter(ParameterSetName = SignedSet)]
    [ValidateNotNullOrEmpty]
    public string[] CertificatePath { get; set; } = [];

    /// <summary>Replaces a manifest and a signature that are there.</summary>
    [Parameter]
    public SwitchParameter Force { get; set; }

    /// <inheritdoc/>
    protected override void BeginProcessing()
    {
        if (ParameterSetName == SignedSet)
        {
            _signer = FromArgument(() => CheckpointSigner.Open(ResolveKey(KeyPath), KeyPassword, [.. CertificatePath.Select(ResolveKey)], Stop));
        }
    }

    /// <inheritdoc/>
    protected override void ProcessRecord() => PerCheckpoint(Checkpoint, Create);

    /// <inheritdoc/>
    protected override void EndProcessing()
    {
        base.EndProcessing();
        WarnIfNothingWasPiped("describe");
    }

    /// <inheritdoc/>
    public void Dispose() => _signer?.Dispose();

    private void Create(LlamaCheckpoint checkpoint)
    {
        var options = new ManifestOptions { Access = Access, Force = Force, Signer = _signer };
        var paths = CheckpointManifests.PathsFor(checkpoint, options);
        var what = paths.Length > 1 ? "the manifest and the signature" : _signer is null ? "the manifest" : "the signature";

        if (ShouldProcess(Display.Text(string.Join(", ", paths)), Display.Text($"Write {what} of '{checkpoint.Name}'")))
        {
            using var progress = new ProgressBar(this, $"Hashing {checkpoint.Name}");
            WriteObject(CheckpointManifests.Create(checkpoint, options, progress, Stop));
        }
    }
}
