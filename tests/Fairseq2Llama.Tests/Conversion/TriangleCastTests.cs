using Fairseq2Llama.Tests.Support;

namespace Fairseq2Llama.Tests.Conversion;

/// <summary>It makes no difference to the files at which step of a way the numbers are rounded, and they are rounded as PyTorch does it.</summary>
[External]
public sealed class TriangleCastTests(SmallModels models) : IClassFixture<SmallModels>, IDisposable
{
    private readonly TempFolder _out = new();

    public void Dispose() => _out.Dispose();

    // Which NaN a NaN becomes may depend on its place among what libtorch casts at a time, so there are none.
    [Theory]
    [InlineData(DType.BFloat16)]
    [InlineData(DType.Float16)]
    public void Of_a_model_of_finite_numbers(DType dtype)
    {
        var model = models["finite"];
        var (whole, divided) = (Fairseq2Checkpoint.Read(models.PathOfWhole(model)), Fairseq2Checkpoint.Read(models.PathOfDivided(model)));
        var cast = new HuggingFaceExportOptions { Architecture = model.Architecture, DType = dtype };
        var leave = new HuggingFaceExportOptions();

        Export(whole, "at once", cast);
        Export(divided, "of parts", cast);

        Export(whole, "fairseq2", new Fairseq2ExportOptions { Architecture = model.Architecture, DType = dtype });
        Export(Fairseq2Checkpoint.Read(_out["fairseq2"]), "by fairseq2", leave);

        Export(divided, "reference", new ReferenceExportOptions { Architecture = model.Architecture, ShardCount = 2, DType = dtype });
        Export(LlamaReferenceCheckpoint.Read(_out["reference"]), "by reference", leave);

        Export(whole, "float32", leave with { Architecture = model.Architecture });
        Export(LlamaHuggingFaceCheckpoint.Read(_out["float32"]), "late", leave with { DType = dtype });

        Assert.All(
            ["of parts", "by fairseq2", "by reference", "late"], way => Assert.Equal(FolderHash.Of(_out["at once"]), FolderHash.Of(_out[way])));
        var comparison = new ExportComparison();
        comparison.Add(_out["at once"], models.PathOfWhole(model), model.Architecture, cast);
        comparison.Add(_out["fairseq2"], models.PathOfWhole(model), model.Architecture, cast);
        comparison.Add(_out["reference"], models.PathOfWhole(model), model.Architecture, cast);
        comparison.Run();
    }

    private void Export(LlamaCheckpoint checkpoint, string name, ExportOptions options) =>
        CheckpointExport.Plan(checkpoint, _out[name], options).Execute();
}
