using System.Runtime.InteropServices;
using Fairseq2Llama.Formats;
using Fairseq2Llama.Gguf;
using Fairseq2Llama.Tests.Support;

namespace Fairseq2Llama.Tests.Gguf;

/// <summary>Which files make a model, and what their metadata say of it.</summary>
public sealed class GgufModelTests : IDisposable
{
    private readonly TempFolder _folder = new("models");

    public void Dispose() => _folder.Dispose();

    [Fact]
    public void A_file_is_a_model()
    {
        Put("small.gguf", GgufBuilder.Llama());

        var model = Read("small.gguf");

        Assert.Equal(("small", CheckpointFormat.Gguf, 1, 21), (model.Name, model.Format, model.ShardCount, model.Tensors.Length));
        Assert.Equal([_folder["small.gguf"]], model.Files);
        Assert.Equal(new FileInfo(_folder["small.gguf"]).Length, model.SizeInBytes);
        var architecture = model.Architecture;
        Assert.Equal(
            (64, 2, 4, 2, 40, 96, 2048, 1e-5, 10_000.0, false, (double?)null),
            (architecture.ModelDim, architecture.NumLayers, architecture.NumAttnHeads, architecture.NumKeyValueHeads, architecture.VocabSize, architecture.FfnInnerDim, architecture.MaxSeqLen,
                architecture.NormEps, architecture.RopeTheta, architecture.TiedEmbeddings, architecture.RopeScaleFactor));
        Assert.Equal(
            ["token_embd.weight", "blk.0.attn_q.weight", "blk.0.attn_k.weight", "blk.0.attn_v.weight", "blk.0.attn_output.weight", "blk.0.attn_norm.weight"],
            model.Tensors.Take(6).Select(tensor => tensor.Name));
        Assert.Equal("decoder.layers.1.ffn.inner_proj.weight", model.Tensors.Single(tensor => tensor.Name == "blk.1.ffn_up.weight").Fairseq2Name);
    }

    /// <summary>As llama.cpp takes them to be.</summary>
    [Fact]
    public void Some_keys_have_defaults()
    {
        Put("x.gguf", GgufBuilder.Llama().Key("llama.rope.freq_base", null).Key("llama.vocab_size", null).Key("llama.attention.key_length", null)
            .Key("llama.attention.value_length", null).Key("llama.rope.dimension_count", null).Key("general.name", null));

        Assert.Equal((10_000.0, 40, 16), (Read("x.gguf").Architecture.RopeTheta, Read("x.gguf").Architecture.VocabSize, Read("x.gguf").Architecture.HeadDim));
    }

    [Fact]
    public void Without_an_output_it_is_tied()
    {
        Put("x.gguf", GgufBuilder.Llama(isTied: true));

        Assert.True(Read("x.gguf").Architecture.TiedEmbeddings);
        Assert.Equal(20, Read("x.gguf").Tensors.Length);
    }

    [Fact]
    public void The_factors_of_rotary_encoding_are_no_tensor()
    {
        Put("x.gguf", GgufBuilder.Llama().Key("llama.rope.freq_base", 500_000f)
            .Tensor("rope_freqs.weight", GgufBuilder.F32, MemoryMarshal.AsBytes(RotaryFactors.Compute(16, 500_000, 32).AsSpan()).ToArray(), 8));

        Assert.Equal(32, Read("x.gguf").Architecture.RopeScaleFactor);
        Assert.Equal(21, Read("x.gguf").Tensors.Length);
    }

    [Fact]
    public void A_split_model_is_read_by_its_first_file_or_its_folder()
    {
        PutSplit("model");

        foreach (var path in new[] { "", "model-00001-of-00003.gguf" })
        {
            var model = Read(path);

            Assert.Equal(("model", 3, 21), (model.Name, model.ShardCount, model.Tensors.Length));
            Assert.Equal([.. Enumerable.Range(1, 3).Select(number => _folder[$"model-0000{number}-of-00003.gguf"])], model.Files);
            Assert.Equal(model.Files.Sum(file => new FileInfo(file).Length), model.SizeInBytes);
        }
    }

    [Fact]
    public void Another_file_than_the_first_is_refused()
    {
        PutSplit("model");

        Refuse("model-00002-of-00003.gguf", CheckpointErrorCode.CheckpointUnrecognized, "is file 2 of 3 of a model", $"Give the first, '{_folder["model-00001-of-00003.gguf"]}'");
    }

    [Fact]
    public void In_a_store_the_name_of_the_model_leads_to_the_first()
    {
        PutSplit("model");
        var place = ObjectStore.Of(_folder.Path).At("model.gguf");

        var error = Assert.Throws<CheckpointException>(() => CheckpointReader.Read(place, cancellationToken: TestContext.Current.CancellationToken));

        Assert.EndsWith("Did you mean 'memory://bucket/model-00001-of-00003.gguf'?", CheckpointFormats.Explain(error, place).Message, StringComparison.Ordinal);
    }

    [Fact]
    public void A_missing_file_is_named()
    {
        PutSplit("model");
        File.Delete(_folder["model-00002-of-00003.gguf"]);

        Refuse("", CheckpointErrorCode.MissingShard, "'model-00002-of-00003.gguf' is missing", "is the first of 3 files");
    }

    [Fact]
    public void Without_the_first_file_there_is_no_model()
    {
        PutSplit("model");
        File.Delete(_folder["model-00001-of-00003.gguf"]);

        Refuse("", CheckpointErrorCode.CheckpointUnrecognized, "holds no GGUF file, or not the first of a split model");
        Refuse("model-00001-of-00003.gguf", CheckpointErrorCode.CheckpointNotFound);
    }

    [Fact]
    public void A_name_can_not_ask_for_much()
    {
        Put("x-00001-of-99999.gguf", GgufBuilder.Llama());

        var error = Refuse("", CheckpointErrorCode.MissingShard, "99988 more");
        Assert.InRange(error.Message.Length, 1, 2000);
    }

    [Fact]
    public void Files_that_were_mixed_up_are_refused()
    {
        PutSplit("model");
        File.Move(_folder["model-00002-of-00003.gguf"], _folder["x"]);
        File.Move(_folder["model-00003-of-00003.gguf"], _folder["model-00002-of-00003.gguf"]);
        File.Move(_folder["x"], _folder["model-00003-of-00003.gguf"]);

        Refuse("", CheckpointErrorCode.ShardMismatch, "model-00002-of-00003.gguf' says that it is file 3 of 3, not 2 of 3", "mixed up");
    }

    [Fact]
    public void A_file_of_another_split_is_refused()
    {
        PutSplit("model");
        Put("model-00003-of-00003.gguf", Split(2, 4, 21));

        Refuse("", CheckpointErrorCode.ShardMismatch, "model-00003-of-00003.gguf' says that it is file 3 of 4, not 3 of 3");
    }

    [Fact]
    public void A_file_that_knows_of_no_split_is_refused()
    {
        Put("model-00001-of-00002.gguf", GgufBuilder.Llama());
        Put("model-00002-of-00002.gguf", Split(1, 2, 21));

        Refuse("", CheckpointErrorCode.ShardMismatch, "model-00001-of-00002.gguf' does not say which file of a model it is, and its name says 1 of 2");
    }

    [Fact]
    public void A_part_under_the_name_of_a_whole_model_is_refused()
    {
        Put("model.gguf", GgufBuilder.Llama().Key("split.no", (ushort)0).Key("split.count", (ushort)3).Key("split.tensors.count", 21));

        Refuse("", CheckpointErrorCode.ShardMismatch, "is one of 3 files of a model", "model-00001-of-00003.gguf");
    }

    [Fact]
    public void A_number_of_tensors_that_is_wrong_is_refused()
    {
        Put("model.gguf", GgufBuilder.Llama().Key("split.no", (ushort)0).Key("split.count", (ushort)1).Key("split.tensors.count", 22));

        Refuse("", CheckpointErrorCode.ShardMismatch, "22 tensors", "have 21");
    }

    [Fact]
    public void A_tensor_in_two_files_is_refused()
    {
        Put("model-00001-of-00002.gguf", GgufBuilder.Llama().Key("split.no", (ushort)0).Key("split.count", (ushort)2).Key("split.tensors.count", 22));
        Put("model-00002-of-00002.gguf", Split(1, 2, 22).Tensor("output_norm.weight", GgufBuilder.F32, new byte[256], 64));

        Refuse("", CheckpointErrorCode.ShardMismatch, "have a 'output_norm.weight'");
    }

    [Fact]
    public void A_folder_has_one_model()
    {
        Put("a.gguf", GgufBuilder.Llama());
        Assert.Equal("a", Read("").Name);

        Put("b.gguf", GgufBuilder.Llama());
        Refuse("", CheckpointErrorCode.CheckpointUnrecognized, "holds 2 models in GGUF files", "a.gguf, b.gguf", "Give the path of one");
        Assert.Equal("b", Read("b.gguf").Name);
    }

    [Fact]
    public void No_folder_no_file_no_model()
    {
        Assert.Empty(_folder.Content);

        Refuse("", CheckpointErrorCode.CheckpointUnrecognized, "holds no GGUF file");
        Refuse("none", CheckpointErrorCode.CheckpointNotFound, "none");
        Refuse("none.gguf", CheckpointErrorCode.CheckpointNotFound, "none.gguf");
        Refuse("none/none.gguf", CheckpointErrorCode.CheckpointNotFound, "none.gguf");
    }

    [Theory]
    [InlineData("MODEL.GGUF", "MODEL")]
    [InlineData("Model.Gguf", "Model")]
    [InlineData("tiny-00001-of-00001.gguf", "tiny-00001-of-00001")]
    [InlineData("tiny-00005-of-00003.gguf", "tiny-00005-of-00003")]
    [InlineData("tiny-1-of-3.gguf", "tiny-1-of-3")]
    public void Names_of_whole_models(string name, string expected)
    {
        Put(name, GgufBuilder.Llama());

        Assert.Equal(expected, Read(name).Name);
        Assert.Equal(expected, Read("").Name);
    }

    [Fact]
    public void Names_of_a_split_model_may_be_in_upper_case()
    {
        PutSplit("MODEL");

        foreach (var number in Enumerable.Range(1, 3))
        {
            File.Move(_folder[$"MODEL-0000{number}-of-00003.gguf"], _folder["x"]);
            File.Move(_folder["x"], _folder[$"MODEL-0000{number}-OF-00003.GGUF"]);
        }

        Assert.Equal(("MODEL", 3), (Read("").Name, Read("").ShardCount));
        Refuse("MODEL-00003-OF-00003.GGUF", CheckpointErrorCode.CheckpointUnrecognized, _folder["MODEL-00001-OF-00003.GGUF"]);
    }

    [Theory]
    [InlineData("general.architecture", "qwen2", "holds a model of the architecture 'qwen2'. Expected 'llama'")]
    [InlineData("general.architecture", null, "does not say of what architecture its model is")]
    public void Other_architectures_are_refused(string key, string? value, string message)
    {
        Put("x.gguf", GgufBuilder.Llama().Key(key, value));

        Refuse("x.gguf", CheckpointErrorCode.CheckpointUnrecognized, message);
    }

    public static TheoryData<string, object, string> Inexpressible => new()
    {
        { "llama.expert_count", 8u, "a mixture of 8 experts" },
        { "llama.rope.scaling.type", "linear", "scaled as 'linear'" },
        { "llama.rope.scaling.type", "yarn", "scaled as 'yarn'" },
        { "llama.attention.key_length", 32u, "llama.attention.key_length is 32, but 4 heads" },
        { "llama.attention.value_length", 8u, "llama.attention.value_length is 8, but 4 heads" },
        { "llama.rope.dimension_count", 8u, "llama.rope.dimension_count is 8, but 4 heads" },
        { "llama.attention.head_count", 8u, "llama.attention.key_length is 16, but 8 heads" },
    };

    [Theory]
    [MemberData(nameof(Inexpressible))]
    public void What_other_formats_can_not_express_is_refused(string key, object value, string message)
    {
        Put("x.gguf", GgufBuilder.Llama().Key(key, value));

        Refuse("x.gguf", CheckpointErrorCode.ArchitectureMismatch, message);
    }

    public static TheoryData<string, object> Harmless => new() { { "llama.expert_count", 0u }, { "llama.rope.scaling.type", "none" }, { "llama.block_count", 2L }, { "llama.context_length", 2048f } };

    [Theory]
    [MemberData(nameof(Harmless))]
    public void What_says_nothing_is_not(string key, object value)
    {
        Put("x.gguf", GgufBuilder.Llama().Key(key, value));

        Assert.Equal(21, Read("x.gguf").Tensors.Length);
    }

    [Theory]
    [InlineData("llama.block_count")]
    [InlineData("llama.context_length")]
    [InlineData("llama.embedding_length")]
    [InlineData("llama.feed_forward_length")]
    [InlineData("llama.attention.head_count")]
    [InlineData("llama.attention.layer_norm_rms_epsilon")]
    public void A_missing_key_is_named(string key)
    {
        Put("x.gguf", GgufBuilder.Llama().Key(key, null));

        Refuse("x.gguf", CheckpointErrorCode.CheckpointCorrupt, $"has no '{key}'");
    }

    public static TheoryData<string, object> Nonsense => new(
        from key in (string[])["llama.block_count", "llama.context_length", "llama.embedding_length", "llama.feed_forward_length", "llama.attention.head_count", "llama.attention.head_count_kv",
            "llama.rope.freq_base", "llama.attention.layer_norm_rms_epsilon", "llama.attention.key_length", "llama.vocab_size", "llama.expert_count", "general.architecture"]
        from value in (object[])["many", 0u, -1, uint.MaxValue, int.MaxValue, float.NaN, float.PositiveInfinity, 1.5e300, true, (uint[])[1, 2]]
        where (key, value) is not (("llama.expert_count", 0u or -1) or ("llama.rope.freq_base" or "llama.attention.layer_norm_rms_epsilon", uint.MaxValue or int.MaxValue or 1.5e300))
        select (key, value));

    /// <summary>The epsilon and the base of the frequencies may be anything that is positive.</summary>
    [Theory]
    [MemberData(nameof(Nonsense))]
    public void Nonsense_is_refused(string key, object value)
    {
        Put("x.gguf", GgufBuilder.Llama().Key(key, value));

        Assert.Throws<CheckpointException>(() => Read("x.gguf"));
    }

    [Theory]
    [InlineData("llama.block_count", 3u, "NumLayers is 3 in the architecture and 2 in the weights")]
    [InlineData("llama.feed_forward_length", 128u, "FfnInnerDim is 128 in the architecture and 96 in the weights")]
    [InlineData("llama.attention.head_count_kv", 4u, "KeyValueDim is 64")]
    [InlineData("llama.vocab_size", 41u, "VocabSize is 41 in the architecture and 40 in the weights")]
    public void Tensors_that_contradict_the_keys_are_refused(string key, uint value, string message)
    {
        Put("x.gguf", GgufBuilder.Llama().Key(key, value));

        Refuse("x.gguf", CheckpointErrorCode.ArchitectureMismatch, message, "contradict its metadata");
    }

    [Fact]
    public void A_parameter_with_another_number_of_dims_is_refused()
    {
        Put("x.gguf", GgufBuilder.Llama().Replace("output_norm.weight", old => (old.Type, old.Data, [64, 1])));

        Refuse("x.gguf", CheckpointErrorCode.ArchitectureMismatch, "'output_norm.weight' has 2 dimensions, not 1");
    }

    /// <summary>What is missing is said when it is needed, as in other formats.</summary>
    [Fact]
    public void A_missing_parameter_is_no_reason_not_to_look()
    {
        Put("x.gguf", GgufBuilder.Llama().Replace("blk.1.ffn_up.weight", _ => null));

        Assert.Equal(20, Read("x.gguf").Tensors.Length);
        ErrorAssert.Throws(
            CheckpointErrorCode.MissingTensor,
            () => CheckpointExport.Plan(Read("x.gguf"), _folder["out"], new HuggingFaceExportOptions()),
            "'blk.1.ffn_up.weight' is missing");
    }

    private LlamaGgufCheckpoint Read(string path) => LlamaGgufCheckpoint.Read(_folder[path]);

    private CheckpointException Refuse(string path, CheckpointErrorCode code, params ReadOnlySpan<string> words) => ErrorAssert.Throws(code, () => Read(path), words);

    private void Put(string name, GgufBuilder file) => File.WriteAllBytes(_folder[name], file.Build());

    private static GgufBuilder Split(int number, int count, int tensors) =>
        new GgufBuilder().Key("split.no", (ushort)number).Key("split.count", (ushort)count).Key("split.tensors.count", tensors);

    /// <summary>All of the model in its second file, as with --no-tensor-first-split, but for the norm in its third.</summary>
    private void PutSplit(string stem)
    {
        var whole = GgufBuilder.Llama();
        var norm = Array.Empty<byte>();
        whole.Replace("output_norm.weight", old =>
        {
            norm = old.Data;
            return null;
        });

        var first = GgufBuilder.Llama();

        foreach (var tensor in GgufFile.Open(new MemorySource(first.Build())).Tensors)
        {
            first.Replace(tensor.Key, _ => null);
        }

        foreach (var key in GgufFile.Open(new MemorySource(whole.Build())).Metadata.Entries)
        {
            whole.Key(key.Key, null);
        }

        Put($"{stem}-00001-of-00003.gguf", first.Key("split.no", (ushort)0).Key("split.count", (ushort)3).Key("split.tensors.count", 21));
        Put($"{stem}-00002-of-00003.gguf", whole.Key("split.no", (ushort)1).Key("split.count", (ushort)3).Key("split.tensors.count", 21));
        Put($"{stem}-00003-of-00003.gguf", Split(2, 3, 21).Tensor("output_norm.weight", GgufBuilder.F32, norm, 64));
    }
}
