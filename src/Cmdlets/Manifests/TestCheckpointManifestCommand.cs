using System.Management.Automation;

namespace Fairseq2Llama.Cmdlets;

/// <summary>Tests whether a checkpoint is what its manifest says: files, tensors compared with another checkpoint of any format, and who signed it.</summary>
[Cmdlet(VerbsDiagnostic.Test, "CheckpointManifest", DefaultParameterSetName = CheckpointSet)]
[OutputType(typeof(ManifestTestResult), typeof(bool))]
public sealed class TestCheckpointManifestCommand : TestCommand
{
    private ManifestTestOptions _options = new();

    /// <summary>A checkpoint of any format that should have the same tensors, its path, or a manifest. The data of a checkpoint is read, that of a manifest need not be there.</summary>
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

    /// <inheritdoc/>
    protected override void BeginProcessing()
    {
        base.BeginProcessing();

        if (KeyPath is not null && TrustedCertificatePath.Length > 0)
        {
            ThrowTerminatingError(ErrorRecords.Ambiguous("Either the owner of a key is trusted, or the certificates of an authority. Use -KeyPath or -TrustedCertificatePath."));
        }

        _options = FromArgument(() => WithOther(new ManifestTestOptions
        {
            ManifestPath = ManifestPath is null ? null : ResolveConfig(ManifestPath),
            Trust = KeyPath is not null ? SignatureTrust.InKey(ResolveKey(KeyPath), Stop)
                : TrustedCertificatePath.Length > 0 ? SignatureTrust.InRoots(TrustedCertificatePath.Select(ResolveKey), Stop)
                : null,
        }));
    }

    private protected override void Test(LlamaCheckpoint checkpoint) => Test(checkpoint.Name, progress => ManifestTest.Run(checkpoint, _options, progress, Stop));

    private protected override void Test(CheckpointAddress address) => Test(address.Text, progress => ManifestTest.Run(address, _options, progress, Stop));

    private ManifestTestOptions WithOther(ManifestTestOptions options) =>
        Against is null ? options
        : Against.Place is { } place && FindOne(place) is { } address && CheckpointManifests.IsManifest(address)
            ? options with { AgainstManifest = CheckpointManifests.Read(address, Stop) }
        : options with { Against = Get(Against) };

    private void Test(string name, Func<IProgress<ByteProgress>, ManifestTestResult> test)
    {
        using var progress = new ProgressBar(this, $"Testing {name}");
        var result = test(progress);

        WriteObject(Quiet ? result.Passed : result);
    }
}
