using Fairseq2Llama.Tests.Support;

namespace Fairseq2Llama.Tests.Conversion;

/// <summary>
/// Every way through fairseq2's, the reference and Hugging Face's format, and through GGUF files: the last step alone decides which bytes are in the files, and PyTorch finds
/// in them what was in the first.
/// </summary>
[External]
public sealed class TriangleTests(ShardedModels models, SmallModels smallModels) : IClassFixture<SmallModels>, IDisposable
{
    private readonly TempFolder _out = new();

    private readonly ExportComparison _comparison = new();

    public void Dispose() => _out.Dispose();

    [Fact]
    public void Of_a_whole_model()
    {
        var path = models.PathOfWhole("float32");
        var ways = new TriangleWays(_out.Path, _comparison)
        {
            Original = path,
            Architecture = ShardedModels.Architecture,
            ShardCounts = [1, 4],
            Tokenizer = MakeTokenizer(),
        };

        ways.Take(path);

        Assert.Empty(ways.Parted);
        _comparison.Run();
    }

    [Theory]
    [InlineData("float32,embedding1,pp2,tp4,sdp3,uneven")]
    [InlineData("bfloat16,embedding0,pp1,tp2,sdp3,uneven")]
    public void Of_a_divided_model(string name)
    {
        var architecture = ShardedModels.ArchitectureOf(name);
        var ways = new TriangleWays(_out.Path, _comparison)
        {
            Original = models.PathOfWhole(name.Split(',')[0]),

            // By these numbers the formats tell that the embeddings are not divided as those of LLaMA 1 and 2.
            Architecture = architecture.ShardEmbedDim ? architecture : architecture with { MaxSeqLen = 8192, RopeTheta = 500_000 },
            ShardCounts = [2],
        };

        ways.Take(models.PathOfDivided(name));

        Assert.Empty(ways.Parted);
        _comparison.Run();
    }

    [Theory]
    [InlineData("tied,embedding0")]
    [InlineData("tied-absent,embedding1")]
    public void Of_a_tied_model(string name)
    {
        var ways = new TriangleWays(_out.Path, _comparison)
        {
            Original = models.PathOfWhole("float32"),
            Architecture = ShardedModels.ArchitectureOf(name),
            ShardCounts = [4],
            IsTied = true,
            Tokenizer = MakeTokenizer(),
        };

        ways.Take(models.PathOfOdd(name));

        // The two tables are one in a file or two, by how they were in the files before.
        Assert.DoesNotContain(ways.Parted, files => files.StartsWith("hf", StringComparison.Ordinal) || files.StartsWith("gguf", StringComparison.Ordinal));
        _comparison.Run();
    }

    [Fact]
    public void Of_models_of_any_kind()
    {
        foreach (var model in smallModels.All)
        {
            var ways = new TriangleWays(_out[model.Name], _comparison)
            {
                Original = smallModels.PathOfWhole(model),
                Architecture = model.Architecture,
                ShardCounts = [1],
                MaxSteps = 2,
                AllowUnmapped = true,
            };

            ways.Take(smallModels.PathOfDivided(model));

            Assert.DoesNotContain(ways.Parted, files => model.Name != "tied-twice" || files.StartsWith("hf", StringComparison.Ordinal));
        }

        _comparison.Run();
    }

    private string MakeTokenizer()
    {
        var folder = Directory.CreateDirectory(_out["tokenizer"]).FullName;
        File.WriteAllBytes(Path.Combine(folder, "tokenizer.model"), SentencePieceBuilder.OfSize(ShardedModels.Architecture.VocabSize).Build());
        return folder;
    }
}
