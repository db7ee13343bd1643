using Fairseq2Llama.Tests.Support;

namespace Fairseq2Llama.Tests.Conversion;

/// <summary>From fairseq2 to Hugging Face: the files are those that an independent program expects, however the model was divided.</summary>
[External]
public sealed class HuggingFaceEdgeTests(ShardedModels models, SmallModels smallModels) : IClassFixture<SmallModels>, IDisposable
{
    private readonly TempFolder _out = new();

    private readonly ExportComparison _comparison = new();

    private int _exports;

    public void Dispose() => _out.Dispose();

    [Theory]
    [InlineData("float32", long.MaxValue)]
    [InlineData("bfloat16", 4000)]
    public void Every_way_of_dividing_a_model_gives_the_same_files(string dtype, long maxSize)
    {
        var expected = FolderHash.Of(Export(models.PathOfWhole(dtype), models.PathOfWhole(dtype), ShardedModels.Architecture, maxSize));

        foreach (var name in models.Divided.Where(name => name.StartsWith(dtype, StringComparison.Ordinal)))
        {
            var folder = _out[name];
            var options = new HuggingFaceExportOptions { Architecture = ShardedModels.ArchitectureOf(name), MaxShardSize = maxSize };
            CheckpointExport.Plan(Fairseq2Checkpoint.Read(models.PathOfDivided(name)), folder, options).Execute();
            Assert.Equal((name, expected), (name, FolderHash.Of(folder)));
        }

        _comparison.Run();
    }

    [Fact]
    public void Models_of_any_kind_are_what_they_were_in_any_number_of_files()
    {
        // All of a layer's matrices are larger than the last but one, and all tensors than the last.
        foreach (var (model, maxSize) in smallModels.All.SelectMany(_ => new[] { long.MaxValue, 1500, 200, 1 }, (model, maxSize) => (model, maxSize)))
        {
            Export(smallModels.PathOfWhole(model), smallModels.PathOfWhole(model), model.Architecture, maxSize);
            Export(smallModels.PathOfDivided(model), smallModels.PathOfWhole(model), model.Architecture, maxSize);
        }

        _comparison.Run();
    }

    [Fact]
    public void Tied_models_have_no_head_of_their_own()
    {
        foreach (var name in new[] { "tied,embedding0", "tied-absent,embedding0", "tied-absent,embedding1" })
        {
            Export(models.PathOfOdd(name), models.PathOfWhole("float32"), ShardedModels.ArchitectureOf(name), long.MaxValue, isTied: true);
            Export(models.PathOfOdd(name), models.PathOfWhole("float32"), ShardedModels.ArchitectureOf(name), 5000, isTied: true);
        }

        _comparison.Run();
    }

    [Fact]
    public void The_weights_tell_whether_they_are_tied_whatever_the_architecture_says()
    {
        var (parted, tied) = (models.PathOfWhole("float32"), smallModels["tied-twice"]);

        var isParted = Export(parted, parted, ShardedModels.Architecture with { TiedEmbeddings = true });
        var isTied = Export(smallModels.PathOfWhole(tied), smallModels.PathOfWhole(tied), tied.Architecture);

        _comparison.Run();
        Assert.False(LlamaHuggingFaceCheckpoint.Read(isParted).Architecture.TiedEmbeddings);
        Assert.True(LlamaHuggingFaceCheckpoint.Read(isTied).Architecture.TiedEmbeddings);
    }

    /// <returns>The folder.</returns>
    private string Export(string path, string original, LlamaArchitecture architecture, long maxSize = long.MaxValue, bool isTied = false)
    {
        var folder = _out[$"{_exports++}"];
        var options = new HuggingFaceExportOptions { Architecture = architecture, MaxShardSize = maxSize, AllowUnmapped = true };

        CheckpointExport.Plan(Fairseq2Checkpoint.Read(path), folder, options).Execute();
        _comparison.Add(folder, original, architecture, options, isTied);
        return folder;
    }
}
