using Fairseq2Llama.Tests.Support;

namespace Fairseq2Llama.Tests.Manifests;

/// <summary>
/// What manifests of exports say of files, of tensors and of what they were made from, whatever the formats, is what PyTorch and hashlib say of them; and a
/// manifest that is made of the files afterwards says the same.
/// </summary>
[External]
public sealed class JudgedManifestTests(ShardedModels models, SmallModels smallModels) : IClassFixture<SmallModels>, IDisposable
{
    /// <summary>Such as LLaMA does not have, of every kind of shape.</summary>
    private const string WriteOdd = """
        import sys, torch
        model = torch.load(sys.argv[1])['model']
        model |= {'extra.empty': torch.zeros(0, 3), 'extra.number': torch.tensor(2.5), 'extra.ints': torch.arange(10), 'extra.turned': torch.randn(6, 4).t(),
                  'extra.expanded': torch.randn(1, 5).expand(3, 5), 'extra.cube': torch.randn(2, 3, 4).transpose(0, 2), 'extra.flags': torch.tensor([True, False])}
        torch.save({'model': model}, sys.argv[2])
        """;

    private readonly TempFolder _out = new("exports");
    private readonly ManifestJudge _judge = new();

    public static TheoryData<string> DistributedCases =>
        ["titan-8", "titan-2d-8", "titan-tp", "titan-uneven", "titan-empty", "titan-strides", "titan-bf16", "titan-nocrc", "accelerate-4", "lightning-2"];

    public void Dispose() => _out.Dispose();

    [Fact]
    public void Of_models_of_any_kind()
    {
        foreach (var model in smallModels.All)
        {
            var (whole, divided) = (Fairseq2Checkpoint.Read(smallModels.PathOfWhole(model)), Fairseq2Checkpoint.Read(smallModels.PathOfDivided(model)));

            var (original, isTied) = (smallModels.PathOfWhole(model), model.Name == "tied-twice");

            foreach (var (name, options) in FormatsFor(model.Architecture))
            {
                Judge(divided, $"{model.Name}/divided/{name}", options, original, smallModels.PathOfDivided(model), isTied);
                Judge(whole, $"{model.Name}/whole/{name}", options, original, Path.GetDirectoryName(original), isTied, hasChecksums: model.Name != "turned");
            }
        }

        _judge.Run();
    }

    [Theory]
    [InlineData("float32,embedding1,pp2,tp4,sdp3,uneven")]
    [InlineData("float32,embedding0,pp1,tp4,sdp1,even")]
    [InlineData("bfloat16,embedding0,pp1,tp2,sdp3,uneven")]
    [InlineData("bfloat16,embedding0,pp2,tp1,sdp2,even")]
    public void Of_a_divided_model(string name)
    {
        foreach (var (format, options) in FormatsFor(ShardedModels.ArchitectureOf(name)))
        {
            foreach (var dtype in (DType?[])[null, DType.Float16, DType.BFloat16])
            {
                Judge(Fairseq2Checkpoint.Read(models.PathOfDivided(name)), $"{format} {dtype}", options with { DType = dtype }, models.PathOfWhole(name.Split(',')[0]), models.PathOfDivided(name));
            }
        }

        _judge.Run();
    }

    [Theory]
    [InlineData("tied,embedding0")]
    [InlineData("tied-absent,embedding1")]
    [InlineData("shard-folders-tp2")]
    [InlineData("shard-folder-wrapped")]
    [InlineData("model-0-to-3")]
    [InlineData("tp-files")]
    [InlineData("sdp-files-tp2")]
    public void Of_other_layouts_and_of_tied_models(string name)
    {
        foreach (var (format, options) in FormatsFor(ShardedModels.ArchitectureOf(name)))
        {
            Judge(Fairseq2Checkpoint.Read(models.PathOfOdd(name)), format, options, models.PathOfWhole("float32"), isTied: name.StartsWith("tied", StringComparison.Ordinal));
        }

        _judge.Run();
    }

    /// <summary>A file in another byte order holds the same model; nothing but the copy of it that PyTorch can read is asked.</summary>
    [Theory]
    [InlineData("fs2", "fs2")]
    [InlineData("big-endian", "fs2")]
    [InlineData("deflated", "deflated")]
    [InlineData("legacy", "legacy")]
    [InlineData("views", "views")]
    [InlineData("bias", "bias")]
    [InlineData("tied", "tied")]
    [InlineData("tied-view", "tied-view")]
    [InlineData("protocol4", "protocol4")]
    public void Of_files_of_any_kind(string name, string judged)
    {
        var isTied = name.StartsWith("tied", StringComparison.Ordinal);

        foreach (var (format, options) in FormatsFor(isTied ? TinyModel.Tied : TinyModel.Architecture))
        {
            Judge(Fairseq2Checkpoint.Read(Repository.Case(name)), format, options, Path.Combine(Repository.Case(judged), "model.pt"), Repository.Case(name), isTied);
            Judge(Fairseq2Checkpoint.Read(Repository.Case(name)), $"{format}, cast", options with { DType = DType.BFloat16 }, Path.Combine(Repository.Case(judged), "model.pt"), isTied: isTied);
        }

        _judge.Run();
    }

    [Fact]
    public void Of_tensors_that_LLaMA_does_not_have()
    {
        PyTorch.Ask(WriteOdd, Path.Combine(Repository.Case("fs2"), "model.pt"), _out["model.pt"]);
        var input = Fairseq2Checkpoint.Read(_out["model.pt"]);

        foreach (var (format, options) in FormatsFor(TinyModel.Architecture).Where(format => !format.Name.StartsWith("gguf", StringComparison.Ordinal)))
        {
            Judge(input, format, options, _out["model.pt"], _out.Path);
        }

        _judge.Run();
    }

    /// <summary>Of the original, PyTorch has said what it is when it wrote it: of torchtitan's checkpoints under Meta's names and in Meta's order.</summary>
    [Theory]
    [MemberData(nameof(DistributedCases))]
    public void Of_distributed_checkpoints(string name)
    {
        var expected = DistributedManifest.Cases[name];
        var architecture = expected.Architecture;
        var checkpoint = DistributedCheckpoint.Read(expected.Path, new CheckpointReadOptions { Architecture = architecture }, TestContext.Current.CancellationToken);
        var said = DistributedManifest.Cases[name == "titan-bf16" ? name : "titan-1"].Model.ToDictionary(tensor => tensor.Name, tensor => $"{tensor.Dtype} {tensor.Sha256}");
        var own = ManifestedExport.Make(checkpoint);

        Assert.All(own.Tensors.Where(tensor => tensor.TiedTo is null), tensor => Assert.Equal(said[tensor.Name], $"{tensor.DType.GetTorchName()} {tensor.Sha256}"));

        foreach (var (format, options) in FormatsFor(architecture))
        {
            var manifest = Judge(checkpoint, format, options with { Architecture = null });
            Assert.Equal(own.ModelSha256, manifest.Source!.ModelSha256);
        }

        _judge.Run();
    }

    /// <summary>Of blocks of quantized numbers, the blocks are hashed.</summary>
    [Fact]
    public void Of_quantized_tensors()
    {
        var input = ConverterModel.Tied.Write(_out["input"]);
        var original = CheckpointManifests.Create(input, new ManifestOptions(), cancellationToken: TestContext.Current.CancellationToken);
        _judge.Add(original.Path!, input.Architecture);

        var quantized = Judge(input, "q8", new GgufExportOptions { FileName = "x.gguf", DType = DType.Q8_0, MaxShardSize = 9000 });
        var back = Judge(LlamaGgufCheckpoint.Read(_out["q8"]), "back", new ReferenceExportOptions { DType = DType.BFloat16, ShardCount = 1 });

        Assert.Contains(quantized.Tensors, tensor => tensor.DType == DType.Q8_0);
        Assert.Equal(original.ModelSha256, quantized.Source!.ModelSha256);
        Assert.Equal(quantized.ModelSha256, back.Source!.ModelSha256);
        _judge.Run();
    }

    private IEnumerable<(string Name, ExportOptions Options)> FormatsFor(LlamaArchitecture architecture)
    {
        var tokenizer = ManifestedExport.WriteTokenizer(_out["tokenizer"], architecture.VocabSize);

        return
        [
            ("fairseq2", new Fairseq2ExportOptions { Architecture = architecture, AllowUnmapped = true }),
            ("hf", new HuggingFaceExportOptions { Architecture = architecture, AllowUnmapped = true }),
            ("hf-n", new HuggingFaceExportOptions { Architecture = architecture, AllowUnmapped = true, MaxShardSize = 3000 }),
            ("reference", new ReferenceExportOptions { Architecture = architecture, AllowUnmapped = true, ShardCount = 1, Checklist = true }),
            .. architecture.NumKeyValueHeads % 2 == 0 ? [("reference-2", new ReferenceExportOptions { Architecture = architecture, AllowUnmapped = true, ShardCount = 2 })] : ((string, ExportOptions)[])[],
            ("gguf", new GgufExportOptions { FileName = "x.gguf", Architecture = architecture, AllowUnmapped = true, TokenizerPath = tokenizer }),
            ("gguf-n", new GgufExportOptions { FileName = "x.gguf", Architecture = architecture, AllowUnmapped = true, TokenizerPath = tokenizer, MaxShardSize = 9000 }),
        ];
    }

    private CheckpointManifest Judge(
        LlamaCheckpoint checkpoint, string folder, ExportOptions options, string? source = null, string? sourceFolder = null, bool isTied = false, bool hasChecksums = false)
    {
        var manifest = ManifestedExport.Write(checkpoint, _out[folder], options, out var written);

        ManifestedExport.AssertSame(manifest, ManifestedExport.Make(written));
        _judge.Add(manifest.Path!, written.Architecture!, source, isTied, sourceFolder, hasChecksums);
        return manifest;
    }
}
