using System.Text.Json.Nodes;
using Fairseq2Llama.SafeTensors;
using Fairseq2Llama.Stores.Local;
using Fairseq2Llama.Tests.Support;

namespace Fairseq2Llama.Tests.HuggingFace;

/// <summary>What the safetensors library wrote, read and written again, is the same file.</summary>
public sealed class SameBytesTests : IDisposable
{
    private const string Weights = "model.safetensors", Index = "model.safetensors.index.json", Metadata = "\"__metadata__\":{\"format\":\"pt\"}";

    private readonly TempFolder _out = new();

    public void Dispose() => _out.Dispose();

    [Theory]
    [InlineData("single")]
    [InlineData("half")]
    [InlineData("tied")]
    public void A_model_in_one_file(string name)
    {
        var source = Repository.Data($"huggingface/{name}");

        Export(source, _out["model"]);

        Assert.Equal(File.ReadAllBytes(Path.Combine(source, Weights)), File.ReadAllBytes(_out[$"model/{Weights}"]));
        Assert.False(File.Exists(_out[$"model/{Index}"]));
    }

    /// <summary>The two files of this one are divided as no limit would divide it; in one file it is the model of "single".</summary>
    [Fact]
    public void A_model_that_was_in_two_files_and_is_put_into_one()
    {
        Export(Repository.Data("huggingface/sharded"), _out["model"]);

        Assert.Equal(File.ReadAllBytes(Repository.Data($"huggingface/single/{Weights}")), File.ReadAllBytes(_out[$"model/{Weights}"]));
    }

    [Fact]
    public void A_model_that_is_divided_and_put_together_again()
    {
        Export(Repository.Data("huggingface/single"), _out["divided"], maxShardSize: 15_000);
        Export(_out["divided"], _out["model"]);

        Assert.Equal(3, Directory.GetFiles(_out["divided"], "*.safetensors").Length);
        Assert.Equal(File.ReadAllBytes(Repository.Data($"huggingface/single/{Weights}")), File.ReadAllBytes(_out[$"model/{Weights}"]));
    }

    [Fact]
    public void The_index_has_each_tensor_of_the_files_and_their_size()
    {
        Export(Repository.Data("huggingface/sharded"), _out["model"], maxShardSize: 15_000);

        var index = JsonNode.Parse(File.ReadAllText(_out[$"model/{Index}"]))!;
        var expected = JsonNode.Parse(File.ReadAllText(Repository.Data($"huggingface/sharded/{Index}")))!;
        var found = from path in Directory.GetFiles(_out["model"], "*.safetensors")
                    from tensor in new WrittenSafeTensors(File.ReadAllBytes(path)).Tensors
                    select (tensor.Name, Path.GetFileName(path));
        var map = index["weight_map"]!.AsObject();

        Assert.Equal((long)expected["metadata"]!["total_size"]!, (long)index["metadata"]!["total_size"]!);
        Assert.Equal(expected["weight_map"]!.AsObject().Select(entry => entry.Key), map.Select(entry => entry.Key));
        Assert.Equal(found.ToHashSet(), map.Select(entry => (entry.Key, (string)entry.Value!)).ToHashSet());
    }

    /// <summary>The library was not told to write metadata into these, which we always do.</summary>
    [Theory]
    [InlineData("dtypes.safetensors")]
    [InlineData("shapes.safetensors")]
    public void Tensors_of_every_kind(string name)
    {
        var original = new WrittenSafeTensors(File.ReadAllBytes(Repository.Data($"safetensors/{name}")));

        var written = Rewrite(name);

        Assert.Equal(original.Header.TrimEnd(' '), written.Header.TrimEnd(' ').Replace($"{Metadata},", "", StringComparison.Ordinal));
        Assert.Equal(original.Data, written.Data);
    }

    /// <summary>Of two files with different texts the first one's are taken; PyTorch's format is added where neither has one.</summary>
    [Theory]
    [InlineData("""{"format":"pt","producer":"me","license":"ä \"b\""}""", null, """{"format":"pt","producer":"me","license":"ä \"b\""}""")]
    [InlineData("""{"one":"1"}""", """{"two":"2","one":"else"}""", """{"one":"1","two":"2","format":"pt"}""")]
    [InlineData(null, null, """{"format":"pt"}""")]
    public void Metadata_goes_over(string? first, string? second, string expected)
    {
        Support.CheckpointFolder.Copy("../huggingface/sharded", _out["source"]);
        var files = Directory.GetFiles(_out["source"], "*.safetensors").Order(StringComparer.Ordinal).ToArray();

        foreach (var (file, metadata) in files.Zip([first, second]))
        {
            var written = new WrittenSafeTensors(File.ReadAllBytes(file));
            File.WriteAllBytes(file, SafeTensorsBuilder.Build(
                written.Header.TrimEnd(' ').Replace($"{Metadata},", metadata is null ? "" : $"\"__metadata__\":{metadata},", StringComparison.Ordinal), written.Data));
        }

        Export(_out["source"], _out["model"], maxShardSize: 15_000);

        Assert.All(
            Directory.GetFiles(_out["model"], "*.safetensors"),
            file => Assert.Equal(
                JsonNode.Parse(expected)!.ToJsonString(),
                JsonNode.Parse(new WrittenSafeTensors(File.ReadAllBytes(file)).Header)!["__metadata__"]!.ToJsonString()));
    }

    [Fact]
    public void No_tensors() => Assert.Equal(
        new WrittenSafeTensors(File.ReadAllBytes(Repository.Data("safetensors/no-tensors.safetensors"))).Header, Rewrite("no-tensors.safetensors").Header);

    private static void Export(string source, string destination, long maxShardSize = long.MaxValue) => CheckpointExport
        .Plan(LlamaHuggingFaceCheckpoint.Read(source), destination, new HuggingFaceExportOptions { MaxShardSize = maxShardSize })
        .Execute();

    private static WrittenSafeTensors Rewrite(string name) => WrittenSafeTensors.Of(
        SafeTensorsFile.Open(new LocalFile(Repository.Data($"safetensors/{name}"))).Tensors
            .OrderBy(entry => entry.Name, StringComparer.Ordinal)
            .Select(entry => new PlannedTensor(entry.Name, entry.Name, entry.Tensor.DType, entry.Tensor.Shape, PlannedStorage.Of(entry.Tensor))));
}
