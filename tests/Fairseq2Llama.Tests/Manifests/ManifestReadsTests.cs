using Fairseq2Llama.Stores.Local;
using Fairseq2Llama.Tests.Support;

namespace Fairseq2Llama.Tests.Manifests;

/// <summary>A manifest is made of bytes that are read anyway. What has to be read for it alone is read once.</summary>
public sealed class ManifestReadsTests : IDisposable
{
    private readonly TempFolder _folder = new();
    private readonly Dictionary<string, int[]> _reads = new(StringComparer.Ordinal);
    private readonly LlamaArchitecture _architecture;

    public ManifestReadsTests() => _architecture = LargeStorages.Write(_folder, LargeStorages.Copyable) with { ShardEmbedDim = false };

    public static TheoryData<string> Formats => ["reference", "HuggingFace", "HuggingFace, several files", "fairseq2", "gguf", "gguf, several files", "cast", "quantized"];

    private Fairseq2Checkpoint Input => Fairseq2Checkpoint.Read(new CountingFolder(new LocalFolder(_folder.Path), _reads));

    public void Dispose() => _folder.Dispose();

    [Theory]
    [MemberData(nameof(Formats))]
    public void Nothing_is_read_twice(string format)
    {
        var (without, with) = (new ObjectStore(), new ObjectStore());
        var expected = Export(OptionsFor(format), without);
        var counts = Export(OptionsFor(format) with { Manifest = true }, with);

        Assert.Equal(without.Sent, with.Sent);

        Assert.All(Input.Tensors, tensor =>
        {
            // The checksum of what changes the order of its rows takes a pass of its own.
            var passes = format.StartsWith("HuggingFace", StringComparison.Ordinal) && tensor.ParsedName.IsRotary ? 2 : 1;
            Assert.Equal((passes, passes), RangeOf(expected[tensor.Name]));
            Assert.Equal((passes, passes), RangeOf(counts[tensor.Name]));
        });
    }

    /// <summary>The files of the result come one after the other, and a tensor that is divided by columns is in all of them.</summary>
    [Theory]
    [InlineData(false, 4)]
    [InlineData(true, 5)]
    public void Only_what_is_divided_by_columns_is_read_again(bool shardEmbedDim, int count)
    {
        var options = new ReferenceExportOptions { Architecture = _architecture with { ShardEmbedDim = shardEmbedDim }, ShardCount = 2 };
        var (without, with) = (new ObjectStore(), new ObjectStore());
        var expected = Export(options, without);
        var counts = Export(options with { Manifest = true }, with);

        Assert.Equal(without.Sent, with.Sent);
        Assert.Equal(count, Input.Tensors.Count(tensor => IsByColumns(tensor, shardEmbedDim)));
        Assert.All(Input.Tensors, tensor =>
        {
            var more = IsByColumns(tensor, shardEmbedDim) ? 1 : 0;
            Assert.Equal((more, more), RangeOf([.. counts[tensor.Name].Zip(expected[tensor.Name], (count, other) => count - other)]));
        });
        Assert.Contains(
            CheckpointExport.Plan(Input, _folder["other"], options with { Manifest = true }).Reasons,
            reason => reason.StartsWith($"For the manifest, {count} tensors are read again, because", StringComparison.Ordinal));
    }

    /// <summary>But for the ends of what is copied, where parts may not be as short as that.</summary>
    [Fact]
    public void Of_what_a_store_copies_inside_itself_each_byte_is_read_once()
    {
        const int MinPart = 16 << 10;
        var store = new ObjectStore { Parts = new(MinLength: MinPart, Length: 256 << 10, MaxCopyLength: 1 << 20, MaxCount: 10_000) };
        store.Put("in/model.pt", File.ReadAllBytes(_folder["model.pt"]));
        var input = Fairseq2Checkpoint.Read(store.At("in"));
        var options = new ReferenceExportOptions { Architecture = _architecture, ShardCount = 1 };

        var (sent, received) = Transferred("without", options);
        var (sentWith, receivedWith) = Transferred("with", options with { Manifest = true });

        var total = input.Tensors.Sum(tensor => tensor.SizeInBytes);
        Assert.InRange(sent, 0, total / 5);
        Assert.InRange(sentWith, total, total + (input.Tensors.Length * 2 * MinPart));

        // The manifest, and its name where the export claims the place, is all that goes to the store besides.
        Assert.InRange(receivedWith - received - store["with/checkpoint-manifest.json"].Length, 0, 1000);
        Assert.Equal(store["without/consolidated.00.pth"], store["with/consolidated.00.pth"]);
        Assert.Contains(
            CheckpointExport.Plan(input, store.DestinationAt("other"), options with { Manifest = true }).Reasons,
            reason => reason.StartsWith("For the manifest, data that the file system or the store takes over", StringComparison.Ordinal));

        (long Sent, long Received) Transferred(string destination, ExportOptions options)
        {
            var plan = CheckpointExport.Plan(input, store.DestinationAt(destination), options);
            store.ResetCounts();
            plan.Execute();
            return (store.Sent, store.Received);
        }
    }

    /// <summary>What is there is read from front to back, and the hashes of files and of tensors both come of that.</summary>
    [Theory]
    [MemberData(nameof(Formats))]
    public void A_manifest_of_what_is_there_reads_each_file_once(string format)
    {
        CheckpointExport.Plan(Input, _folder["out"], OptionsFor(format)).Execute();
        var checkpoint = CheckpointReader.Read(new CountingFolder(new LocalFolder(_folder["out"]), _reads));
        _reads.Clear();

        ManifestedExport.Make(checkpoint);

        Assert.Equal(Directory.GetFiles(_folder["out"]).Order(StringComparer.Ordinal), _reads.Keys.Order(StringComparer.Ordinal));
        Assert.All(_reads.Values, file => Assert.Equal((1, 1), RangeOf(file)));
    }

    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public void A_manifest_of_several_files_reads_again_what_is_divided_by_columns(bool shardEmbedDim)
    {
        CheckpointExport.Plan(Input, _folder["out"], new ReferenceExportOptions { Architecture = _architecture with { ShardEmbedDim = shardEmbedDim }, ShardCount = 2 }).Execute();
        var checkpoint = LlamaReferenceCheckpoint.Read(new CountingFolder(new LocalFolder(_folder["out"]), _reads));
        _reads.Clear();

        ManifestedExport.Make(checkpoint);

        Assert.All(checkpoint.Tensors, tensor => Assert.Equal(IsByColumns(tensor, shardEmbedDim), RangeOf(CountsOf(tensor)).Most > 1));
    }

    private static bool IsByColumns(CheckpointTensor tensor, bool shardEmbedDim) => tensor.ParsedName.Parameter!.Split switch
    {
        TensorSplit.Columns => true,
        TensorSplit.VocabularyOrModel => shardEmbedDim,
        _ => false,
    };

    private ExportOptions OptionsFor(string format)
    {
        var tokenizer = ManifestedExport.WriteTokenizer(_folder["tokenizer"], _architecture.VocabSize);

        return format switch
        {
            "reference" => new ReferenceExportOptions { Architecture = _architecture, ShardCount = 1 },
            "HuggingFace" => new HuggingFaceExportOptions { Architecture = _architecture },
            "HuggingFace, several files" => new HuggingFaceExportOptions { Architecture = _architecture, MaxShardSize = 5 << 20 },
            "cast" => new Fairseq2ExportOptions { Architecture = _architecture, DType = DType.BFloat16 },
            "fairseq2" => new Fairseq2ExportOptions { Architecture = _architecture },
            "gguf" => new GgufExportOptions { FileName = "x.gguf", Architecture = _architecture, TokenizerPath = tokenizer },
            "quantized" => new GgufExportOptions { FileName = "x.gguf", Architecture = _architecture, TokenizerPath = tokenizer, DType = DType.Q8_0 },
            _ => new GgufExportOptions { FileName = "x.gguf", Architecture = _architecture, TokenizerPath = tokenizer, MaxShardSize = 5 << 20 },
        };
    }

    /// <returns>How often each byte of each tensor was read from the plan to the end.</returns>
    private Dictionary<string, int[]> Export(ExportOptions options, ObjectStore store)
    {
        var input = Input;
        var plan = CheckpointExport.Plan(input, store.DestinationAt("out"), options);
        store.ResetCounts();
        _reads.Clear();
        plan.Execute();
        return input.Tensors.ToDictionary(tensor => tensor.Name, CountsOf);
    }

    private int[] CountsOf(CheckpointTensor tensor)
    {
        var counts = new List<int>();

        foreach (var storage in tensor.Shards.Select(shard => shard.Tensor.Storage))
        {
            counts.AddRange(_reads[storage.Source.Name].AsSpan((int)storage.Offset, (int)storage.Length));
        }

        return [.. counts];
    }

    private static (int Least, int Most) RangeOf(int[] counts) => (counts.Min(), counts.Max());
}
