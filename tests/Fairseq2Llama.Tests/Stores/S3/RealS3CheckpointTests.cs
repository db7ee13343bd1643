using System.Globalization;
using Fairseq2Llama.Stores;
using Fairseq2Llama.Stores.Objects;
using Fairseq2Llama.Tests.Support;
using Fairseq2Llama.Tests.Support.S3;

namespace Fairseq2Llama.Tests.Stores.S3;

/// <inheritdoc/>
[External]
public sealed class RealS3CheckpointTests(RealS3 real) : AddressedCheckpointTests
{
    private static readonly ReferenceExportOptions Tiny = new() { Architecture = TinyModel.Architecture, ShardCount = 1 };

    private readonly string _prefix = real.NewPrefix();

    /// <summary>170 MB, of which the store copies nine tenths.</summary>
    [Fact]
    public void Unchanged_data_is_copied_inside_the_store()
    {
        using var local = new TempFolder();
        var options = new ReferenceExportOptions { Architecture = LargeStorages.Write(local, LargeStorages.CopyableInS3), ShardCount = 1, Verification = VerificationMode.Full };
        Export(local.Path, At("in"), new Fairseq2ExportOptions { Architecture = options.Architecture });

        CheckpointExport.Plan(CheckpointReader.Read(At("in"), cancellationToken: Token), At("out"), options, Token).Execute(cancellationToken: Token);

        Export(local.Path, local["out"], options);
        Assert.Equal(File.ReadAllBytes(local["out/consolidated.00.pth"]), FilesIn("out")["consolidated.00.pth"]);

        // Parts that are copied are much larger than those that are uploaded. The version of an object says how many it has.
        var found = new RemoteStore(real.Open(), real.Access).Find($"{_prefix}out/consolidated.00.pth", Token);
        var count = int.Parse(found!.Version.Trim('"').Split('-')[1], CultureInfo.InvariantCulture);
        Assert.InRange(count, 2, found.Length / (8 << 20) - 5);
    }

    [Fact]
    public void An_earlier_export_is_replaced()
    {
        Export(Repository.Case("fs2"), At("out"), Tiny with { ShardCount = 2, DType = DType.BFloat16 });

        Export(Repository.Case("fs2"), At("out"), Tiny with { Force = true });

        AssertIsExported(Repository.Case("fs2"), Tiny);
    }

    [Fact]
    public async Task Of_several_exports_at_once_one_wins()
    {
        var plans = Enumerable.Range(0, 4)
            .Select(_ => CheckpointExport.Plan(CheckpointReader.Read(Repository.Case("fs2"), cancellationToken: Token), At("out"), Tiny, Token))
            .ToArray();

        var errors = await Task.WhenAll(plans.Select(plan => Task.Run(() => Record.Exception(() => plan.Execute(cancellationToken: Token)))));

        Assert.Single(errors, error => error is null);
        Assert.All(errors.OfType<Exception>(), error => Assert.Equal(CheckpointErrorCode.OutputExists, Assert.IsType<CheckpointException>(error).Code));
        AssertIsExported(Repository.Case("fs2"), Tiny);
    }

    private protected override CheckpointAddress At(string key) => new($"s3://{real.Bucket.Host}/{_prefix}{key}", real.Access);

    private protected override void Put(string key, byte[] bytes) =>
        real.Open().PutAsync(_prefix + key, bytes, "test", replaces: null, Token).GetAwaiter().GetResult();

    private protected override IReadOnlyDictionary<string, byte[]> FilesIn(string key)
    {
        var folder = new ObjectFolder(new RemoteStore(real.Open(), StoreAccess.Default), _prefix + key, Token);
        return folder.FileNames.ToDictionary(name => name, name => WholeFile.Read(folder.SourceOf(name)));
    }

    private void AssertIsExported(string from, ExportOptions options)
    {
        using var local = new TempFolder();
        Export(from, local["out"], options);
        Assert.Equal(
            Support.CheckpointFolder.Snapshot(local["out"]).OrderBy(file => file.Key, StringComparer.Ordinal),
            FilesIn("out").Select(file => KeyValuePair.Create(file.Key, Convert.ToHexString(file.Value))).OrderBy(file => file.Key, StringComparer.Ordinal));
    }

    private static void Export(string from, CheckpointAddress to, ExportOptions options) =>
        CheckpointExport.Plan(CheckpointReader.Read(from, cancellationToken: Token), to, options, Token).Execute(cancellationToken: Token);
}
