using System.Globalization;
using Fairseq2Llama.Stores.Http;
using Fairseq2Llama.Stores.Objects;
using Fairseq2Llama.Tests.Support;
using Fairseq2Llama.Tests.Support.S3;

namespace Fairseq2Llama.Tests.Stores.Http;

/// <summary>A web server with models.</summary>
internal sealed class HttpPlace : IDisposable
{
    public static CancellationToken Token => TestContext.Current.CancellationToken;

    public S3Server Server { get; } = new();

    public StoppedClock Clock { get; } = new();

    public S3Bucket Bucket => Server.Bucket("bucket");

    /// <summary>The requests for what is below a key.</summary>
    public IEnumerable<S3Call> CallsBelow(string key) => Server.Calls.Where(call => call.Key.StartsWith(key, StringComparison.Ordinal));

    public string AddressOf(string key) => new Uri(Server.PlainAddress, $"bucket/{key}").AbsoluteUri;

    public LlamaCheckpoint Read(string key) => CheckpointReader.Read(new CheckpointAddress(AddressOf(key)), cancellationToken: Token);

    /// <summary>As an address is read, but without waiting before something is tried again.</summary>
    public LlamaCheckpoint ReadHastily(string key, string query = "")
    {
        var store = new RemoteStore(new HttpFiles(new Uri(Server.Address, "/"), query), new StoreAccess { RangeSize = 4096 }, Clock);
        return CheckpointReader.Read(new ObjectFolder(store, $"plain/bucket/{key}", Token), cancellationToken: Token);
    }

    /// <summary>The checkpoints have the same index, the same data, and give the same export.</summary>
    public static void AssertSame(LlamaCheckpoint expected, LlamaCheckpoint actual)
    {
        using var folder = new TempFolder();
        Assert.Equal(expected.Tensors.Select(Describe), actual.Tensors.Select(Describe));

        foreach (var (checkpoint, name) in (ReadOnlySpan<(LlamaCheckpoint, string)>)[(expected, "expected"), (actual, "actual")])
        {
            var options = new ReferenceExportOptions { Architecture = checkpoint.Architecture is null ? TinyModel.Architecture : null, ShardCount = 1 };
            CheckpointExport.Plan(checkpoint, folder[name], options, Token).Execute(cancellationToken: Token);
        }

        Assert.Equal(Support.CheckpointFolder.Snapshot(folder["expected"]), Support.CheckpointFolder.Snapshot(folder["actual"]));

        static string Describe(CheckpointTensor tensor) => string.Create(CultureInfo.InvariantCulture, $"{tensor.Name} {tensor.DType} {tensor.Shape}");
    }

    public void Dispose() => Server.Dispose();
}
