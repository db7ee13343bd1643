using Fairseq2Llama.Benchmark.Contestants;
using Fairseq2Llama.Stores.Http;
using Fairseq2Llama.Stores.Objects;

namespace Fairseq2Llama.Benchmark.Stores;

/// <summary>Everything that is done with stores, in turn.</summary>
internal sealed class StoreRace(Workspace workspace, LlamaArchitecture architecture, int rounds, CancellationToken cancellationToken)
{
    private static readonly int[] Latencies = [0, 30];

    /// <summary>1 GB, in tensors as large as those of a 7B model.</summary>
    public static LlamaArchitecture Usual { get; } = LlamaArchitectures.Find("llama2_7b") with { NumLayers = 1 };

    /// <exception cref="BenchmarkException">There is no room, or something fails.</exception>
    public StoreResults Run()
    {
        var size = StoreWorkspace.SizeOf(architecture);

        if (!workspace.HasRoomFor(size / 3))
        {
            throw new BenchmarkException($"'{workspace.Path}' has no room for {Units.Size(size)}. Choose another --folder, or fewer --layers.");
        }

        Console.Error.WriteLine($"Making checkpoints of {Units.Size(size)}.");
        using var stores = new StoreWorkspace(workspace, architecture);
        StoreContestant[] index = [.. from latency in Latencies from work in Index(stores) select new StoreContestant(work, [stores.Server], latency)];
        StoreContestant[][] data = [.. from latency in Latencies from all in Data(stores) select all.Select(work => new StoreContestant(work, [stores.Server], latency)).ToArray()];
        IContestant[] local =
        [
            Deep("local file of torch.save", CheckpointReader.Read(stores.Large.Torch.Path), stores.Large),
            Deep("local safetensors file", CheckpointReader.Read(stores.Large.SafeTensors), stores.Large),
        ];

        // Each in a session of its own, or the peak of its memory would be another's.
        using var streaming = new Session();
        using var copying = new Session();
        StoreContestant[] exports = [.. Latencies.SelectMany(latency => Exports(stores, streaming, copying, latency))];
        var idle = new FreshPowerShell(ContestantNames.Start, workspace, _ => "");

        var measurements = new Rounds(workspace, rounds, cancellationToken).Run([.. index, .. data.SelectMany(all => all), .. local, .. exports, idle])
            .ToDictionary(measurement => measurement.Name);

        return new StoreResults
        {
            Machine = [.. Machine.Describe()],
            Rounds = rounds,
            Large = stores.Large.Torch,
            Many = stores.Many.Torch,
            Index = [.. index.Select(Result)],
            Data = [.. data.Select(all => new StoreReading(Result(all[0]), [.. all[1..].Select(Result)]))],
            Local = [.. local.Select(contestant => measurements[contestant.Name])],
            Exports = [.. exports.Select(Result)],
            Idle = measurements[idle.Name],
        };

        StoreResult Result(StoreContestant contestant) => new(measurements[contestant.Name], contestant.Traffic);
    }

    private static InThisProcess[] Index(StoreWorkspace stores) =>
    [
        new("file of torch.save", () => CheckpointReader.Read(new CheckpointAddress(stores.Many.TorchAddress, stores.Access))),
        new("safetensors file", () => CheckpointReader.Read(new CheckpointAddress(stores.Many.SafeTensorsAddress, stores.Access))),
    ];

    /// <summary>By clients: a plain download, and what is compared with it.</summary>
    private static IEnumerable<InThisProcess[]> Data(StoreWorkspace stores)
    {
        var (large, many) = (stores.Large, stores.Many);
        var root = new Uri(stores.Server.Address, "/");

        yield return
        [
            Plain("plain download with the AWS SDK", stores.Client, large.TorchKey),
            Deep("S3, file of torch.save", Open(large.TorchAddress), large),
            Deep("S3, safetensors file", Open(large.SafeTensorsAddress), large),
        ];
        yield return
        [
            Plain("plain download with the AWS SDK, small tensors", stores.Client, many.TorchKey),
            Deep("S3, file of torch.save, small tensors", Open(many.TorchAddress), many),
            Deep("S3, safetensors file, small tensors", Open(many.SafeTensorsAddress), many),
        ];
        yield return
        [
            Plain("plain download with HttpClient", new HttpFiles(root, query: ""), StoredModel.WebPath + large.TorchKey),
            Deep("HTTP, file of torch.save", CheckpointReader.Read(new Uri(root, StoredModel.WebPath + large.TorchKey).AbsoluteUri), large),
        ];

        LlamaCheckpoint Open(string address) => CheckpointReader.Read(new CheckpointAddress(address, stores.Access));
    }

    private static InThisProcess Plain(string name, IObjectClient client, string key) => new(name, () => PlainDownload.Run(client, key));

    private static InThisProcess Deep(string name, LlamaCheckpoint checkpoint, StoredModel model) => new(name, () =>
    {
        var result = CheckpointTest.Run(checkpoint, new CheckpointTestOptions { Architecture = model.Architecture, Deep = true });

        if (result.Findings.FirstOrDefault(finding => finding.Severity == FindingSeverity.Error) is { } error)
        {
            throw new BenchmarkException($"{name}: {error.Message}");
        }
    });

    private static IEnumerable<StoreContestant> Exports(StoreWorkspace stores, Session streaming, Session copying, int latency)
    {
        var (from, to) = (stores.Server, stores.OtherServer);
        yield return new(new RunningSession("from one service to another", streaming, _ => Export(stores.Large, from, to)), [from, to], latency);
        yield return new(new RunningSession("inside a bucket", copying, _ => Export(stores.Large, from, from)), [from], latency);
    }

    private static string Export(StoredModel model, StoreServer from, StoreServer to) =>
        ModuleCommands.ExportToStore(model.TorchAddress, $"s3://bucket/{StoreContestant.Output}", model.Architecture, from.Address, to.Address);
}
