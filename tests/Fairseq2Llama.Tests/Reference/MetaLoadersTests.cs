using System.Globalization;
using Fairseq2Llama.Reference;
using Fairseq2Llama.Tests.Support;

namespace Fairseq2Llama.Tests.Reference;

/// <summary>What Meta's three loaders make of a flat params.json: see meta_loaders.py.</summary>
public sealed class MetaLoadersTests : IDisposable
{
    private const string Refused = "refused";

    private static readonly Python Python = new("import dataclasses");

    private readonly TempFolder _folder = new();

    public MetaLoadersTests() => Assert.SkipUnless(Python.IsInstalled, "needs Python");

    public void Dispose() => _folder.Dispose();

    /// <summary>Whichever loader takes the file computes with the right base of rotary frequencies; one takes it at least.</summary>
    [External]
    [Theory]
    [InlineData("7b", ParamsLayout.Flat, "10000", "500000", "500000")]
    [InlineData("llama2_7b", ParamsLayout.Flat, "10000", "500000", "500000")]
    [InlineData("llama2_7b", ParamsLayout.Llama2, "10000", "500000", "500000")]
    [InlineData("llama2_7b", ParamsLayout.Llama3, Refused, "10000", "10000")]
    [InlineData("llama3_8b", ParamsLayout.Flat, Refused, "500000", "500000")]
    [InlineData("llama3_8b", ParamsLayout.Llama3, Refused, "500000", "500000")]
    [InlineData("llama3_1_8b", ParamsLayout.Flat, Refused, Refused, "500000 scaled by 8")]
    public void Take_what_is_for_them(string name, ParamsLayout layout, string llama, string llama3, string llamaModels) =>
        AssertLoaded(LlamaArchitectures.Find(name), layout, llama, llama3, llamaModels);

    /// <summary>Without the key the loader would compute with 500000.</summary>
    [External]
    [Theory]
    [InlineData(ParamsLayout.Flat)]
    [InlineData(ParamsLayout.Llama3)]
    public void Are_told_the_base_of_rotary_frequencies_that_are_scaled(ParamsLayout layout) =>
        AssertLoaded(LlamaArchitectures.Find("llama2_7b") with { RopeScaleFactor = 8 }, layout, Refused, Refused, "10000 scaled by 8");

    /// <summary>Its embeddings are divided as only the later loaders do.</summary>
    [External]
    [Fact]
    public void Are_told_the_base_of_a_model_that_is_for_the_later_ones() =>
        AssertLoaded(LlamaArchitectures.Find("llama3_8b") with { RopeTheta = 10_000 }, ParamsLayout.Flat, Refused, "10000", "10000");

    [Theory]
    [InlineData("llama2_7b", ParamsLayout.Nested, "Hugging Face's converter", "-ParamsLayout Flat")]
    [InlineData("llama2_7b", ParamsLayout.Flat, "for meta-llama/llama.", "-ParamsLayout Llama3")]
    [InlineData("llama2_7b", ParamsLayout.Llama3, "for meta-llama/llama3 and meta-llama/llama-models", "-ParamsLayout Llama2")]
    [InlineData("llama3_8b", ParamsLayout.Flat, "for meta-llama/llama3 and meta-llama/llama-models", "meta-llama/llama refuses it.")]
    [InlineData("llama3_1_8b", ParamsLayout.Flat, "for meta-llama/llama-models", "can't scale")]
    public void Are_named(string name, ParamsLayout layout, params string[] expected)
    {
        var reason = Assert.Single(Format(layout).ExplainConfig(LlamaArchitectures.Find(name)));

        Assert.All(expected, text => Assert.Contains(text, reason, StringComparison.Ordinal));
    }

    [Theory]
    [InlineData(500_000, null, "500000;")]
    [InlineData(10_000, 8.0, "10000, scaled by 8;")]
    public void That_of_LLaMA_2_is_not_given_what_it_would_compute_wrongly(double theta, double? factor, string expected)
    {
        var architecture = TinyModel.Architecture with { RopeTheta = theta, RopeScaleFactor = factor };

        var finding = Assert.Single(Format(ParamsLayout.Llama2).FindContradictions(architecture));

        Assert.Equal(CheckpointErrorCode.ArchitectureMismatch, finding.Code);
        Assert.Contains(expected, finding.Message, StringComparison.Ordinal);
        Assert.Contains("-ParamsLayout Llama3", finding.Message, StringComparison.Ordinal);
    }

    /// <summary>meta-llama/llama divides the embeddings by columns, the later loaders by rows; each refuses the other's as of another size.</summary>
    [Theory]
    [InlineData(ParamsLayout.Llama3, true, 2, "The embeddings are divided by columns, but meta-llama/llama3 and meta-llama/llama-models expect them divided by rows.")]
    [InlineData(ParamsLayout.Llama2, false, 2, "The embeddings are divided by rows, but meta-llama/llama expects them divided by columns.")]
    [InlineData(ParamsLayout.Llama3, false, 2, null)]
    [InlineData(ParamsLayout.Llama2, true, 2, null)]
    [InlineData(ParamsLayout.Flat, true, 2, null)]
    [InlineData(ParamsLayout.Flat, false, 2, null)]
    [InlineData(ParamsLayout.Nested, true, 2, null)]
    [InlineData(ParamsLayout.Llama3, true, 1, null)]
    public void A_division_that_they_refuse_is_warned_of(ParamsLayout layout, bool byColumns, int count, string? expected)
    {
        var options = new ReferenceExportOptions
        {
            Architecture = TinyModel.Architecture with { ShardEmbedDim = byColumns, RopeTheta = 10_000 },
            ParamsLayout = layout,
            ShardCount = count,
        };

        var warnings = CheckpointExport.Plan(Fairseq2Checkpoint.Read(Repository.Case("fs2")), _folder["out"], options).Warnings;

        Assert.Equal(expected is null ? 0 : 1, warnings.Length);
        Assert.All(warnings, warning => Assert.StartsWith(expected!, warning, StringComparison.Ordinal));
    }

    /// <summary>The flat form says that it is scaled, and Meta's loader scales by 8.</summary>
    [Theory]
    [InlineData(ParamsLayout.Flat, 8, null)]
    [InlineData(ParamsLayout.Llama3, 8, null)]
    [InlineData(ParamsLayout.Flat, 32, "always scales by 8")]
    [InlineData(ParamsLayout.Nested, 8, "scaled by 8")]
    public void Only_what_is_not_told_is_a_loss(ParamsLayout layout, double factor, string? expected)
    {
        var losses = Format(layout).FindLosses(TinyModel.Architecture with { RopeTheta = 500_000, RopeScaleFactor = factor });

        Assert.Equal(expected is null ? 0 : 1, losses.Count(loss => expected is null || loss.Contains(expected, StringComparison.Ordinal)));
        Assert.Equal(expected is null ? 0 : 1, losses.Count());
    }

    private void AssertLoaded(LlamaArchitecture architecture, ParamsLayout layout, params string[] expected)
    {
        File.WriteAllBytes(_folder["params.json"], ReferenceParams.Write(architecture, layout));
        var script = Path.Combine(Repository.Root, "tests", "Fairseq2Llama.Tests", "Support", "meta_loaders.py");

        var loaded = Python.Ask(File.ReadAllText(script), _folder["params.json"]).Split('\n', StringSplitOptions.TrimEntries);

        Assert.Equal(
            expected.Select(theta => theta == Refused ? theta : string.Create(CultureInfo.InvariantCulture, $"{architecture.ModelDim} wide, {architecture.VocabSize} words, {theta}")),
            loaded);
    }

    private static ReferenceFormat Format(ParamsLayout layout) => new(new ReferenceExportOptions { ParamsLayout = layout });
}
