using Fairseq2Llama.Merging;
using Fairseq2Llama.Reading;
using Fairseq2Llama.Stores.Local;
using Fairseq2Llama.Tests.Support;

namespace Fairseq2Llama.Tests.Merging;

/// <summary>A merged checkpoint is computed when it is read: each input once, and compared with its checksums.</summary>
public sealed class LazyMergeTests : IDisposable
{
    private const string Damaged = "decoder.layers.0.ffn.gate_proj.weight";

    private readonly TempFolder _folder = new();
    private readonly Dictionary<string, int[]> _reads = new(StringComparer.Ordinal);

    public LazyMergeTests()
    {
        FiniteModel.Write(_folder["one"], 1);
        FiniteModel.Write(_folder["two"], 2);
    }

    private static CancellationToken Token => TestContext.Current.CancellationToken;

    private LlamaCheckpoint One => Read("one");

    private LlamaCheckpoint Two => Read("two");

    public void Dispose() => _folder.Dispose();

    [Fact]
    public void Nothing_of_the_data_is_read_before_it_is_needed()
    {
        var (one, two) = (One, Two);
        var average = CheckpointAverage.Of([one, two]);
        var plan = CheckpointExport.Plan(average, _folder["out"], new Fairseq2ExportOptions { Architecture = FiniteModel.Architecture }, Token);

        Assert.All(one.Tensors.Concat(two.Tensors), tensor => Assert.Equal((0, 0), RangeOf(tensor)));
        Assert.NotNull(plan);
    }

    [Fact]
    public void Nothing_of_an_adapter_but_its_index_is_read_before_it_is_needed()
    {
        LibTorch.Require();
        var (one, lora) = (One, WriteLora());

        var merged = LoraMerge.Of(one, lora, alpha: 2);

        Assert.Equal(MergeRole.Adapter, merged.Sources[1].Role);
        Assert.All(one.Tensors, tensor => Assert.Equal((0, 0), RangeOf(tensor)));
    }

    [Theory]
    [InlineData("fairseq2")]
    [InlineData("reference")]
    [InlineData("HuggingFace")]
    [InlineData("HuggingFace, several files")]
    public void An_export_of_an_average_reads_each_byte_once(string format)
    {
        var (one, two) = (One, Two);
        ExportOptions options = format switch
        {
            "fairseq2" => new Fairseq2ExportOptions { Architecture = FiniteModel.Architecture },
            "reference" => new ReferenceExportOptions { Architecture = FiniteModel.Architecture, ShardCount = 1 },
            "HuggingFace" => new HuggingFaceExportOptions { Architecture = FiniteModel.Architecture },
            _ => new HuggingFaceExportOptions { Architecture = FiniteModel.Architecture, MaxShardSize = 3_000_000 },
        };

        Export(CheckpointAverage.Of([one, two]), options);

        Assert.All(one.Tensors.Concat(two.Tensors), tensor => Assert.Equal((1, 1), RangeOf(tensor)));
    }

    /// <summary>
    /// Rows of queries and keys have another order in the other input, so that they are computed head by head. The checksum of what is put into another order takes a pass of its own, as in any
    /// export.
    /// </summary>
    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public void An_export_of_an_average_of_two_formats_reads_each_byte_once_and_for_its_checksum(bool isHalfSplitFirst)
    {
        MergeModels.Export(Read("two"), _folder["hf"], new HuggingFaceExportOptions { Architecture = FiniteModel.Architecture });
        var (one, two) = (One, Read("hf"));

        Export(CheckpointAverage.Of(isHalfSplitFirst ? [two, one] : [one, two]), new Fairseq2ExportOptions { Architecture = FiniteModel.Architecture });

        Assert.All(two.Tensors, tensor => Assert.Equal((1, 1), RangeOf(tensor)));
        Assert.All(one.Tensors, tensor => Assert.Equal(isHalfSplitFirst && tensor.ParsedName.IsRotary ? (2, 2) : (1, 1), RangeOf(tensor)));
    }

    /// <summary>Whoever computes all windows again has the inputs read once more, and the matrices of a LoRA not for each window.</summary>
    [Fact]
    public void Two_passes_read_each_byte_twice()
    {
        LibTorch.Require();
        FiniteModel.WriteLora(_folder["lora"], "decoder.layers.0.self_attn.q_proj", 640, 640);
        var weight = One.Tensors.Single(tensor => tensor.Name.EndsWith("q_proj.weight", StringComparison.Ordinal));
        var lora = Read("lora/lora.pt").Tensors;
        var (a, b) = (lora.Single(tensor => tensor.Name.EndsWith("lora_A", StringComparison.Ordinal)), lora.Single(tensor => tensor.Name.EndsWith("lora_B", StringComparison.Ordinal)));
        var recipe = new LowRankUpdate(DType.Float32, weight, new LoraFactors(b, a, 1), null);
        using var data = new TensorData([], Token);
        var inputs = new RecipeInputs(data, recipe);
        var target = new byte[recipe.Length / 8];

        for (var pass = 1; pass <= 2; pass++)
        {
            for (var window = 0; window < 8; window++)
            {
                recipe.Compute(new TensorWindow(window * 80, 80, 0, 640), target, inputs);
                inputs.Done(target.Length);
            }

            Assert.All(recipe.Inputs, tensor => Assert.Equal((pass, pass), RangeOf(tensor)));
        }
    }

    [Fact]
    public void An_export_of_a_merged_LoRA_reads_each_byte_of_the_model_once()
    {
        LibTorch.Require();
        var one = One;
        Export(LoraMerge.Of(one, WriteLora(), alpha: 2), new Fairseq2ExportOptions { Architecture = FiniteModel.Architecture });

        Assert.All(one.Tensors, tensor => Assert.Equal((1, 1), RangeOf(tensor)));
    }

    [Fact]
    public void Measuring_reads_each_byte_once()
    {
        var (one, two) = (One, Two);
        using var measurement = new TensorMeasurement(cancellationToken: Token);

        foreach (var tensor in CheckpointAverage.Of([one, two]).Tensors)
        {
            measurement.Measure(tensor);
        }

        Assert.All(one.Tensors.Concat(two.Tensors), tensor => Assert.Equal((1, 1), RangeOf(tensor)));
    }

    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public void A_damaged_input_is_found_by_an_export_which_leaves_nothing(bool isMixed)
    {
        var average = DamagedAverage(isMixed);

        ErrorAssert.Throws(
            CheckpointErrorCode.CheckpointCorrupt,
            () => MergeModels.Export(average, _folder["out"], new Fairseq2ExportOptions { Architecture = FiniteModel.Architecture }),
            _folder["one/model.pt"]);

        Assert.False(Directory.Exists(_folder["out"]));
    }

    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public void A_damaged_input_is_found_when_the_tensor_is_measured(bool isMixed)
    {
        using var measurement = new TensorMeasurement(cancellationToken: Token);
        var average = DamagedAverage(isMixed);

        foreach (var tensor in average.Tensors)
        {
            var error = Record.Exception(() => measurement.Measure(tensor));
            Assert.Equal(tensor.Fairseq2Name == Damaged ? CheckpointErrorCode.CheckpointCorrupt : null, (error as CheckpointException)?.Code);
        }
    }

    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public void A_damaged_input_is_found_by_a_deep_test(bool isMixed)
    {
        var average = DamagedAverage(isMixed);

        Assert.True(CheckpointTest.Run(average, new CheckpointTestOptions { Architecture = FiniteModel.Architecture }, cancellationToken: Token).Passed);
        var result = CheckpointTest.Run(average, new CheckpointTestOptions { Architecture = FiniteModel.Architecture, Deep = true }, cancellationToken: Token);

        Assert.False(result.Passed);
        Assert.Contains(result.Findings, finding => finding.Code == CheckpointErrorCode.CheckpointCorrupt && finding.Message.Contains(_folder["one/model.pt"], StringComparison.Ordinal));
    }

    [Fact]
    public void A_damaged_LoRA_is_found_by_an_export()
    {
        LibTorch.Require();
        var lora = WriteLora();
        var storage = TensorFiles.Read(lora)[0].Tensor.Storage;

        using (var file = new FileStream(lora, FileMode.Open))
        {
            file.Position = storage.Offset + 40;
            file.WriteByte(0x41);
        }

        ErrorAssert.Throws(
            CheckpointErrorCode.CheckpointCorrupt,
            () => MergeModels.Export(LoraMerge.Of(One, lora, alpha: 2), _folder["out"], new Fairseq2ExportOptions { Architecture = FiniteModel.Architecture }),
            lora);

        Assert.False(Directory.Exists(_folder["out"]));
    }

    [Fact]
    public void An_input_that_was_changed_since_is_found()
    {
        var average = CheckpointAverage.Of([One, Two]);
        File.AppendAllText(_folder["two/model.pt"], "x");

        ErrorAssert.Throws(
            CheckpointErrorCode.CheckpointCorrupt,
            () => MergeModels.Export(average, _folder["out"], new Fairseq2ExportOptions { Architecture = FiniteModel.Architecture }),
            _folder["two/model.pt"],
            "changed");
    }

    [Theory]
    [InlineData(0)]
    [InlineData(1_000_000)]
    [InlineData(12_000_000)]
    public void A_cancelled_export_leaves_nothing(long bytes)
    {
        using var stop = new CancellationTokenSource();
        var plan = CheckpointExport.Plan(CheckpointAverage.Of([One, Two]), _folder["out"], new HuggingFaceExportOptions { Architecture = FiniteModel.Architecture }, stop.Token);
        var progress = new ProgressTo(written =>
        {
            if (written.BytesDone >= bytes)
            {
                stop.Cancel();
            }
        });

        Assert.ThrowsAny<OperationCanceledException>(() => plan.Execute(progress, stop.Token));

        Assert.Equal(["one", "one/model.pt", "two", "two/model.pt"], _folder.Content);
    }

    [Fact]
    public void Damage_is_not_looked_for_if_nobody_wants_to_know()
    {
        var average = DamagedAverage(isMixed: false);

        MergeModels.Export(average, _folder["out"], new Fairseq2ExportOptions { Architecture = FiniteModel.Architecture, Verification = VerificationMode.None });

        Assert.Contains("out/model.pt", _folder.Content);
    }

    private MergedCheckpoint DamagedAverage(bool isMixed)
    {
        if (isMixed)
        {
            MergeModels.Export(Read("two"), _folder["hf"], new HuggingFaceExportOptions { Architecture = FiniteModel.Architecture });
        }

        Support.CheckpointFolder.Damage(_folder["one"], Damaged);
        return CheckpointAverage.Of(isMixed ? [Read("hf"), Read("one")] : [Read("one"), Read("two")]);
    }

    private LlamaCheckpoint Read(string name) => CheckpointReader.Read(new CountingFolder(new LocalFolder(_folder[name]), _reads), cancellationToken: Token);

    /// <summary>Exports it, and forgets what was read before: the plan compares the output with the embeddings.</summary>
    private void Export(LlamaCheckpoint checkpoint, ExportOptions options)
    {
        var plan = CheckpointExport.Plan(checkpoint, _folder["out"], options, Token);
        _reads.Clear();
        plan.Execute(cancellationToken: Token);
    }

    /// <summary>Writes a LoRA of fairseq2 for the keys.</summary>
    /// <returns>Its path.</returns>
    private string WriteLora() => FiniteModel.WriteLora(_folder["lora"], "decoder.layers.0.self_attn.k_proj", 320, 640);

    private (int Least, int Most) RangeOf(CheckpointTensor tensor)
    {
        var storage = tensor.Shards[0].Tensor.Storage;
        var counts = _reads.TryGetValue(storage.Source.Name, out var all) ? all.AsSpan((int)storage.Offset, (int)storage.Length).ToArray() : [0];
        return (counts.Min(), counts.Max());
    }
}
