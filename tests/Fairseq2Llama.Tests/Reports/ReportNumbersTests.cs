using System.Globalization;
using System.Text.Json;
using Fairseq2Llama.Tests.Support;

namespace Fairseq2Llama.Tests.Reports;

/// <summary>The numbers of a report, held against those that PyTorch finds in the same files.</summary>
public sealed class ReportNumbersTests
{
    /// <summary>Sums what is in files, by kind and by layer, by names that are taken apart here and nowhere else.</summary>
    private const string Sums =
        """
        import collections, json, re, sys, torch
        KINDS = [('Embedding', r'decoder_frontend\.embed\.weight'), ('Output', r'final_proj\.weight'),
                 ('Attention query', r'.*\.q_proj\.weight'), ('Attention key', r'.*\.k_proj\.weight'), ('Attention value', r'.*\.v_proj\.weight'),
                 ('Attention output', r'.*\.self_attn\.output_proj\.weight'), ('FFN', r'.*\.ffn\.\w+_proj\.weight'), ('Norms', r'.*layer_norm\.weight')]
        kinds, layers = collections.defaultdict(lambda: [0, 0, 0]), collections.defaultdict(lambda: [0, 0, 0])
        state = torch.load(sys.argv[1], map_location='cpu')
        seen = set()
        for name, tensor in state.get('model', state).items():
            kind = next((kind for kind, pattern in KINDS if re.fullmatch(pattern, name)), 'Other')
            layer = re.match(r'decoder\.layers\.(\d+)\.', name)
            for sums in [kinds[kind], layers[layer.group(1) if layer else '']]:
                sums[0] += 1
                if tensor.data_ptr() in seen: continue
                sums[1] += tensor.numel()
                sums[2] += tensor.numel() * tensor.element_size()
            seen.add(tensor.data_ptr())
        print(json.dumps({'kinds': kinds, 'layers': layers}))
        """;

    [External]
    [Theory]
    [InlineData("fs2")]
    [InlineData("lora")]
    [InlineData("bias")]
    [InlineData("tied")]
    [InlineData("flat")]
    public void Are_those_of_PyTorch(string name) => AssertSums(Repository.Case(name));

    [External]
    [Fact]
    public void Are_those_of_PyTorch_for_the_example() => AssertSums(Path.Combine(Repository.Root, "examples", "tiny-llama"));

    /// <summary>However a model is divided and whatever its format, it has the same weights; only rows that every rank has a copy of are more in files.</summary>
    [Theory]
    [InlineData("checkpoints/tp2-llama3", "checkpoints/fs2")]
    [InlineData("checkpoints/tp2-llama2", "checkpoints/fs2")]
    [InlineData("huggingface/single", "checkpoints/fs2")]
    [InlineData("huggingface/sharded", "checkpoints/fs2")]
    public void Are_the_same_however_the_model_is_stored(string stored, string whole)
    {
        var expected = Gather(Repository.Data(whole));
        var actual = Gather(Repository.Data(stored));

        Assert.Equal(expected.Kinds.Select(kind => (kind.Name, kind.Weights)), actual.Kinds.Select(kind => (kind.Name, kind.Weights)));
        Assert.Equal(expected.Layers.Select(layer => (layer.Layer, layer.Part.Weights)), actual.Layers.Select(layer => (layer.Layer, layer.Part.Weights)));
    }

    /// <summary>By hand: of 7,504 numbers 5 norms of 16 are in both files, and all others in one.</summary>
    [Fact]
    public void Say_what_each_file_holds()
    {
        var report = Gather(Repository.Case("tp2-llama3"));

        Assert.Equal(["model.0.pt", "model.1.pt"], report.Files.Select(file => file.Name));
        Assert.Equal([0, 1], report.Files.Select(file => file.Place!.Value.TensorParallel));
        Assert.All(report.Files, file => Assert.Equal(((7504 - 80) / 2) + 80, file.Weights.Parameters));
        Assert.Equal(report.Files.Select(file => new FileInfo(Path.Combine(report.Checkpoint.Path, file.Name)).Length), report.Files.Select(file => file.Length));
    }

    [Fact]
    public void Say_nothing_of_weights_of_files_that_hold_none()
    {
        var config = Gather(Repository.Data("huggingface/single")).Files.Single(file => file.Name == "config.json");

        Assert.Null(config.Place);
        Assert.Equal(0, config.Weights.Bytes);
    }

    [Fact]
    public void Hold_every_number_of_the_architecture_against_the_shapes()
    {
        var settings = Gather(Repository.Case("fs2"), TinyModel.Architecture with { VocabSize = 41, NumAttnHeads = 2, NumKeyValueHeads = 1 }).Settings.ToDictionary(setting => setting.Name);

        Assert.Equal(("41", "40", "differs"), Read("VocabSize"));
        Assert.Equal(("2", "2", "agrees"), Read("NumLayers"));
        Assert.Equal(("16", "16", "agrees"), Read("ModelDim"));
        Assert.Equal(("48", "48", "agrees"), Read("FfnInnerDim"));
        Assert.Equal(("8", "8", "agrees"), Read("KeyValueDim"));
        Assert.Equal(("2", null, "not in shapes"), Read("NumAttnHeads"));
        Assert.Equal(("1e-05", null, "not in shapes"), Read("NormEps"));

        (string?, string?, string) Read(string name) => (settings[name].Expected, settings[name].Found, settings[name].VerdictText);
    }

    [Theory]
    [InlineData("checkpoints/tied", true, "one storage for both", "agrees")]
    [InlineData("checkpoints/tied-absent", true, "no output projection", "agrees")]
    [InlineData("checkpoints/tied-absent", false, "no output projection", "differs")]
    [InlineData("checkpoints/fs2", false, "two tensors", "agrees")]
    [InlineData("checkpoints/fs2", true, "two tensors", "not clear")]
    public void Tell_whether_the_output_is_tied(string path, bool isTied, string found, string verdict)
    {
        var tied = Gather(Repository.Data(path), TinyModel.Architecture with { TiedEmbeddings = isTied }).Settings.Single(setting => setting.Name == "TiedEmbeddings");

        Assert.Equal((found, verdict), (tied.Found, tied.VerdictText));
    }

    [Theory]
    [InlineData("tied", ", tied ones once")]
    [InlineData("fs2", "")]
    public void Say_that_tied_weights_count_once(string name, string words)
    {
        var report = Gather(Repository.Case(name));

        Assert.Contains($"<span>{report.Weights.Bytes:N0} bytes{words}</span>", report.ToText(ReportFormat.Html), StringComparison.Ordinal);
    }

    [Fact]
    public void Take_neighbouring_layers_together_that_are_as_large_as_each_other()
    {
        var report = Gather(Repository.Case("bias"));
        var runs = Fairseq2Llama.Reports.LayerRun.AllOf(report.Layers);

        // The bias of 16 numbers is in layer 0.
        Assert.Equal(["Layer 0", "Layer 1"], runs.Select(run => run.Name));
        Assert.Equal(16, runs[0].Each.Weights.Parameters - runs[1].Each.Weights.Parameters);
        Assert.Equal("Layers 0 to 1, each", Assert.Single(Fairseq2Llama.Reports.LayerRun.AllOf(Gather(Repository.Case("fs2")).Layers)).Name);
    }

    [Fact]
    public void Put_what_is_most_serious_first()
    {
        var findings = Gather(Repository.Case("legacy"), TinyModel.Architecture with { VocabSize = 41 }).Findings;

        Assert.Equal([FindingSeverity.Error, FindingSeverity.Warning], findings.Select(finding => finding.Severity).Distinct());
    }

    /// <summary>Silence is not to be taken for more than it is.</summary>
    [Theory]
    [InlineData("checkpoints/fs2", false, "files, but neither numbers nor checksums, which takes -Statistics.")]
    [InlineData("checkpoints/fs2", true, "files, looks for NaN and Inf in all numbers, and compares the checksums that the files have.")]
    [InlineData("checkpoints/lora", false, "files, but neither numbers nor checksums, which takes -Statistics.")]
    [InlineData("checkpoints/tp2-llama3", true, "that the files have. It does not compare copies in several files, which takes Test-LlamaCheckpoint -Deep.")]
    [InlineData("huggingface/single", false, "files, but not numbers, which takes -Statistics.")]
    [InlineData("huggingface/single", true, "files, and looks for NaN and Inf in all numbers; files of this format have no checksums.")]
    public void Say_what_was_checked_and_what_was_not(string path, bool statistics, string words)
    {
        var report = Gather(Repository.Data(path), statistics: statistics);

        Assert.Contains($"{words}</p>", report.ToText(ReportFormat.Html), StringComparison.Ordinal);
        Assert.Contains($"{words}\n\n## Summary", report.ToText(ReportFormat.Markdown), StringComparison.Ordinal);
    }

    /// <summary>The same that Test-LlamaCheckpoint says.</summary>
    [Theory]
    [InlineData("lora")]
    [InlineData("fs2")]
    [InlineData("legacy")]
    public void Find_what_a_test_finds(string name)
    {
        var checkpoint = Fairseq2Checkpoint.Read(Repository.Case(name));
        var found = CheckpointTest.Run(checkpoint, new CheckpointTestOptions { Architecture = TinyModel.Architecture }).Findings;

        Assert.Equal(found.ToHashSet(), Gather(checkpoint.Path).Findings.ToHashSet());
    }

    [Fact]
    public void Find_what_the_architecture_contradicts_in_other_formats()
    {
        var finding = Assert.Single(Gather(Repository.Data("huggingface/single"), TinyModel.Architecture with { VocabSize = 41 }).Findings, finding => finding.Severity == FindingSeverity.Error);

        Assert.Equal((CheckpointErrorCode.ArchitectureMismatch, "model.embed_tokens.weight"), (finding.Code, finding.Tensor));
    }

    [Fact]
    public void Know_no_architecture_where_the_shapes_leave_none()
    {
        var report = CheckpointReport.Gather(Fairseq2Checkpoint.Read(Repository.Case("fs2")), new CheckpointReportOptions());

        Assert.Null(report.Architecture);
        Assert.Equal(CheckpointErrorCode.ArchitectureRequired, Assert.Single(report.Findings).Code);
        Assert.All(report.Settings, setting => Assert.Null(setting.Expected));
        Assert.Contains(report.Settings, setting => setting is { Name: "VocabSize", Found: "40", VerdictText: "–" });
    }

    [Theory]
    [InlineData(ReportFormat.Html)]
    [InlineData(ReportFormat.Markdown)]
    public void Are_written_in_the_same_bytes_each_time(ReportFormat format) =>
        Assert.Equal(Gather(Repository.Case("tp2-llama3")).ToText(format), Gather(Repository.Case("tp2-llama3")).ToText(format));

    internal static CheckpointReport Gather(string path, LlamaArchitecture? architecture = null, bool statistics = false) => CheckpointReport.Gather(
        CheckpointReader.Read(path),
        new CheckpointReportOptions { Architecture = architecture ?? TinyModel.Architecture, Statistics = statistics });

    private static void AssertSums(string path)
    {
        using var expected = JsonDocument.Parse(PyTorch.Ask(Sums, Path.Combine(path, "model.pt")));
        var report = Gather(path);

        Assert.Equal(Read("kinds"), report.Kinds.Select(kind => (kind.Name, kind.Weights)).OrderBy(kind => kind.Name, StringComparer.Ordinal));
        Assert.Equal(
            Read("layers"),
            report.Layers.Select(layer => (layer.Layer.ToString(CultureInfo.InvariantCulture), layer.Part.Weights)).Prepend(("", report.Outside.Weights)));

        (string, Fairseq2Llama.Reports.WeightSum)[] Read(string property) =>
        [
            .. from entry in expected.RootElement.GetProperty(property).EnumerateObject()
               orderby entry.Name
               let sums = entry.Value.EnumerateArray().Select(sum => sum.GetInt64()).ToArray()
               select (entry.Name, new Fairseq2Llama.Reports.WeightSum((int)sums[0], sums[1], sums[2])),
        ];
    }
}
