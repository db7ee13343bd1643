using System.Management.Automation;
using System.Text.Json;
using Fairseq2Llama.Tests.Support;

namespace Fairseq2Llama.Tests.Cmdlets;

public sealed class CompareLlamaCheckpointTests : IDisposable
{
    /// <summary>Saves another checkpoint, made of the weights <c>w</c> of fs2 by what stands in its place.</summary>
    private const string Change =
        """
        import json, sys, torch
        w = torch.load(sys.argv[1])['model']
        q, norm = 'decoder.layers.1.self_attn.q_proj.weight', 'decoder.layer_norm.weight'
        CHANGE
        torch.save({'model': w, 'model_key': 'model', 'fs2': True}, sys.argv[2])
        """;

    private readonly Session _session = new();
    private readonly TempFolder _folder = new();

    public CompareLlamaCheckpointTests()
    {
        _session["cases"] = Repository.Data("checkpoints");
        _session["huggingface"] = Repository.Data("huggingface");
        _session["tiny"] = TinyModel.Architecture;
        _session["tied"] = TinyModel.Tied;
        _session["folder"] = _folder.Path;
        _session.Location = _folder.Path;
        _session.Run("$fs2 = Read-Fairseq2Checkpoint $cases/fs2");
    }

    public void Dispose()
    {
        _session.Dispose();
        _folder.Dispose();
    }

    public static TheoryData<string, string> Same => new()
    {
        { "$fs2", "Read-Fairseq2Checkpoint $cases/legacy" },
        { "$fs2", "Read-Fairseq2Checkpoint $cases/deflated" },
        { "$fs2", "Read-Fairseq2Checkpoint $cases/big-endian" },
        { "$fs2", "Read-LlamaHuggingFaceCheckpoint $huggingface/single" },
        { "$fs2", "Read-LlamaHuggingFaceCheckpoint $huggingface/sharded" },
        { "Read-LlamaHuggingFaceCheckpoint $huggingface/sharded", "Read-LlamaHuggingFaceCheckpoint $huggingface/single" },
        { "$fs2", "$fs2 | Export-LlamaReferenceCheckpoint one -Architecture $tiny" },
        { "$fs2", "$fs2 | Export-LlamaReferenceCheckpoint two -Architecture $tiny -ShardCount 2" },
        { "$fs2 | Export-LlamaReferenceCheckpoint two -Architecture $tiny -ShardCount 2", "Read-LlamaHuggingFaceCheckpoint $huggingface/sharded" },
        { "Read-Fairseq2Checkpoint $cases/tp2-llama2", "Read-Fairseq2Checkpoint $cases/tp2-llama2 | Export-LlamaReferenceCheckpoint one -Architecture $tiny -ShardCount 1" },
        { "Read-Fairseq2Checkpoint $cases/tied", "Read-Fairseq2Checkpoint $cases/tied-absent" },
        { "Read-Fairseq2Checkpoint $cases/tied-absent", "Read-Fairseq2Checkpoint $cases/tied-absent | Export-LlamaReferenceCheckpoint one -Architecture $tied" },
        { "Read-Fairseq2Checkpoint $cases/tied", "Read-LlamaHuggingFaceCheckpoint $huggingface/tied" },
        { "Read-LlamaHuggingFaceCheckpoint $huggingface/tied", "Read-Fairseq2Checkpoint $cases/tied-absent" },
    };

    [Theory]
    [MemberData(nameof(Same))]
    public void The_same_model_is_equal_whatever_its_format(string reference, string difference)
    {
        var comparisons = _session.Run<TensorComparison>($"Compare-LlamaCheckpoint ({reference}) ({difference})");

        Assert.InRange(comparisons.Length, 20, 21);
        Assert.All(comparisons, comparison => Assert.Equal((ComparisonResult.Equal, 0), (comparison.Result, comparison.DifferingElements)));
        Assert.All(comparisons, comparison => Assert.Null(comparison.MaxAbsoluteDifference));
    }

    [External]
    [Fact]
    public void Rows_in_the_other_rotary_order_are_different()
    {
        // As a conversion that forgot to permute them would give.
        Save(
            """
            rows = torch.arange(16).view(4, 2, 2).transpose(1, 2).reshape(-1)
            w[q] = w[q][rows]
            """);

        var different = _session.RunOne<TensorComparison>("Compare-LlamaCheckpoint $fs2 (Read-Fairseq2Checkpoint changed) | Where-Object Result -ne Equal");

        Assert.Equal(("decoder.layers.1.self_attn.q_proj.weight", 1, ComparisonResult.Different), (different.Name, different.Layer, different.Result));
    }

    [External]
    [Fact]
    public void Counts_the_elements_that_differ_in_any_bit()
    {
        Save("w[q][3, 4] += 1; w[q][3, 6] = -w[q][3, 6]; w[q][15, 15] = 7; w[norm][0] += 1e-6");

        var different = _session.Run<TensorComparison>("Compare-LlamaCheckpoint $fs2 (Read-Fairseq2Checkpoint changed) | Where-Object Result -ne Equal");

        Assert.Equal([("decoder.layers.1.self_attn.q_proj.weight", 3), ("decoder.layer_norm.weight", 1)], different.Select(item => (item.Name, (int)item.DifferingElements!)));
        Assert.Equal(["max 7.003, relative norm 22.35", "max 9.537E-07, relative norm 2.372E-07"], different.Select(item => item.Description));
        Assert.Equal(("fs2", "changed"), (different[0].Reference, different[0].Difference));
    }

    [External]
    [Fact]
    public void Says_what_was_not_compared()
    {
        Save("w[norm] = w[norm].half(); w[q] = w[q][:8].clone(); del w['decoder.layers.0.ffn.inner_proj.weight']; w['extra'] = w[norm]");

        var other = _session.Run<TensorComparison>("Compare-LlamaCheckpoint $fs2 (Read-Fairseq2Checkpoint changed) | Where-Object Result -ne Equal");

        Assert.Equal(
            [
                "decoder.layers.0.ffn.inner_proj.weight: OnlyInReference",
                "decoder.layers.1.self_attn.q_proj.weight: ShapeDiffers",
                "decoder.layer_norm.weight: DTypeDiffers",
                "extra: OnlyInDifference",
            ],
            other.Select(item => item.ToString()));
        Assert.Equal(["float32 48x16", "16x16 and 8x16", "float32 and float16", "float16 16"], other.Select(item => item.Description));
        Assert.All(other, item => Assert.Null(item.DifferingElements));
        Assert.Null(other[0].DifferenceTensor);
        Assert.Null(other[3].ReferenceTensor);
    }

    [External]
    [Fact]
    public void A_parameter_under_the_names_of_two_formats_is_an_error()
    {
        _session.Run("$null = $fs2 | Export-LlamaReferenceCheckpoint out -Architecture $tiny");
        PyTorch.Ask(
            "import sys, torch; w = torch.load(sys.argv[1]); w['decoder.layer_norm.weight'] = w['norm.weight']; torch.save(w, sys.argv[1])",
            _folder["out/consolidated.00.pth"]);

        _session.RunForError(
            CheckpointErrorCode.UnmappedTensor, "Compare-LlamaCheckpoint $fs2 (Read-LlamaReferenceCheckpoint out)", "'norm.weight'", "'decoder.layer_norm.weight'");
    }

    [Fact]
    public void Within_a_tolerance_types_do_not_matter()
    {
        const string Compare = "Compare-LlamaCheckpoint $fs2 (Read-LlamaHuggingFaceCheckpoint $huggingface/half)";

        Assert.All(_session.Run<TensorComparison>(Compare), item => Assert.Equal(ComparisonResult.DTypeDiffers, item.Result));
        Assert.All(_session.Run<TensorComparison>($"{Compare} -Tolerance 1e-3"), item => Assert.Equal(ComparisonResult.Equal, item.Result));
        Assert.All(_session.Run<TensorComparison>($"{Compare} -Tolerance 0"), item => Assert.Equal(ComparisonResult.Different, item.Result));
        Assert.All(_session.Run<TensorComparison>($"{Compare} -Tolerance 0"), item => Assert.InRange(item.CosineSimilarity!.Value, 0.999999, 0.99999999999));
    }

    [External]
    [Fact]
    public void Complex_numbers_are_compared_with_each_other_only()
    {
        Save("w['extra'] = w[norm] + 1j");
        Directory.Move(_folder["changed"], _folder["first"]);
        Save("w['extra'] = w[norm]");
        const string Compare = "Where-Object Name -eq extra";

        Assert.Equal(
            ComparisonResult.DTypeDiffers,
            _session.RunOne<TensorComparison>($"Compare-LlamaCheckpoint (Read-Fairseq2Checkpoint first) (Read-Fairseq2Checkpoint changed) -Tolerance 9 | {Compare}").Result);
        Assert.Equal(
            ComparisonResult.Equal,
            _session.RunOne<TensorComparison>($"Compare-LlamaCheckpoint (Read-Fairseq2Checkpoint first) (Read-Fairseq2Checkpoint first) -Tolerance 0 | {Compare}").Result);
    }

    [External]
    [Fact]
    public void Gives_the_distances_that_PyTorch_gives()
    {
        var output = Save(
            """
            other = {name: (value + 0.01 * torch.randn(value.shape)).bfloat16() for name, value in w.items()}
            w, old = other, w
            print(json.dumps({name: [
                (old[name].double() - w[name].double()).abs().max().item(),
                (old[name].double() - w[name].double()).abs().mean().item(),
                torch.cosine_similarity(old[name].double().flatten(), w[name].double().flatten(), dim=0).item(),
                (old[name].double() != w[name].double()).sum().item(),
            ] for name in w}))
            """);
        var expected = JsonSerializer.Deserialize<Dictionary<string, double[]>>(output)!;

        var comparisons = _session.Run<TensorComparison>("Compare-LlamaCheckpoint $fs2 (Read-Fairseq2Checkpoint changed) -Tolerance 1e-9");

        Assert.Equal(expected.Count, comparisons.Length);
        Assert.All(comparisons, item =>
        {
            Assert.Equal(expected[item.Name][0], item.MaxAbsoluteDifference);
            Assert.Equal(expected[item.Name][1], item.MeanAbsoluteDifference!.Value, 1e-15);
            Assert.Equal(expected[item.Name][2], item.CosineSimilarity!.Value, 1e-12);
            Assert.Equal((long)expected[item.Name][3], item.DifferingElements);
        });
    }

    [External]
    [Fact]
    public void What_is_the_same_and_not_finite_is_no_distance_and_what_only_one_has_is_infinite()
    {
        Save("w[norm][:3] = torch.tensor([float('nan'), float('inf'), float('-inf')])");
        Directory.Move(_folder["changed"], _folder["first"]);
        Save("w[norm][:3] = torch.tensor([float('nan'), float('inf'), float('-inf')]); w[q][0, 0] = float('nan')");

        var comparisons = _session.Run<TensorComparison>("Compare-LlamaCheckpoint (Read-Fairseq2Checkpoint first) (Read-Fairseq2Checkpoint changed) -Tolerance 1")
            .ToDictionary(item => item.Name, StringComparer.Ordinal);

        Assert.Equal((ComparisonResult.Equal, 0d, 0L), Describe(comparisons["decoder.layer_norm.weight"]));
        Assert.Equal((ComparisonResult.Different, double.PositiveInfinity, 1L), Describe(comparisons["decoder.layers.1.self_attn.q_proj.weight"]));
        Assert.Null(comparisons["decoder.layers.1.self_attn.q_proj.weight"].CosineSimilarity);

        Assert.Equal("max 0, relative norm 0", comparisons["decoder.layer_norm.weight"].Description);
        Assert.Equal("max Infinity", comparisons["decoder.layers.1.self_attn.q_proj.weight"].Description);

        static (ComparisonResult, double?, long?) Describe(TensorComparison item) => (item.Result, item.MaxAbsoluteDifference, item.DifferingElements);
    }

    [External]
    [Fact]
    public void Gives_only_what_differs_and_tells_the_host_nothing_then()
    {
        Save("w[q][3, 4] += 1; del w['decoder.layers.0.ffn.inner_proj.weight']");

        var different = _session.Run<TensorComparison>("Compare-LlamaCheckpoint $fs2 (Read-Fairseq2Checkpoint changed) -DifferentOnly");

        Assert.Equal(
            ["decoder.layers.0.ffn.inner_proj.weight: OnlyInReference", "decoder.layers.1.self_attn.q_proj.weight: Different"],
            different.Select(item => item.ToString()));
        Assert.Empty(_session.Host.TakeLines());
    }

    [Theory]
    [InlineData("-DifferentOnly", "fs2 and legacy: all 21 tensors are equal, bit for bit.")]
    [InlineData("-DifferentOnly -Tolerance 0.5", "fs2 and legacy: all 21 tensors are equal, within 0.5.")]
    public void Says_so_where_nothing_differs(string arguments, string expected)
    {
        var compare = $"Compare-LlamaCheckpoint $fs2 (Read-Fairseq2Checkpoint $cases/legacy) {arguments}";

        Assert.Empty(_session.Run(compare));
        Assert.Equal([expected], _session.Host.TakeLines());

        Assert.Empty(_session.Run($"{compare} -InformationAction Ignore"));
        Assert.Empty(_session.Run($"{compare} 6>$null"));
        Assert.Empty(_session.Host.TakeLines());
    }

    [Fact]
    public void Does_not_say_that_all_is_equal_where_a_tensor_can_not_be_read()
    {
        CheckpointFolder.Copy("fs2", _folder["damaged"]);
        CheckpointFolder.Damage(_folder["damaged"], "decoder.layers.0.ffn.gate_proj.weight");

        var outcome = _session.RunOn("Compare-LlamaCheckpoint $fs2 (Read-Fairseq2Checkpoint damaged) -DifferentOnly -Verbose");

        Assert.Empty(outcome.Output);
        Assert.Single(outcome.Errors);
        Assert.Equal("fs2 and damaged: 1 of 21 tensors is not readable.", Assert.Single(outcome.Verbose));
        Assert.Empty(_session.Host.TakeLines());
    }

    [Fact]
    public void Gives_a_summary_of_each_checkpoint_that_comes_down_the_pipeline()
    {
        var summaries = _session.Run<CheckpointComparisonSummary>(
            "& { Read-Fairseq2Checkpoint $cases/legacy; Read-LlamaHuggingFaceCheckpoint $huggingface/half } | Compare-LlamaCheckpoint $fs2 -Summary");

        Assert.Equal([true, false], summaries.Select(summary => summary.AreEqual));
        Assert.Equal(["fs2 and legacy: all 21 tensors are equal, bit for bit", "fs2 and half: 21 of 21 tensors are different in type"], summaries.Select(summary => summary.ToString()));
    }

    [Fact]
    public void A_summary_counts_what_could_not_be_read()
    {
        CheckpointFolder.Copy("fs2", _folder["damaged"]);
        CheckpointFolder.Damage(_folder["damaged"], "decoder.layers.0.ffn.gate_proj.weight");

        var outcome = _session.RunOn("Compare-LlamaCheckpoint $fs2 (Read-Fairseq2Checkpoint damaged) -Summary");

        ErrorAssert.Is(CheckpointErrorCode.CheckpointCorrupt, Assert.Single(outcome.Errors), "damaged", "CRC-32");
        Assert.Equal(1, Assert.IsType<CheckpointComparisonSummary>(Assert.Single(outcome.Output).BaseObject).NotCompared);
    }

    [Fact]
    public void A_summary_has_no_tensors_to_leave_out() =>
        Assert.IsType<ParameterBindingException>(_session.RunForError("Compare-LlamaCheckpoint $fs2 $fs2 -Summary -DifferentOnly").Exception, exactMatch: false);

    [Fact]
    public void Compares_each_checkpoint_that_comes_down_the_pipeline() =>
        Assert.Equal(42, _session.Run<TensorComparison>("'legacy', 'deflated' | ForEach-Object { \"$cases/$_\" } | Read-Fairseq2Checkpoint | Compare-LlamaCheckpoint $fs2").Length);

    [Fact]
    public void Reports_a_damaged_tensor_and_compares_the_others()
    {
        CheckpointFolder.Copy("fs2", _folder["damaged"]);
        CheckpointFolder.Damage(_folder["damaged"], "decoder.layers.0.ffn.gate_proj.weight");

        var outcome = _session.RunOn("Compare-LlamaCheckpoint $fs2 (Read-Fairseq2Checkpoint damaged)");

        ErrorAssert.Is(CheckpointErrorCode.CheckpointCorrupt, Assert.Single(outcome.Errors), "damaged", "CRC-32");
        Assert.Equal(20, outcome.Output.Count);
    }

    [External]
    [Fact]
    public void Reports_each_tensor_that_lies_in_a_damaged_record()
    {
        Save(
            """
            flat = torch.cat([value.flatten() for value in w.values()])
            w = {name: part.view(value.shape) for (name, value), part in zip(w.items(), flat.split([value.numel() for value in w.values()]))}
            """);
        CheckpointFolder.Damage(_folder["changed"], "decoder.layers.0.ffn.gate_proj.weight");

        var outcome = _session.RunOn("Compare-LlamaCheckpoint $fs2 (Read-Fairseq2Checkpoint changed)");

        Assert.Empty(outcome.Output);
        Assert.Equal(21, outcome.Errors.Count);
        Assert.All(outcome.Errors, error => ErrorAssert.Is(CheckpointErrorCode.CheckpointCorrupt, error, "CRC-32"));
    }

    [Theory]
    [InlineData("-1")]
    [InlineData("NaN")]
    public void Refuses_a_tolerance_that_makes_no_sense(string tolerance) =>
        Assert.IsType<ParameterBindingException>(_session.RunForError($"Compare-LlamaCheckpoint $fs2 $fs2 -Tolerance ([double]'{tolerance}')").Exception, exactMatch: false);

    [Fact]
    public void Can_be_stopped()
    {
        using var stop = new CancellationTokenSource();
        using var comparison = new CheckpointComparison(
            Fairseq2Checkpoint.Read(Repository.Case("fs2")), Fairseq2Checkpoint.Read(Repository.Case("legacy")), null, null, stop.Token);
        stop.Cancel();

        Assert.Throws<OperationCanceledException>(() => comparison.Compare(comparison.Pairs[0]));
    }

    [Fact]
    public void Progress_goes_to_the_end()
    {
        var seen = new List<ByteProgress>();
        using var comparison = new CheckpointComparison(
            Fairseq2Checkpoint.Read(Repository.Case("fs2")), Fairseq2Checkpoint.Read(Repository.Case("legacy")), null, new ProgressTo(seen.Add));

        foreach (var pair in comparison.Pairs)
        {
            comparison.Compare(pair);
        }

        Assert.Equal(2 * comparison.Pairs.Sum(pair => pair.Reference!.SizeInBytes), seen[^1].BytesTotal);
        Assert.Equal(seen[^1].BytesTotal, seen[^1].BytesDone);
    }

    private string Save(string change)
    {
        Directory.CreateDirectory(_folder["changed"]);
        return PyTorch.Ask(Change.Replace("CHANGE", change, StringComparison.Ordinal), Path.Combine(Repository.Case("fs2"), "model.pt"), _folder["changed/model.pt"]);
    }
}
