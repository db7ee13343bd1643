using Fairseq2Llama.Gguf;
using Fairseq2Llama.Stores.Local;
using Fairseq2Llama.Tests.Support;
using CheckpointFolder = Fairseq2Llama.Tests.Support.CheckpointFolder;

namespace Fairseq2Llama.Tests.Gguf;

/// <summary>Exports to GGUF and from it, as far as <see cref="ConverterTests"/> does not compare them with those of llama.cpp.</summary>
public sealed class GgufExportTests : IDisposable
{
    private readonly TempFolder _folder = new("exports");

    public void Dispose() => _folder.Dispose();

    public static TheoryData<string, string> Ways => new(
        from model in (string[])["Scaled", "Tied", "Half", "Parts"]
        from format in (string[])["hf", "hf/n", "fairseq2", "reference", "gguf", "gguf/n"]

        // How a model was divided over files decides about the order of tensors in a GGUF file, which does not tell it.
        where model != "Parts" || !format.StartsWith("gguf", StringComparison.Ordinal)
        select (model, format));

    /// <summary>Of float32, as norms have no other type in GGUF.</summary>
    [Theory]
    [MemberData(nameof(Ways))]
    public void The_way_back_leads_to_the_same_bytes(string model, string format)
    {
        var original = ConverterModel.Of(model).Write(_folder["in"]);
        var options = OptionsFor(format) with { DType = DType.Float32 };
        Export(original, "directly", options);
        Export(original, "x", new GgufExportOptions { FileName = "exports.gguf", DType = DType.Float32 });

        Export(LlamaGgufCheckpoint.Read(_folder["x"]), "back", options);

        Assert.Equal(Snapshot("directly", format), Snapshot("back", format));
    }

    /// <summary>Weights that are no norms keep their bytes.</summary>
    [Theory]
    [InlineData("Scaled", DType.BFloat16)]
    [InlineData("Half", DType.Float16)]
    [InlineData("Tied", DType.Float32)]
    public void Weights_keep_their_type(string model, DType dtype)
    {
        var original = ConverterModel.Of(model).Write(_folder["in"]);

        var written = Export(original, "out", Gguf);

        foreach (var tensor in written.Tensors)
        {
            Assert.Equal(tensor.Name.EndsWith("_norm.weight", StringComparison.Ordinal) ? DType.Float32 : dtype, tensor.DType);
        }

        Export(written, "back", new HuggingFaceExportOptions { DType = dtype });
        Export(original, "directly", new HuggingFaceExportOptions());
        Assert.Equal(Snapshot("directly", "hf"), Snapshot("back", "hf"));
    }

    [Theory]
    [InlineData("fs2")]
    [InlineData("tp2-llama2")]
    [InlineData("deflated")]
    [InlineData("legacy")]
    [InlineData("views")]
    [InlineData("big-endian")]
    public void Checkpoints_of_fairseq2_become_the_same_model(string name)
    {
        var original = Fairseq2Checkpoint.Read(Repository.Case(name));

        var written = Export(original, "out", Gguf with { TokenizerPath = Tokenizer, Architecture = TinyModel.Architecture });

        using var comparison = new CheckpointComparison(original, written, cancellationToken: TestContext.Current.CancellationToken);
        Assert.All(comparison.Pairs.Select(comparison.Compare), pair => Assert.True(
            pair.Result == ComparisonResult.Equal || (pair.Result == ComparisonResult.DTypeDiffers && pair.Name.Contains("norm", StringComparison.Ordinal)), $"{pair.Name}: {pair.Result}"));
    }

    [Theory]
    [InlineData("hf")]
    [InlineData("fairseq2")]
    [InlineData("reference")]
    public void Quantized_weights_go_elsewhere_only_if_they_are_dequantized(string format)
    {
        var quantized = Export(ConverterModel.Tied.Write(_folder["in"]), "q", Gguf with { DType = DType.Q8_0 });

        ErrorAssert.Throws(
            CheckpointErrorCode.UnsupportedTensor,
            () => CheckpointExport.Plan(quantized, _folder["out"], OptionsFor(format)),
            "are quantized", "'token_embd.weight', which is q8_0", "format can't hold them", "-DType");

        var test = CheckpointTest.Run(
            quantized, new CheckpointTestOptions { For = OptionsFor(format).MakeFormat(CancellationToken.None).Format }, cancellationToken: TestContext.Current.CancellationToken);
        Assert.Contains("format can't hold them", Assert.Single(test.Findings, finding => finding.Code == CheckpointErrorCode.UnsupportedTensor).Message, StringComparison.Ordinal);

        var written = Export(quantized, "out", OptionsFor(format) with { DType = DType.Float32 });

        using var comparison = new CheckpointComparison(quantized, written, cancellationToken: TestContext.Current.CancellationToken);
        Assert.All(comparison.Pairs.Select(comparison.Compare), pair => Assert.True(pair.MaxAbsoluteDifference is 0 or null, $"{pair.Name}: {pair.Result}"));
    }

    /// <summary>Embeddings of 32 are divided into columns of 16 in the reference format, and blocks have 32.</summary>
    [Fact]
    public void Blocks_are_not_torn_apart()
    {
        var quantized = Export(ConverterModel.Tied.Write(_folder["in"]), "q", Gguf with { DType = DType.Q8_0 });

        ErrorAssert.Throws(
            CheckpointErrorCode.UnsupportedTensor,
            () => CheckpointExport.Plan(quantized, _folder["out"], new ReferenceExportOptions { ShardCount = 2, DType = DType.Float32 }),
            "'token_embd.weight'", "blocks of 32 elements", "Choose another number of files");
    }

    [Fact]
    public void Quantized_weights_stay_as_they_are_in_GGUF()
    {
        File.WriteAllBytes(_folder["in.gguf"], WithVocabulary(GgufBuilder.Llama(type: GgufBuilder.Q8_0)).Build());
        var original = LlamaGgufCheckpoint.Read(_folder["in.gguf"]);

        var written = Export(original, "out", Gguf);

        Assert.All(
            original.Tensors.Zip(written.Tensors),
            pair => Assert.Equal((pair.First.Name, pair.First.DType, TensorBytes.Sha256(pair.First.Shards[0].Tensor)), (pair.Second.Name, pair.Second.DType, TensorBytes.Sha256(pair.Second.Shards[0].Tensor))));
        Assert.Contains(written.Tensors, tensor => tensor.DType == DType.Q8_0);
    }

    [Fact]
    public void Without_a_vocabulary_it_is_not_exported()
    {
        File.WriteAllBytes(_folder["in.gguf"], GgufBuilder.Llama().Build());

        ErrorAssert.Throws(
            CheckpointErrorCode.TokenizerNotFound, () => CheckpointExport.Plan(LlamaGgufCheckpoint.Read(_folder["in.gguf"]), _folder["out"], Gguf), "no tokenizer in", "in.gguf", "-TokenizerPath");
    }

    [Fact]
    public void Float64_becomes_float32()
    {
        File.WriteAllBytes(_folder["in.gguf"], WithVocabulary(GgufBuilder.Llama(type: GgufBuilder.F64)).Build());

        Assert.All(Export(LlamaGgufCheckpoint.Read(_folder["in.gguf"]), "out", Gguf).Tensors, tensor => Assert.Equal(DType.Float32, tensor.DType));
    }

    /// <summary>Also what no other program has put there.</summary>
    [Fact]
    public void The_vocabulary_is_copied_as_it_is()
    {
        var input = GgufBuilder.Llama()
            .Key("general.sampling.temp", 0.6f).Key("general.author", "somebody").Key("tokenizer.ggml.model", "llama").List("tokenizer.ggml.tokens", "<unk>", "\u2581a", "\u0000", "")
            .List("tokenizer.ggml.scores", 0f, -1f, float.NaN, 3f).List("tokenizer.ggml.token_type", 1, 2, 3, 4).Key("tokenizer.ggml.add_bos_token", true)
            .Key("tokenizer.chat_template", new string('x', 10_000)).Key("tokenizer.ggml.bos_token_id", 1u).Key("other", 5u);
        File.WriteAllBytes(_folder["in.gguf"], input.Build());

        Export(LlamaGgufCheckpoint.Read(_folder["in.gguf"]), "out", Gguf);

        var (before, after) = (Keys(_folder["in.gguf"]), Keys(_folder["out/x.gguf"]));
        Assert.Equal(before.Where(key => key.Contains("tokenizer.", StringComparison.Ordinal)), after.Where(key => key.Contains("tokenizer.", StringComparison.Ordinal)));
        Assert.Equal(before.Single(key => key.StartsWith("general.sampling.temp ", StringComparison.Ordinal)), after[2]);
        Assert.DoesNotContain(after, key => key.StartsWith("other ", StringComparison.Ordinal));
        Assert.StartsWith("tokenizer.ggml.bos_token_id ", after[^1], StringComparison.Ordinal);
    }

    [Fact]
    public void Scaled_rotary_encoding_has_factors_and_other_has_none()
    {
        Export(ConverterModel.Scaled.Write(_folder["scaled"]), "out", Gguf);
        Export(ConverterModel.Half.Write(_folder["half"]), "out", new GgufExportOptions { FileName = "y.gguf" });

        Assert.Equal("rope_freqs.weight", Open("out/x.gguf").Tensors[0].Key);
        Assert.DoesNotContain(Open("out/y.gguf").Tensors, tensor => tensor.Key == "rope_freqs.weight");
        Assert.Equal(8, LlamaGgufCheckpoint.Read(_folder["out/x.gguf"]).Architecture.RopeScaleFactor);
        Assert.Null(LlamaGgufCheckpoint.Read(_folder["out/y.gguf"]).Architecture.RopeScaleFactor);
    }

    [Theory]
    [InlineData("tied", true)]
    [InlineData("tied-absent", true)]
    [InlineData("fs2", false)]
    public void A_tied_output_is_not_written(string name, bool isTied)
    {
        var written = Export(Fairseq2Checkpoint.Read(Repository.Case(name)), "out", Gguf with { TokenizerPath = Tokenizer, Architecture = isTied ? TinyModel.Tied : TinyModel.Architecture });

        Assert.Equal(isTied, written.Architecture!.TiedEmbeddings);
        Assert.Equal(!isTied, Open("out/x.gguf").Tensors.Any(tensor => tensor.Key == "output.weight"));
    }

    [Theory]
    [InlineData("Scaled", 11, "'blk.0.ffn_down.weight' (32x48)")]
    [InlineData("Tied", 0, "")]
    public void What_Q8_0_can_not_hold_is_warned_of(string model, int count, string first)
    {
        var plan = CheckpointExport.Plan(ConverterModel.Of(model).Write(_folder["in"]), _folder["out"], Gguf with { DType = DType.Q8_0 });

        if (count == 0)
        {
            Assert.DoesNotContain(plan.Warnings, warning => warning.Contains("Q8_0", StringComparison.Ordinal));
        }
        else
        {
            var warning = Assert.Single(plan.Warnings, warning => warning.Contains("Q8_0", StringComparison.Ordinal));
            Assert.StartsWith($"{count} tensors become float16, such as {first}", warning, StringComparison.Ordinal);
        }
    }

    [Fact]
    public void A_tensor_that_LLaMA_does_not_have_is_float32()
    {
        File.WriteAllBytes(_folder["in.gguf"], WithVocabulary(GgufBuilder.Llama(type: GgufBuilder.BF16)).Tensor("extra.bias", GgufBuilder.BF16, GgufBuilder.MakeData(GgufBuilder.BF16, 64, new Random(1)), 32, 2).Build());

        ErrorAssert.Throws(CheckpointErrorCode.UnmappedTensor, () => CheckpointExport.Plan(LlamaGgufCheckpoint.Read(_folder["in.gguf"]), _folder["out"], Gguf), "'extra.bias' is not a parameter of LLaMA");
        var written = Export(LlamaGgufCheckpoint.Read(_folder["in.gguf"]), "out", Gguf with { AllowUnmapped = true, DType = DType.Q8_0 });

        Assert.Equal(DType.Float32, written.Tensors.Single(tensor => tensor.Name == "extra.bias").DType);
    }

    [Fact]
    public void A_name_that_ggml_can_not_hold_is_refused()
    {
        var (longest, tooLong) = (new string('x', 63), new string('x', 64));
        File.WriteAllBytes(_folder["in.gguf"], WithVocabulary(GgufBuilder.Llama()).Tensor(longest, GgufBuilder.F32, new byte[4], 1).Build());
        Export(LlamaGgufCheckpoint.Read(_folder["in.gguf"]), "out", Gguf with { AllowUnmapped = true });

        File.WriteAllBytes(_folder["in.gguf"], WithVocabulary(GgufBuilder.Llama()).Tensor(tooLong, GgufBuilder.F32, new byte[4], 1).Build());
        ErrorAssert.Throws(
            CheckpointErrorCode.UnsupportedTensor,
            () => CheckpointExport.Plan(LlamaGgufCheckpoint.Read(_folder["in.gguf"]), _folder["out2"], Gguf with { AllowUnmapped = true }),
            tooLong, "longer than the 63 bytes");
        Assert.False(Directory.Exists(_folder["out2"]));
    }

    [Theory]
    [InlineData("model", "is not the name of a GGUF file")]
    [InlineData("model.bin", "is not the name of a GGUF file")]
    [InlineData(".gguf", "is not the name of a GGUF file")]
    [InlineData("", "is not the name of a GGUF file")]
    [InlineData("a/b.gguf", "is not the name of a GGUF file")]
    [InlineData("../b.gguf", "is not the name of a GGUF file")]
    [InlineData("model-00001-of-00002.gguf", "is a name for a part of a model")]
    [InlineData("model-00002-of-00002.GGUF", "is a name for a part of a model")]
    public void Other_names_are_refused(string name, string message) => ErrorAssert.Throws(
        CheckpointErrorCode.WriteFailed, () => CheckpointExport.Plan(Input, _folder["out"], new GgufExportOptions { FileName = name }), $"'{name}' {message}");

    [Theory]
    [InlineData("MODEL.GGUF")]
    [InlineData("model-00001-of-00001.gguf")]
    [InlineData("model-1-of-2.gguf")]
    [InlineData("llama 3 (8B).Q8_0.gguf")]
    public void These_names_are_written(string name)
    {
        CheckpointExport.Plan(Input, _folder["out"], new GgufExportOptions { FileName = name }).Execute();

        Assert.Equal([name], Names("out"));
    }

    [Fact]
    public void A_folder_of_that_name_is_in_the_way()
    {
        Directory.CreateDirectory(_folder["out/x.gguf"]);

        ErrorAssert.Throws(CheckpointErrorCode.OutputExists, () => CheckpointExport.Plan(Input, _folder["out"], Gguf), "x.gguf' is a folder");
        ErrorAssert.Throws(CheckpointErrorCode.OutputExists, () => CheckpointExport.Plan(Input, _folder["out"], Gguf with { Force = true }), "x.gguf' is a folder");
    }

    [Fact]
    public void Models_lie_side_by_side()
    {
        Export(Input, "out", Gguf);
        var before = CheckpointFolder.Snapshot(_folder["out"]);

        Export(Input, "out", new GgufExportOptions { FileName = "y.gguf", MaxShardSize = 10_000, DType = DType.Q8_0 });
        Export(Input, "out", new GgufExportOptions { FileName = "x2.gguf" });

        Assert.Equal(before["x.gguf"], CheckpointFolder.Snapshot(_folder["out"])["x.gguf"]);
        Assert.Equal(["x.gguf", "x2.gguf", "y-00001-of-00003.gguf", "y-00002-of-00003.gguf", "y-00003-of-00003.gguf"], Names("out"));
        Assert.Equal(3, LlamaGgufCheckpoint.Read(_folder["out/y-00001-of-00003.gguf"]).ShardCount);
    }

    [Theory]
    [InlineData(null, 10_000)]
    [InlineData(10_000, null)]
    [InlineData(10_000, 20_000)]
    public void Force_replaces_the_same_model_in_another_number_of_files(int? first, int? second)
    {
        Export(Input, "out", new GgufExportOptions { FileName = "other.gguf" });
        Export(Input, "out", new GgufExportOptions { FileName = "x-y.gguf", MaxShardSize = 10_000 });
        File.WriteAllText(_folder["out/notes.txt"], "stays");
        var others = CheckpointFolder.Snapshot(_folder["out"]);
        Export(Input, "out", Gguf with { MaxShardSize = first });
        ErrorAssert.Throws(CheckpointErrorCode.OutputExists, () => CheckpointExport.Plan(Input, _folder["out"], Gguf with { MaxShardSize = second }), "already holds x", "-Force");

        var plan = CheckpointExport.Plan(Input, _folder["out"], Gguf with { MaxShardSize = second, Force = true });
        Assert.NotEmpty(plan.StaleFiles);
        plan.Execute();
        Export(Input, "fresh", Gguf with { MaxShardSize = second });

        var after = CheckpointFolder.Snapshot(_folder["out"]);
        Assert.All(others, other => Assert.Equal(other.Value, after[other.Key]));
        Assert.Equal(CheckpointFolder.Snapshot(_folder["fresh"]), after.Where(file => !others.ContainsKey(file.Key)).ToDictionary());
        Assert.Equal(20, LlamaGgufCheckpoint.Read(_folder[$"out/{Names("fresh")[0]}"]).Tensors.Length);
    }

    [Fact]
    public void The_input_is_not_replaced()
    {
        Export(Input, "out", Gguf);

        ErrorAssert.Throws(
            CheckpointErrorCode.OutputExists,
            () => CheckpointExport.Plan(LlamaGgufCheckpoint.Read(_folder["out/x.gguf"]), _folder["out"], Gguf with { Force = true, DType = DType.Q8_0 }),
            "would replace its own input");
    }

    /// <summary>A file that another program writes while this one is exported is not replaced.</summary>
    [Fact]
    public void What_comes_in_the_meantime_stays()
    {
        var plan = CheckpointExport.Plan(Input, _folder["out"], Gguf);
        Directory.CreateDirectory(_folder["out"]);
        File.WriteAllText(_folder["out/x-00001-of-00002.gguf"], "mine");

        ErrorAssert.Throws(CheckpointErrorCode.OutputExists, () => plan.Execute(), "has written x-00001-of-00002.gguf", "in the meantime");
        Assert.Equal(["x-00001-of-00002.gguf"], Names("out"));
    }

    [Fact]
    public void Nothing_is_left_of_an_export_that_fails()
    {
        ConverterModel.Tied.Write(_folder["in"]);
        var plan = CheckpointExport.Plan(LlamaHuggingFaceCheckpoint.Read(_folder["in"]), _folder["out"], Gguf);
        using (var file = new FileStream(_folder["in/model.safetensors"], FileMode.Open))
        {
            file.SetLength(file.Length - 1);
        }

        Assert.Throws<CheckpointException>(() => plan.Execute());
        Assert.DoesNotContain(_folder.Content, name => name.StartsWith("out", StringComparison.Ordinal));
    }

    /// <summary>They go to three places of the new file.</summary>
    [Fact]
    public void Metadata_of_another_GGUF_file_are_read_at_once()
    {
        Export(ConverterModel.Tied.Write(_folder["in"]), "x", Gguf);
        var store = ObjectStore.Of(_folder["x"]);
        var read = LlamaGgufCheckpoint.Read(store.At("x.gguf"));
        store.ResetCounts();

        var plan = CheckpointExport.Plan(read, _folder["out"], Gguf);

        Assert.Equal(1, store.Requests);
        plan.Execute();
        Assert.Equal(Snapshot("x", "gguf"), Snapshot("out", "gguf"));
    }

    [Theory]
    [InlineData(null)]
    [InlineData(DType.Q8_0)]
    [InlineData(DType.Float16)]
    public void In_a_store_it_has_the_same_bytes(DType? dtype)
    {
        var store = new ObjectStore();
        var options = Gguf with { DType = dtype, MaxShardSize = 10_000 };

        var plan = CheckpointExport.Plan(Input, store.DestinationAt("runs/out"), options);
        plan.Execute();
        Export(Input, "out", options);

        Assert.Equal(Names("out").Select(name => $"runs/out/{name}"), store.Keys);
        Assert.All(Names("out"), name => Assert.Equal(File.ReadAllBytes(_folder[$"out/{name}"]), store[$"runs/out/{name}"]));
        Assert.Equal(20, plan.OpenResult().Tensors.Length);
        var read = LlamaGgufCheckpoint.Read(store.At("runs/out"));
        Assert.Equal($"memory://bucket/runs/out/{Names("out")[0]}", read.Files[0]);

        // And from there.
        var options2 = new HuggingFaceExportOptions { DType = DType.Float32 };
        CheckpointExport.Plan(read, _folder["from store"], options2).Execute();
        Export(LlamaGgufCheckpoint.Read(_folder["out"]), "from folder", options2);
        Assert.Equal(Snapshot("from folder", "hf"), Snapshot("from store", "hf"));
    }

    [Theory]
    [InlineData(1, "0.00K")]
    [InlineData(99, "0.10K")]
    [InlineData(1_000_000, "1000K")]
    [InlineData(260_032, "260K")]
    [InlineData(1_000_001, "1.0M")]
    [InlineData(2_250_000, "2.2M")]
    [InlineData(12_500_000, "12M")]
    [InlineData(13_500_000, "14M")]
    [InlineData(1_000_000_000, "1000M")]
    [InlineData(6_738_415_616, "6.7B")]
    [InlineData(8_030_261_312, "8.0B")]
    [InlineData(70_553_706_560, "71B")]
    [InlineData(405_853_388_800, "406B")]
    [InlineData(1_000_000_000_001, "1.0T")]
    public void Size_labels_are_those_of_gguf_py(long count, string label) => Assert.Equal(label, GeneralMetadata.LabelOf(count));

    private static GgufExportOptions Gguf { get; } = new() { FileName = "x.gguf" };

    private string Tokenizer
    {
        get
        {
            Directory.CreateDirectory(_folder["tokenizer"]);
            File.WriteAllBytes(_folder["tokenizer/tokenizer.model"], SentencePieceBuilder.OfSize(40).Build());
            return _folder["tokenizer"];
        }
    }

    private LlamaHuggingFaceCheckpoint Input => Directory.Exists(_folder["input"]) ? LlamaHuggingFaceCheckpoint.Read(_folder["input"]) : ConverterModel.Tied.Write(_folder["input"]);

    private LlamaCheckpoint Export(LlamaCheckpoint checkpoint, string folder, ExportOptions options)
    {
        var plan = CheckpointExport.Plan(checkpoint, _folder[folder], options);
        plan.Execute();
        return plan.OpenResult();
    }

    private GgufFile Open(string path) => GgufFile.Open(new LocalFile(_folder[path]));

    private string[] Names(string folder) => [.. Directory.EnumerateFileSystemEntries(_folder[folder]).Select(path => Path.GetFileName(path)!).Order(StringComparer.Ordinal)];

    /// <summary>Each key with its type and its value.</summary>
    private static string[] Keys(string path)
    {
        var bytes = File.ReadAllBytes(path);
        return [.. GgufFile.Open(new LocalFile(path)).Metadata.Entries
            .Select(entry => $"{entry.Key} {Convert.ToHexStringLower(bytes.AsSpan((int)entry.Range.Offset, (int)entry.Range.Length))}")];
    }

    /// <summary>The files, but for those that tell more than a GGUF file without a vocabulary can.</summary>
    private Dictionary<string, string> Snapshot(string folder, string format) =>
        CheckpointFolder.Snapshot(_folder[folder]).Where(file => !format.StartsWith("hf", StringComparison.Ordinal) || file.Key.EndsWith(".safetensors", StringComparison.Ordinal)).ToDictionary();

    private static ExportOptions OptionsFor(string format) => format switch
    {
        "hf" => new HuggingFaceExportOptions(),
        "hf/n" => new HuggingFaceExportOptions { MaxShardSize = 9000 },
        "fairseq2" => new Fairseq2ExportOptions(),
        "reference" => new ReferenceExportOptions { ShardCount = 1 },
        "gguf" => new GgufExportOptions { FileName = "x.gguf", Metadata = [new("name", "x")] },
        _ => new GgufExportOptions { FileName = "x.gguf", MaxShardSize = 9000, Metadata = [new("name", "x")] },
    };

    /// <summary>As much of one as an export looks for.</summary>
    private static GgufBuilder WithVocabulary(GgufBuilder builder) => builder.Key("tokenizer.ggml.model", "llama");
}
