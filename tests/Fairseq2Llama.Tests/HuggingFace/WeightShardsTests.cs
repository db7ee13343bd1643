using System.Globalization;
using Fairseq2Llama.HuggingFace;
using Fairseq2Llama.Tests.Support;

namespace Fairseq2Llama.Tests.HuggingFace;

public class WeightShardsTests
{
    private const string Layer = "model.layers.";

    /// <summary>
    /// The sizes of tensors, how much a file may hold, and the files by their numbers, as split_state_dict_into_shards_factory of huggingface_hub 1.29 gives them.
    /// </summary>
    [Theory]
    [InlineData("4 6", 10, "4 6")]
    [InlineData("4 6 1", 10, "4 6|1")]
    [InlineData("4 7", 10, "4|7")]
    [InlineData("10 10", 10, "10|10")]
    [InlineData("5 5 5 5 5", 10, "5 5|5 5|5")]
    [InlineData("9 2 9 2", 10, "9|2|9|2")]
    [InlineData("1 2 3 4 5 6 7 8 9 10 11", 12, "1 2 3 4|5 6|7|8|9|10|11")]
    [InlineData("11", 10, "11")]
    [InlineData("11 12", 10, "11|12")]
    [InlineData("3 11 4", 10, "11|3 4")]
    [InlineData("3 11 4 12 5", 10, "11|12|3 4|5")]
    [InlineData("20 1", 10, "20|1")]
    [InlineData("1 20", 10, "20|1")]
    [InlineData("0 10 0", 10, "0 10 0")]
    [InlineData("0 0", 10, "0 0")]
    [InlineData(
        "19 8 23 11 25 22 26 23 20 29 16 0 26 14 24 7 20 1 28 5 3 11 15 27 7 12 17 3 18 7 0 23 6 13 8 5 29 27 24 12",
        25,
        "19|8|23|11|25|26|22|23|29|20|26|16 0|14|24|7|28|20 1|5 3 11|27|15 7|12|17 3|18 7 0|23|6 13|29|27|8 5|24|12")]
    public void Divides_as_huggingface_hub(string sizes, long maxSize, string expected)
    {
        var tensors = sizes.Split(' ').Select(size => PlannedTensors.MakeWithoutData(size, DType.UInt8, long.Parse(size, CultureInfo.InvariantCulture)));

        Assert.Equal(expected, string.Join('|', WeightShards.Divide(tensors, maxSize).Select(shard => string.Join(' ', shard.Select(tensor => tensor.Name)))));
    }

    [Fact]
    public void Nothing_is_in_no_file() => Assert.Empty(WeightShards.Divide([], 10));

    [Fact]
    public void A_limit_beyond_all_tensors_gives_one_file() => Assert.Single(
        WeightShards.Divide([PlannedTensors.MakeWithoutData("a", DType.UInt8, 1L << 61), PlannedTensors.MakeWithoutData("b", DType.UInt8, 1L << 61)], long.MaxValue));

    /// <summary>A file for each tensor shows in which order they are taken; within one they are ordered by name.</summary>
    [Fact]
    public void Tensors_are_taken_in_the_order_of_the_modules()
    {
        // As LlamaForCausalLM(...).state_dict() has them.
        string[] layer =
        [
            "self_attn.q_proj", "self_attn.k_proj", "self_attn.v_proj", "self_attn.o_proj", "mlp.gate_proj", "mlp.up_proj", "mlp.down_proj",
            "input_layernorm", "post_attention_layernorm",
        ];
        string[] modules = ["model.embed_tokens", .. layer.Select(module => $"{Layer}0.{module}"), .. layer.Select(module => $"{Layer}1.{module}"), "model.norm", "lm_head"];

        Assert.Equal(modules.Select(module => $"{module}.weight"), Export("single", maxShardSize: 1).SelectMany(file => file));
    }

    [Fact]
    public void Layers_are_counted_and_not_sorted_as_text()
    {
        string[] names = [$"{Layer}2.mlp.up_proj.weight", $"{Layer}10.mlp.up_proj.weight", "model.norm.weight"];

        Assert.Equal(names, names.Reverse().OrderBy(name => ModuleOrder.Of(ParameterName.Parse(name, NamingConvention.HuggingFace), NamingConvention.HuggingFace)));
    }

    [Fact]
    public void Two_layers_are_divided_where_the_first_file_is_full()
    {
        // In float32 the embeddings take 2560 bytes, a layer 12416, the last norm 64 and the output 2560.
        var files = Export("single", maxShardSize: 12416 + 64 + 2560);

        Assert.Equal([10, 11], files.Select(file => file.Length));
        Assert.All(files[0], name => Assert.DoesNotContain($"{Layer}1.", name, StringComparison.Ordinal));
    }

    /// <summary>The names in each file of an export, in the order of the files.</summary>
    private static string[][] Export(string name, long maxShardSize)
    {
        using var folder = new TempFolder();
        var options = new HuggingFaceExportOptions { MaxShardSize = maxShardSize };
        var plan = CheckpointExport.Plan(LlamaHuggingFaceCheckpoint.Read(Repository.Data($"huggingface/{name}")), folder.Path, options);

        return [.. plan.Files.OfType<PlannedTensorFile>().OrderBy(file => file.Name, StringComparer.Ordinal)
            .Select(file => file.Tensors.Select(tensor => tensor.Name).ToArray())];
    }
}
