using System.Security.Cryptography;
using Fairseq2Llama.Tests.Support;

namespace Fairseq2Llama.Tests.Conversion;

/// <summary>Models that are divided in every way and exported: PyTorch must find them to be what they were before.</summary>
[External]
public sealed class ShardRoundTripTests(ShardedModels models) : IDisposable
{
    private readonly TempFolder _out = new();

    public void Dispose() => _out.Dispose();

    [Fact]
    public void Every_way_of_dividing_a_model_can_be_undone()
    {
        foreach (var name in models.Divided)
        {
            ShardedModels.Export(models.PathOfDivided(name), _out, 1);
        }

        // Two dtypes and embeddings divided in two ways; pp 1 to 2, tp 1, 2 and 4; sdp 1, and 2 to 3 in two ways; and one more.
        Assert.Equal($"{2 * 2 * ((2 * 3 * 5) + 1)} compared", models.Compare(_out));
    }

    [Theory]
    [InlineData("embedding0", 2)]
    [InlineData("embedding0", 4)]
    [InlineData("embedding1", 2)]
    [InlineData("embedding1", 4)]
    public void A_divided_model_is_divided_anew_into_the_same_files_as_the_whole_one(string embedding, int count)
    {
        var options = new ReferenceExportOptions { Architecture = ShardedModels.ArchitectureOf(embedding), ShardCount = count };
        CheckpointExport.Plan(Fairseq2Checkpoint.Read(models.PathOfWhole("bfloat16")), _out["whole"], options).Execute();
        var expected = Hash("whole");

        foreach (var name in models.Divided.Where(name => name.StartsWith($"bfloat16,{embedding},", StringComparison.Ordinal)))
        {
            CheckpointExport.Plan(Fairseq2Checkpoint.Read(models.PathOfDivided(name)), _out[name], options).Execute();
            Assert.Equal((name, expected), (name, Hash(name)));
        }
    }

    [Fact]
    public void A_model_that_is_divided_anew_can_be_joined_by_its_readers()
    {
        var names = models.Divided.Where(name =>
            name.Contains("pp2,tp1,sdp3,uneven", StringComparison.Ordinal)
            || name.Contains("pp2,tp2,sdp3,uneven", StringComparison.Ordinal)
            || name.Contains("pp1,tp4,sdp2,even", StringComparison.Ordinal)
            || name.Contains("pp1,tp1,sdp1", StringComparison.Ordinal)).ToArray();

        foreach (var count in new[] { 1, 2, 4 })
        {
            foreach (var name in names)
            {
                ShardedModels.Export(models.PathOfDivided(name), _out, count);
            }
        }

        Assert.Equal($"{3 * 4 * 4} compared", models.Compare(_out));
    }

    [Fact]
    public void Any_layout_can_be_divided_anew()
    {
        string[] names =
        [
            "model-0-to-3", "model-00-to-03", "tp-files", "sdp-files", "sdp-files-tp2", "shard-folder", "shard-folder-wrapped", "shard-folders-tp2", "shard-folders-tp2-wrapped", "lone",
            "embeddings-apart,embedding0", "embeddings-apart,embedding1", "tied,embedding0", "tied-absent,embedding0", "tied-absent,embedding1",
        ];

        foreach (var count in new[] { 1, 2, 4 })
        {
            foreach (var name in names)
            {
                ShardedModels.Export(models.PathOfOdd(name), _out, count);
            }
        }

        Assert.Equal($"{3 * names.Length} compared", models.Compare(_out));
    }

    [Fact]
    public void The_embeddings_stay_divided_as_they_are_whatever_the_architecture_says()
    {
        foreach (var shardEmbedDim in new[] { true, false })
        {
            var name = $"bfloat16,embedding{(shardEmbedDim ? 0 : 1)},pp2,tp4,sdp3,uneven";
            ShardedModels.Export(models.PathOfDivided(name), _out, 2, ShardedModels.Architecture with { ShardEmbedDim = shardEmbedDim });
        }

        Assert.Equal("2 compared", models.Compare(_out));
    }

    [Fact]
    public void There_are_as_many_files_as_tensor_parallel_ranks_unless_told_otherwise()
    {
        var checkpoint = Fairseq2Checkpoint.Read(models.PathOfDivided("float32,embedding0,pp2,tp4,sdp3,uneven"));

        CheckpointExport.Plan(checkpoint, _out.Path, new ReferenceExportOptions { Architecture = ShardedModels.Architecture }).Execute();

        Assert.Equal(
            ["consolidated.00.pth", "consolidated.01.pth", "consolidated.02.pth", "consolidated.03.pth", "params.json"], _out.Content);
    }

    private string Hash(string folder) => string.Join(
        " ",
        from file in Directory.EnumerateFiles(_out[folder]).Order(StringComparer.Ordinal)
        select $"{Path.GetFileName(file)}:{Convert.ToHexString(SHA256.HashData(File.ReadAllBytes(file)))}");
}
