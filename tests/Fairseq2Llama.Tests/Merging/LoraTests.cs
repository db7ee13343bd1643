using Fairseq2Llama.Tests.Support;

namespace Fairseq2Llama.Tests.Merging;

/// <summary>LoRAs are merged as PyTorch computes it by PEFT's and fairseq2's formula: W + (B A) * scale in float32, rounded once.</summary>
[External]
public sealed class LoraTests : IClassFixture<MergeModels>, IDisposable
{
    private readonly MergeModels _models;
    private readonly TempFolder _folder = new();

    public LoraTests(MergeModels models)
    {
        LibTorch.Require();
        _models = models;
    }

    public static TheoryData<string> Formats => ["fairseq2", "hf", "hf, several files", "reference", "reference 2", "gguf"];

    /// <summary>Some of the modules of both layers, of two ranks.</summary>
    private static LoraModule[] Usual =>
    [
        new("model.layers.0.self_attn.q_proj", 4, 2),
        new("model.layers.0.self_attn.k_proj", 4, 2),
        new("model.layers.0.mlp.down_proj", 4, 2),
        new("model.layers.1.self_attn.q_proj", 4, 2),
        new("model.layers.1.self_attn.v_proj", 4, 2),
        new("model.layers.1.self_attn.o_proj", 4, 2),
        new("model.layers.1.mlp.gate_proj", 4, 2),
        new("model.layers.1.mlp.up_proj", 4, 2),
    ];

    private static string UsualConfig => """{"peft_type": "LORA", "r": 4, "lora_alpha": 8, "target_modules": ["q_proj"], "task_type": "CAUSAL_LM", "peft_version": "0.18.0"}""";

    public void Dispose() => _folder.Dispose();

    [Theory]
    [MemberData(nameof(Formats))]
    public void Of_PEFT_are_merged_into_all_formats(string format)
    {
        // GGUF has norms in float32, in which the numbers of other tensors are left as they are.
        var kind = format == "gguf" ? "float32" : "bfloat16";
        var adapter = WritePeft(kind, UsualConfig, new LoraSpec(Usual));
        var model = _models.Export(_models.Read(kind, 0), _folder["model"], format);

        var merged = LoraMerge.Of(model, adapter);

        Assert.Equal(MergeModels.NumbersOf(Expected), MergeModels.NumbersOf(merged));
        PyTorchMerge.AssertSame(_folder["expected.pt"], _models.Export(merged, _folder["out"], "fairseq2"));

        foreach (var other in Formats.Select(other => other.Data).Where(other => kind == "float32" || other != "gguf"))
        {
            Assert.Equal(MergeModels.NumbersOf(Expected), MergeModels.NumbersOf(_models.Export(merged, _folder[$"out-{other}"], other)));
        }
    }

    [Theory]
    [InlineData("bfloat16", "float32", "adapter_model.safetensors")]
    [InlineData("bfloat16", "bfloat16", "adapter_model.bin")]
    [InlineData("float16", "bfloat16", "adapter_model.safetensors")]
    [InlineData("float16", "float16", "adapter_model.bin")]
    [InlineData("float32", "float16", "adapter_model.safetensors")]
    [InlineData("float32", "float32", "adapter_model.bin")]
    [InlineData("norms", "float32", "adapter_model.bin")]
    public void Of_any_type_are_added_to_a_model_of_any(string kind, string dtype, string file)
    {
        var adapter = WritePeft(kind, UsualConfig, new LoraSpec(Usual) { Dtype = dtype, File = file });

        PyTorchMerge.AssertSame(_folder["expected.pt"], Export(LoraMerge.Of(_models.Read(kind, 0), adapter)));
    }

    /// <summary>Numbers whose products are rounded may be added in another order than in the PyTorch that is asked, so that a sum can be rounded to the number beside.</summary>
    [Theory]
    [InlineData("bfloat16", "float32")]
    [InlineData("bfloat16", "bfloat16")]
    [InlineData("float16", "float32")]
    public void Of_any_numbers_differ_by_no_more_than_one_unit_in_the_last_place(string kind, string dtype)
    {
        var adapter = WritePeft(kind, UsualConfig, new LoraSpec(Usual) { Dtype = dtype, Exact = false });

        PyTorchMerge.AssertSame(_folder["expected.pt"], Export(LoraMerge.Of(_models.Read(kind, 0), adapter)), ulps: 1);
    }

    /// <summary>Of several patterns that match, the first counts. A pattern is for the end of a module's path, or for all of it.</summary>
    [Theory]
    [InlineData("""{"r": 4, "lora_alpha": 6, "rank_pattern": {"down_proj": 2}, "alpha_pattern": {".*1.*q_proj": 11}}""", 1.5, 3, 2.75)]
    [InlineData("""{"r": 4, "lora_alpha": 6, "rank_pattern": {"down_proj": 2}, "alpha_pattern": {".*1.*q_proj": 11}, "use_rslora": true}""", 3, 4.2426406871192848, 5.5)]
    [InlineData("""{"r": 2, "lora_alpha": 7, "rank_pattern": {"self_attn.(q|k|v|o)_proj|mlp.(gate|up)_proj": 4, "q_proj": 3}, "alpha_pattern": {"^model.layers.1.self_attn.q_proj": 1, "q_proj": 9, "layers.0.*": 7}}""", 1.75, 3.5, 0.25, 2.25)]
    [InlineData("""{"r": 4, "rank_pattern": {"model.layers.0.mlp.down_proj": 2}, "alpha_pattern": {"proj": 5, "1.self_attn.q_proj": 16}}""", 2, 4, 4)]
    [InlineData("""{"r": 4, "lora_alpha": 0.5, "rank_pattern": {"down_proj": 2}, "alpha_pattern": null, "use_rslora": false}""", 0.125, 0.25, 0.125)]
    public void Of_PEFT_are_scaled_by_their_config(string config, double scale, double scaleOfDown, double scaleOfLaterQuery, double? scaleOfEarlierQuery = null)
    {
        LoraModule[] modules =
        [
            .. from module in Usual
               select module.Name switch
               {
                   "model.layers.0.mlp.down_proj" => module with { Rank = 2, Scale = scaleOfDown },
                   "model.layers.1.self_attn.q_proj" => module with { Scale = scaleOfLaterQuery },
                   "model.layers.0.self_attn.q_proj" => module with { Scale = scaleOfEarlierQuery ?? scale },
                   _ => module with { Scale = scale },
               },
        ];
        var adapter = WritePeft("float32", config.Replace("{\"r\"", "{\"peft_type\": \"LORA\", \"r\"", StringComparison.Ordinal), new LoraSpec(modules));

        PyTorchMerge.AssertSame(_folder["expected.pt"], Export(LoraMerge.Of(_models.Read("float32", 0), adapter)));
    }

    /// <summary>PEFT's defaults are those of LoraConfig.</summary>
    [Fact]
    public void Of_PEFT_without_settings_have_rank_8_and_alpha_8()
    {
        var adapter = WritePeft("bfloat16", """{"peft_type": "LORA"}""", new LoraSpec(new LoraModule("model.layers.0.self_attn.q_proj", 8, 1)));

        PyTorchMerge.AssertSame(_folder["expected.pt"], Export(LoraMerge.Of(_models.Read("bfloat16", 0), adapter)));
    }

    [Theory]
    [MemberData(nameof(Formats))]
    public void Of_embeddings_and_output_are_merged(string format)
    {
        var kind = format == "gguf" ? "float32" : "bfloat16";
        var adapter = WritePeft(kind, UsualConfig, new LoraSpec(new("model.embed_tokens", 4, 2), new("lm_head", 4, 2)));
        var model = _models.Export(_models.Read(kind, 0), _folder["model"], format);

        PyTorchMerge.AssertSame(_folder["expected.pt"], Export(LoraMerge.Of(model, adapter)));
    }

    /// <summary>A tied model has one tensor for both. An adapter of one of them, or two adapters, make two of it.</summary>
    [Theory]
    [InlineData("fairseq2", "model.embed_tokens")]
    [InlineData("fairseq2", "lm_head")]
    [InlineData("fairseq2", "model.embed_tokens", "lm_head")]
    [InlineData("hf", "model.embed_tokens")]
    [InlineData("hf", "lm_head")]
    [InlineData("hf", "model.embed_tokens", "lm_head")]
    [InlineData("reference", "model.embed_tokens")]
    [InlineData("reference 2", "lm_head")]
    [InlineData("reference", "model.embed_tokens", "lm_head")]
    public void Of_one_side_of_a_tied_model_untie_it(string format, params string[] adapted)
    {
        var adapter = WritePeft("tied", UsualConfig, new LoraSpec([.. adapted.Select(module => new LoraModule(module, 4, 2))]));
        var model = _models.Export(_models.Read("tied", 0), _folder["model"], format);

        var merged = LoraMerge.Of(model, adapter);

        Assert.NotEqual(true, merged.Architecture?.TiedEmbeddings);
        PyTorchMerge.AssertSame(_folder["expected.pt"], MergeModels.Export(merged, _folder["out"], new Fairseq2ExportOptions()));

        foreach (var options in (ExportOptions[])[new HuggingFaceExportOptions(), new ReferenceExportOptions { ShardCount = 1 }])
        {
            var exported = MergeModels.Export(merged, _folder[$"out-{options.GetType().Name}"], options);
            Assert.Equal(MergeModels.NumbersOf(Expected), MergeModels.NumbersOf(exported));
            Assert.NotEqual(true, exported.Architecture?.TiedEmbeddings);
        }
    }

    /// <summary>modules_to_save, and base weights that PEFT saves with adapted embeddings: what the adapter has takes the place of what the model has.</summary>
    [Theory]
    [InlineData("fairseq2", "lm_head", ".weight")]
    [InlineData("hf", "lm_head", ".weight")]
    [InlineData("hf", "model.layers.0.self_attn.q_proj", ".weight")]
    [InlineData("fairseq2", "model.layers.0.self_attn.q_proj", ".weight")]
    [InlineData("reference 2", "model.layers.0.self_attn.k_proj", ".weight")]
    [InlineData("hf", "model.layers.1.input_layernorm", ".weight")]
    [InlineData("fairseq2", "model.embed_tokens", ".base_layer.weight", "model.embed_tokens")]
    [InlineData("hf", "model.embed_tokens", ".base_layer.weight", "model.embed_tokens")]
    public void With_saved_modules_replace_weights(string format, string replaced, string suffix, params string[] adapted)
    {
        var adapter = WritePeft(
            "bfloat16",
            UsualConfig,
            new LoraSpec([.. adapted.Select(module => new LoraModule(module, 4, 2)), new("model.layers.1.self_attn.v_proj", 4, 2)]) { Replaced = [replaced], ReplacedSuffix = suffix });
        var model = _models.Export(_models.Read("bfloat16", 0), _folder["model"], format);

        PyTorchMerge.AssertSame(_folder["expected.pt"], Export(LoraMerge.Of(model, adapter)));
    }

    [Theory]
    [InlineData("")]
    [InlineData("base_model.model.")]
    public void Are_found_by_folder_and_by_file_whatever_the_prefix(string prefix)
    {
        var adapter = WritePeft("bfloat16", UsualConfig, new LoraSpec(Usual) { Prefix = prefix });

        foreach (var path in new[] { adapter, Path.Combine(adapter, "adapter_model.safetensors"), Path.Combine(adapter, "adapter_config.json") })
        {
            Assert.Equal(MergeModels.NumbersOf(Expected), MergeModels.NumbersOf(LoraMerge.Of(_models.Read("bfloat16", 0), path)));
        }
    }

    /// <summary>What a quantized weight becomes is not quantized again.</summary>
    [Fact]
    public void Of_a_quantized_model_give_float32()
    {
        var quantized = _models.Export(_models.Read("float32", 0), _folder["quantized"], "gguf Q8_0");
        var options = _models.OptionsFor("fairseq2") with { DType = DType.Float32 };
        MergeModels.Export(quantized, _folder["dequantized"], options);
        var adapter = WritePeft(_folder["dequantized/model.pt"], UsualConfig, new LoraSpec(Usual), isPath: true);

        var merged = LoraMerge.Of(quantized, adapter);

        Assert.All(merged.Tensors, tensor => Assert.Equal(tensor.Shards[0].IsStored ? quantized.Tensors.Single(own => own.Name == tensor.Name).DType : DType.Float32, tensor.DType));
        PyTorchMerge.AssertSame(_folder["expected.pt"], MergeModels.Export(merged, _folder["out"], options));
    }

    [Theory]
    [InlineData("bfloat16", "float32")]
    [InlineData("bfloat16", "bfloat16")]
    [InlineData("float32", "float32")]
    public void Of_fairseq2_are_merged_into_the_model_that_has_them(string kind, string dtype)
    {
        WriteNative(kind, dtype);

        var merged = LoraMerge.Of(Fairseq2Checkpoint.Read(_folder["native/whole.pt"]), alpha: 16);

        Assert.DoesNotContain(merged.Tensors, tensor => tensor.Name.Contains("lora", StringComparison.Ordinal) || tensor.Name.Contains("wrapped", StringComparison.Ordinal));
        PyTorchMerge.AssertSame(_folder["expected.pt"], Export(merged));
    }

    [Theory]
    [MemberData(nameof(Formats))]
    public void Of_fairseq2_are_merged_into_another_checkpoint(string format)
    {
        var kind = format == "gguf" ? "float32" : "bfloat16";
        WriteNative(kind, "float32");
        var model = _models.Export(_models.Read(kind, 0), _folder["model"], format);

        foreach (var adapter in new[] { "adapter.pt", "whole.pt" })
        {
            Assert.Equal(MergeModels.NumbersOf(Expected), MergeModels.NumbersOf(LoraMerge.Of(model, _folder[$"native/{adapter}"], alpha: 16)));
        }
    }

    /// <summary>A layer whose weight is only there under its second name, as a filter may have left it.</summary>
    [Fact]
    public void Of_fairseq2_are_merged_into_weights_that_have_only_their_second_name()
    {
        WriteNative("bfloat16", "float32");
        PyTorch.Ask(
            """
            import sys, torch
            model = torch.load(sys.argv[1])["model"]
            torch.save({name: tensor for name, tensor in model.items() if not name.endswith("_proj.weight") or name.replace(".weight", ".wrapped.weight") not in model}, sys.argv[2])
            """,
            _folder["native/whole.pt"],
            _folder["native/wrapped.pt"]);

        PyTorchMerge.AssertSame(_folder["expected.pt"], Export(LoraMerge.Of(Fairseq2Checkpoint.Read(_folder["native/wrapped.pt"]), alpha: 16)));
    }

    /// <summary>Rows of a LoRA's matrices may lie in several files, as those of all parameters do with sharded data parallelism.</summary>
    [Fact]
    public void Of_fairseq2_may_be_divided_over_files()
    {
        WriteNative("bfloat16", "float32");
        PyTorch.Ask(
            """
            import os, sys, torch
            model = torch.load(sys.argv[1])["model"]
            os.makedirs(f"{sys.argv[2]}/model/pp_00/tp_00")
            for rank in range(2):
                torch.save({name: tensor.chunk(2)[rank].clone() for name, tensor in model.items() if ".wrapped." not in name}, f"{sys.argv[2]}/model/pp_00/tp_00/sdp_{rank:02}.pt")
            """,
            _folder["native/whole.pt"],
            _folder["divided"]);
        var divided = Fairseq2Checkpoint.Read(_folder["divided"]);
        Assert.All(divided.Tensors, tensor => Assert.Equal(2, tensor.Shards.Length));

        PyTorchMerge.AssertSame(_folder["expected.pt"], Export(LoraMerge.Of(divided, alpha: 16)));
    }

    /// <summary>Two adapters, one after the other.</summary>
    [Fact]
    public void Are_merged_into_merged_checkpoints()
    {
        var first = WritePeft("float32", UsualConfig, new LoraSpec(Usual), name: "first");
        var expected = _folder["first.pt"];
        File.Move(_folder["expected.pt"], expected);
        var second = WritePeft(expected, UsualConfig, new LoraSpec(Usual) { Dtype = "bfloat16" }, isPath: true, name: "second");

        var merged = LoraMerge.Of(LoraMerge.Of(_models.Read("float32", 0), first), second);

        PyTorchMerge.AssertSame(_folder["expected.pt"], Export(merged));
    }

    private LlamaCheckpoint Expected => Fairseq2Checkpoint.Read(_folder["expected.pt"]);

    private LlamaCheckpoint Export(LlamaCheckpoint merged) => _models.Export(merged, _folder["out"], "fairseq2");

    /// <summary>Writes an adapter, and what should come of it to expected.pt.</summary>
    /// <returns>Its folder.</returns>
    private string WritePeft(string model, string config, LoraSpec spec, bool isPath = false, string name = "peft")
    {
        PyTorchMerge.WritePeft(_folder[name], isPath ? model : _models.PathOf(model, 0), _folder["expected.pt"], spec);
        File.WriteAllText(_folder[$"{name}/adapter_config.json"], config);
        return _folder[name];
    }

    /// <summary>As fairseq2's own configuration has it for LLaMA, which adapts queries and values, and the embeddings besides.</summary>
    private void WriteNative(string kind, string dtype) => PyTorchMerge.WriteNative(
        _folder["native"],
        _models.PathOf(kind, 0),
        _folder["expected.pt"],
        new LoraSpec(
        [
            .. from layer in Enumerable.Range(0, 2)
               from module in (string[])["q_proj", "k_proj", "v_proj"]
               select new LoraModule($"decoder.layers.{layer}.self_attn.{module}", 8, 2),
            new("decoder_frontend.embed", 4, 4),
        ])
        { Dtype = dtype });
}
