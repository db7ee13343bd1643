using Fairseq2Llama.Formats;
using Fairseq2Llama.Stores;
using Fairseq2Llama.Stores.Objects;
using Fairseq2Llama.Tests.Support;
using Fairseq2Llama.Tests.Support.S3;

namespace Fairseq2Llama.Tests.Stores.S3;

/// <summary>A bucket with a model to be exported, and what exports make of it.</summary>
internal sealed class S3Place : IDisposable
{
    public const string Output = "out";

    private readonly TempFolder _local = new();

    public S3Place(string name = "bucket")
    {
        Name = name;
        Bucket.PutFolder(Repository.Case("fs2"), "in/");
    }

    public static CancellationToken Token => TestContext.Current.CancellationToken;

    public S3Server Server { get; } = new();

    public StoppedClock Clock { get; } = new();

    public string Name { get; }

    public S3Bucket Bucket => Server.Bucket(Name);

    /// <summary>What is below the output, by names.</summary>
    public Dictionary<string, string> Written
    {
        get
        {
            lock (Bucket)
            {
                return Bucket.Objects.Where(item => item.Key.StartsWith(Output + '/', StringComparison.Ordinal))
                    .ToDictionary(item => item.Key[(Output.Length + 1)..], item => Convert.ToHexString(item.Value.Bytes));
            }
        }
    }

    /// <summary>The bucket as another process sees it, which remembers nothing.</summary>
    public ICheckpointFolder Folder(string key) => new ObjectFolder(Open(), key, Token);

    public LlamaCheckpoint ReadInput() => CheckpointReader.Read(Folder("in"), cancellationToken: Token);

    public ConversionPlan Plan(LlamaCheckpoint input, ExportOptions options) =>
        CheckpointExport.Plan(input, Destination, options, Token);

    /// <summary>As an export does before it is planned.</summary>
    public void CleanUp() => Destination.CleanUp([]);

    /// <summary>What an export of the model on this machine to a local folder gives.</summary>
    public Dictionary<string, string> Expected(ExportOptions options)
    {
        var folder = _local[$"{Guid.NewGuid()}"];
        CheckpointExport.Plan(CheckpointReader.Read(Repository.Case("fs2"), cancellationToken: Token), folder, options, Token).Execute(cancellationToken: Token);
        return Support.CheckpointFolder.Snapshot(folder);
    }

    /// <summary>From now on, requests go wrong.</summary>
    public void Break(S3FaultCase fault, string prefix)
    {
        var count = 0;
        Server.Fault = call => call.Operation == fault.Operation && call.Key.StartsWith(prefix, StringComparison.Ordinal) && call.Key.Contains(fault.Key, StringComparison.Ordinal)
            ? fault.Fault(Interlocked.Increment(ref count), Clock)
            : null;
    }

    public void Dispose()
    {
        Server.Dispose();
        _local.Dispose();
    }

    private ObjectDestination Destination => new(Open(), Output, CheckpointFormats.IsWritten, Token);

    private RemoteStore Open() => SmallParts.Open(Server, Clock, Name);
}
