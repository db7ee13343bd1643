using Fairseq2Llama.Tests.Support;
using Fairseq2Llama.Tests.Support.S3;

namespace Fairseq2Llama.Tests.Stores.S3;

/// <inheritdoc/>
public sealed class S3CheckpointTests : AddressedCheckpointTests
{
    private readonly S3Server _server = new();

    private protected override CheckpointAddress At(string key) => new($"s3://bucket/{key}", _server.Access);

    private protected override void Put(string key, byte[] bytes) => _server.Bucket("bucket").Put(key, bytes);

    private protected override IReadOnlyDictionary<string, byte[]> FilesIn(string key) => _server.Bucket("bucket").Objects
        .Where(item => item.Key.StartsWith(key + '/', StringComparison.Ordinal)).ToDictionary(item => item.Key[(key.Length + 1)..], item => item.Value.Bytes);

    /// <summary>What a store can copy does not pass through this machine. S3 copies no less than 5 MiB, so that much of each storage goes with what is before it.</summary>
    [Fact]
    public void Unchanged_data_is_copied_inside_the_store()
    {
        using var local = new TempFolder();
        var options = new ReferenceExportOptions { Architecture = LargeStorages.Write(local, LargeStorages.CopyableInS3), ShardCount = 1 };
        PutFolder(local.Path, "in");
        var stored = CheckpointReader.Read(At("in"), cancellationToken: Token);
        _server.ResetCounts();

        CheckpointExport.Plan(stored, At("out"), options, Token).Execute(cancellationToken: Token);

        var (sent, received) = (_server.Calls.Sum(call => call.Sent), _server.Calls.Sum(call => call.Received));
        CheckpointExport.Plan(CheckpointReader.Read(local.Path, cancellationToken: Token), local["out"], options, Token).Execute(cancellationToken: Token);
        Assert.Equal(File.ReadAllBytes(local["out/consolidated.00.pth"]), FilesIn("out")["consolidated.00.pth"]);
        Assert.InRange(sent, 1, stored.SizeInBytes / 4);
        Assert.InRange(received, 1, stored.SizeInBytes / 4);
    }

    /// <summary>As with Ctrl+C: nobody waits for the store, and nothing stays that it has been given.</summary>
    [Theory]
    [InlineData((int)S3Operation.List)]
    [InlineData((int)S3Operation.Get)]
    [InlineData((int)S3Operation.Put)]
    [InlineData((int)S3Operation.Begin)]
    [InlineData((int)S3Operation.Upload)]
    [InlineData((int)S3Operation.Complete)]
    public void A_silent_store_does_not_keep_an_export_from_being_stopped(int silent)
    {
        using var local = new TempFolder();
        var options = new ReferenceExportOptions { Architecture = LargeStorages.Write(local, LargeStorages.CopyableInS3), ShardCount = 1, DType = DType.BFloat16 };
        PutFolder(local.Path, "in");
        using var stop = new CancellationTokenSource();
        var isReading = (S3Operation)silent is S3Operation.List or S3Operation.Get;
        _server.Fault = call =>
        {
            if (call.Operation != (S3Operation)silent || call.Key.StartsWith(isReading ? "in" : "out", StringComparison.Ordinal) is false)
            {
                return null;
            }

            stop.Cancel();
            return S3Fault.Silence;
        };

        Assert.ThrowsAny<OperationCanceledException>(() =>
            CheckpointExport.Plan(CheckpointReader.Read(At("in"), cancellationToken: stop.Token), At("out"), options, stop.Token).Execute(cancellationToken: stop.Token));

        Assert.Empty(FilesIn("out"));
        Assert.Empty(_server.Bucket("bucket").Uploads);
    }

    public override void Dispose()
    {
        _server.Dispose();
        base.Dispose();
    }
}
