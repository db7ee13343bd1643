using System.Text.Json.Nodes;
using Fairseq2Llama.Tests.Support;

namespace Fairseq2Llama.Tests.Cmdlets;

public sealed class ReadLlamaHuggingFaceCheckpointTests : IDisposable
{
    private const string First = "model-00001-of-00002.safetensors";
    private const string Index = "model.safetensors.index.json";

    private readonly Session _session = new();
    private readonly TempFolder _folder = new();

    public ReadLlamaHuggingFaceCheckpointTests()
    {
        _session["huggingface"] = Repository.Data("huggingface");
        _session.Location = _folder.Path;

        foreach (var name in new[] { "single", "sharded", "tied" })
        {
            Directory.CreateDirectory(_folder[name]);

            foreach (var file in Directory.EnumerateFiles(Repository.Data($"huggingface/{name}")))
            {
                File.Copy(file, _folder[$"{name}/{Path.GetFileName(file)}"]);
            }
        }
    }

    public void Dispose()
    {
        _session.Dispose();
        _folder.Dispose();
    }

    [Theory]
    [InlineData("single", 1, 2)]
    [InlineData("sharded", 2, 4)]
    public void Reads_a_model_and_its_architecture(string name, int shards, int files)
    {
        var checkpoint = _session.RunOne<LlamaHuggingFaceCheckpoint>($"Read-LlamaHuggingFaceCheckpoint {name}");

        Assert.Equal((name, shards, files, 21), (checkpoint.Name, checkpoint.ShardCount, checkpoint.Files.Length, checkpoint.Tensors.Length));
        Assert.Equal(checkpoint.Files.Sum(file => new FileInfo(file).Length), checkpoint.SizeInBytes);
        var architecture = checkpoint.Architecture;
        Assert.Equal(
            TinyModel.Architecture with { Name = name, FfnInnerDimMultipleOf = architecture.FfnInnerDimMultipleOf, FfnInnerDimMultiplier = architecture.FfnInnerDimMultiplier },
            architecture);
        Assert.Equal(48, architecture.FfnInnerDim);
    }

    [Fact]
    public void Its_tensors_have_their_own_names_first_and_those_of_the_other_formats()
    {
        var tensor = _session.RunOne<CheckpointTensor>("Read-LlamaHuggingFaceCheckpoint single | Get-CheckpointTensor *.1.*k_proj*");

        Assert.Equal(
            ("model.layers.1.self_attn.k_proj.weight", "decoder.layers.1.self_attn.k_proj.weight", "layers.1.attention.wk.weight"),
            (tensor.Name, tensor.Fairseq2Name, tensor.ReferenceName));
    }

    [Theory]
    [InlineData(14336, 4096)]
    [InlineData(8192, 2048)]
    [InlineData(8192, 3072)]
    [InlineData(172, 64)]
    [InlineData(64, 64)]
    [InlineData(1, 64)]
    [InlineData(11008, 4096)]
    public void Its_FFN_has_the_inner_dim_that_config_json_tells(int innerDim, int modelDim)
    {
        Edit("single/config.json", json =>
        {
            json["intermediate_size"] = innerDim;
            json["hidden_size"] = modelDim;
        });

        // The weights are still those of a small model, and only the dims that contradict are listed.
        var message = _session.RunForError(CheckpointErrorCode.ArchitectureMismatch, "Read-LlamaHuggingFaceCheckpoint single").ToString();
        Assert.Contains($"FfnInnerDim is {innerDim} in the architecture and 48 in the weights", message, StringComparison.Ordinal);
        Assert.DoesNotContain("would compute", message, StringComparison.Ordinal);
    }

    [Fact]
    public void Says_so_where_the_rotary_encoding_is_scaled()
    {
        Edit("single/config.json", json => json["rope_scaling"] = new JsonObject { ["rope_type"] = "llama3", ["factor"] = 32.0, ["low_freq_factor"] = 1.0 });
        Assert.Equal(32, _session.RunOne<LlamaHuggingFaceCheckpoint>("Read-LlamaHuggingFaceCheckpoint single").Architecture.RopeScaleFactor);

        Edit("single/config.json", json => json["rope_scaling"] = new JsonObject { ["type"] = "linear", ["factor"] = 2.0 });
        _session.RunForError(CheckpointErrorCode.ArchitectureMismatch, "Read-LlamaHuggingFaceCheckpoint single", "'linear'");

        Edit("single/config.json", json => json["rope_scaling"] = new JsonObject { ["rope_type"] = "llama3" });
        _session.RunForError(CheckpointErrorCode.CheckpointCorrupt, "Read-LlamaHuggingFaceCheckpoint single", "'factor'");
    }

    [Theory]
    [InlineData("""{"hidden_act": "gelu"}""", "'gelu'")]
    [InlineData("""{"quantization_config": {"bits": 8}}""", "quantized")]
    [InlineData("""{"partial_rotary_factor": 0.5}""", "0.5 of each head")]
    [InlineData("""{"rope_parameters": {"full_attention": {"rope_theta": 10000.0}}}""", "not the same in all layers")]
    [InlineData("""{"rope_parameters": {"rope_type": "default"}, "rope_scaling": {"rope_type": "llama3", "factor": 8.0}}""", "twice")]
    public void Refuses_what_only_other_models_have(string settings, string why)
    {
        Edit("single/config.json", json =>
        {
            foreach (var (name, value) in JsonNode.Parse(settings)!.AsObject())
            {
                json[name] = value?.DeepClone();
            }
        });

        _session.RunForError(CheckpointErrorCode.ArchitectureMismatch, "Read-LlamaHuggingFaceCheckpoint single", why);
    }

    /// <summary>So huggingface_hub keeps its cache: snapshots of links to blobs.</summary>
    [Fact]
    public void Follows_links()
    {
        Directory.CreateDirectory(_folder["snapshot"]);

        foreach (var path in Directory.EnumerateFiles(_folder["single"]))
        {
            SymbolicLink.ToFile(_folder[$"snapshot/{Path.GetFileName(path)}"], path);
        }

        var checkpoint = _session.RunOne<LlamaHuggingFaceCheckpoint>("Read-LlamaHuggingFaceCheckpoint snapshot");
        _session.Run("Read-LlamaHuggingFaceCheckpoint snapshot | Export-LlamaHuggingFaceCheckpoint out");

        Assert.Equal(_session.RunOne<LlamaHuggingFaceCheckpoint>("Read-LlamaHuggingFaceCheckpoint single").SizeInBytes, checkpoint.SizeInBytes);
        Assert.All(checkpoint.Files, file => Assert.StartsWith(_folder["snapshot"], file, StringComparison.Ordinal));
        Assert.Equal(File.ReadAllBytes(_folder["single/model.safetensors"]), File.ReadAllBytes(_folder["out/model.safetensors"]));
    }

    [Fact]
    public void A_link_that_leads_nowhere_is_no_file()
    {
        File.Delete(_folder["single/model.safetensors"]);
        SymbolicLink.ToFile(_folder["single/model.safetensors"], _folder["gone"]);

        Assert.StartsWith("Checkpoint", _session.RunForError("Read-LlamaHuggingFaceCheckpoint single").FullyQualifiedErrorId, StringComparison.Ordinal);
    }

    [Fact]
    public void Takes_the_single_file_where_there_is_an_index_too()
    {
        File.WriteAllText(_folder["single/model.safetensors.index.json"], """{"weight_map": {"lm_head.weight": "gone.safetensors"}}""");

        Assert.Equal(1, _session.RunOne<LlamaHuggingFaceCheckpoint>("Read-LlamaHuggingFaceCheckpoint single").ShardCount);
    }

    [Fact]
    public void Says_so_where_only_the_index_is_missing()
    {
        File.Move(_folder["single/model.safetensors"], _folder["single/model-00001-of-00001.safetensors"]);

        _session.RunForError(CheckpointErrorCode.CheckpointUnrecognized, "Read-LlamaHuggingFaceCheckpoint single", "holds no model.safetensors.index.json");
    }

    [Fact]
    public void What_is_missing_is_called_as_the_format_calls_it()
    {
        Edit("tied/config.json", json => json["tie_word_embeddings"] = false);

        _session.RunForError(CheckpointErrorCode.MissingTensor, "Read-LlamaHuggingFaceCheckpoint tied | Export-Fairseq2Checkpoint out", "'lm_head.weight' is missing");
    }

    /// <summary>What an export would write, or leave out, would be another model.</summary>
    [Theory]
    [InlineData("low_freq_factor", 0.5)]
    [InlineData("high_freq_factor", 2)]
    [InlineData("original_max_position_embeddings", 4096)]
    public void Refuses_scaling_that_the_other_formats_do_not_have(string name, double value)
    {
        Edit("single/config.json", json => json["rope_scaling"] = new JsonObject { ["rope_type"] = "llama3", ["factor"] = 8.0, [name] = value });

        _session.RunForError(CheckpointErrorCode.ArchitectureMismatch, "Read-LlamaHuggingFaceCheckpoint single", name);
    }

    [Theory]
    [InlineData("Read-LlamaHuggingFaceCheckpoint nowhere", CheckpointErrorCode.CheckpointNotFound, "nowhere")]
    [InlineData("Read-LlamaHuggingFaceCheckpoint single/config.json", CheckpointErrorCode.CheckpointUnrecognized, "folder that contains it")]
    public void Refuses_what_is_none(string script, CheckpointErrorCode code, string word) => _session.RunForError(code, script, word);

    [Theory]
    [InlineData("config.json", CheckpointErrorCode.CheckpointUnrecognized, "config.json")]
    [InlineData("model.safetensors", CheckpointErrorCode.CheckpointUnrecognized, "pytorch_model.bin")]
    public void Names_what_is_missing(string file, CheckpointErrorCode code, string word)
    {
        File.Delete(_folder[$"single/{file}"]);

        _session.RunForError(code, "Read-LlamaHuggingFaceCheckpoint single", word);
    }

    [Fact]
    public void Names_the_file_that_is_missing_of_several()
    {
        File.Delete(_folder[$"sharded/{First}"]);

        _session.RunForError(CheckpointErrorCode.MissingShard, "Read-LlamaHuggingFaceCheckpoint sharded", First);
    }

    [Theory]
    [InlineData("../single/model.safetensors")]
    [InlineData("/etc/passwd")]
    [InlineData("")]
    [InlineData("a\\\\b")]
    public void Opens_no_file_of_another_folder(string file)
    {
        Edit($"sharded/{Index}", json => json["weight_map"]!["model.norm.weight"] = file);

        _session.RunForError(CheckpointErrorCode.CheckpointCorrupt, "Read-LlamaHuggingFaceCheckpoint sharded", Index);
    }

    [Fact]
    public void Names_what_the_index_has_and_the_files_have_not_and_the_other_way_round()
    {
        Edit($"sharded/{Index}", json =>
        {
            var map = json["weight_map"]!.AsObject();
            map.Remove("model.norm.weight");
            map["model.extra.weight"] = First;
        });

        _session.RunForError(CheckpointErrorCode.CheckpointCorrupt, "Read-LlamaHuggingFaceCheckpoint sharded", "'model.norm.weight' is, and should not be", "'model.extra.weight' should be, and is not");
    }

    [Theory]
    [InlineData("model_type", "\"mistral\"", CheckpointErrorCode.CheckpointUnrecognized, "'mistral'")]
    [InlineData("model_type", "null", CheckpointErrorCode.CheckpointUnrecognized, "'llama'")]
    [InlineData("vocab_size", "null", CheckpointErrorCode.CheckpointCorrupt, "'vocab_size'")]
    [InlineData("hidden_size", "\"16\"", CheckpointErrorCode.CheckpointCorrupt, "'hidden_size'")]
    [InlineData("head_dim", "8", CheckpointErrorCode.ArchitectureMismatch, "8 dimensions")]
    [InlineData("num_attention_heads", "0", CheckpointErrorCode.ArchitectureMismatch, "NumAttnHeads")]
    [InlineData("num_attention_heads", "3", CheckpointErrorCode.ArchitectureMismatch, "NumAttnHeads")]
    [InlineData("num_hidden_layers", "3", CheckpointErrorCode.ArchitectureMismatch, "NumLayers")]
    [InlineData("intermediate_size", "0", CheckpointErrorCode.ArchitectureMismatch, "FfnInnerDim")]
    [InlineData("model_type", "\"\u202Ella\"", CheckpointErrorCode.CheckpointUnrecognized, "'\uFFFDlla'")]
    public void Says_what_is_wrong_with_config_json(string name, string value, CheckpointErrorCode code, string word)
    {
        Edit("single/config.json", json => json[name] = JsonNode.Parse(value));

        _session.RunForError(code, "Read-LlamaHuggingFaceCheckpoint single", word);
    }

    [Theory]
    [InlineData("\"\\ud800\"")]
    [InlineData("\"\u00b0\"")]
    public void Says_so_where_text_is_no_Unicode(string modelType)
    {
        // The second is a byte by itself in Latin 1.
        var text = File.ReadAllText(_folder["single/config.json"]).Replace("\"llama\"", modelType, StringComparison.Ordinal);
        File.WriteAllText(_folder["single/config.json"], text, System.Text.Encoding.Latin1);

        _session.RunForError(CheckpointErrorCode.CheckpointCorrupt, "Read-LlamaHuggingFaceCheckpoint single", "config.json", "not valid Unicode");
    }

    [Fact]
    public void Says_what_is_wrong_with_a_file()
    {
        File.WriteAllText(_folder["single/model.safetensors"], "<html>not here</html>");

        _session.RunForError(CheckpointErrorCode.CheckpointUnrecognized, "Read-LlamaHuggingFaceCheckpoint single", _folder["single/model.safetensors"]);
    }

    private void Edit(string file, Action<JsonNode> edit)
    {
        var json = JsonNode.Parse(File.ReadAllText(_folder[file]))!;
        edit(json);
        File.WriteAllText(_folder[file], json.ToJsonString());
    }
}
