using System.Runtime.InteropServices;
using System.Security.Cryptography;
using System.Text.RegularExpressions;
using Fairseq2Llama.Tests.Documentation;
using Fairseq2Llama.Tests.Signing;
using Fairseq2Llama.Tests.Support;
using CheckpointMaker = Fairseq2Llama.Benchmark.CheckpointMaker;

namespace Fairseq2Llama.Tests.Help;

/// <summary>A folder with everything that the examples of the help and of pages name.</summary>
internal sealed partial class ExampleWorld : IDisposable
{
    private readonly TempFolder _folder = new("world");

    public ExampleWorld()
    {
        Directory.CreateDirectory(_folder["tokenizer"]);
        File.WriteAllBytes(_folder["tokenizer/tokenizer.model"], SentencePieceBuilder.OfSize(TinyModel.Architecture.VocabSize).Build());

        AddAdapter("chat");
        AddAdapter("code");

        using var session = new Session();
        session["tiny"] = TinyModel.Architecture;
        session["data"] = Repository.Data("checkpoints");
        session.Location = _folder.Path;

        session.Run("""
            Read-Fairseq2Checkpoint $data/fs2 | Export-Fairseq2Checkpoint runs/7b -Architecture $tiny
            Read-Fairseq2Checkpoint $data/fs2 | Export-LlamaReferenceCheckpoint meta/base -Architecture $tiny -Manifest
            Read-Fairseq2Checkpoint $data/fs2 | Export-LlamaReferenceCheckpoint Llama3.2-1B -Architecture $tiny
            Read-Fairseq2Checkpoint $data/fs2 | Export-LlamaHuggingFaceCheckpoint hf/base -Architecture $tiny -TokenizerPath tokenizer -Manifest
            Export-LlamaGgufCheckpoint hf/base gguf/base.gguf
            Read-LlamaHuggingFaceCheckpoint $data/../huggingface/half | Export-LlamaHuggingFaceCheckpoint hf/other
            """);

        if (EllipticKeys.CanBeUsed)
        {
            AddKeys();
            session.Run("New-CheckpointManifest meta/base -KeyPath key.pem -CertificatePath signer.pem, intermediate.pem");
        }

        CheckpointFolder.Copy("fs2", _folder["downloads/mine"]);
        CheckpointMaker.Make(_folder["downloads/smaller"], TinyModel.Architecture with { NumLayers = 8, VocabSize = 32000 });
        AddConfig(CheckpointFolder.Copy("lora", _folder["lora/7b"]));

        // Two files that can be divided by up to eight.
        CheckpointMaker.Make(_folder["runs/70b"], TinyModel.Architecture with { NumAttnHeads = 8, NumKeyValueHeads = 8 }, shardCount: 2);
        AddConfig(_folder["runs/70b"], heads: 8);

        foreach (var step in new[] { 500, 1000 })
        {
            CheckpointFolder.Copy("fs2", _folder[$"runs/sft/checkpoints/step_{step}"]);
        }

        AddConfig(_folder["runs/sft/checkpoints"]);

        foreach (var step in new[] { 500, 1000 })
        {
            CheckpointFolder.CopyFiles(DistributedManifest.Cases["titan-2"].Path, _folder[$"outputs/checkpoint/step-{step}"]);
        }

        CheckpointFolder.CopyFiles(DistributedManifest.Cases["accelerate-2"].Path, _folder["trainer/checkpoint-500/pytorch_model_fsdp_0"]);
    }

    public string Path => _folder.Path;

    public void Dispose() => _folder.Dispose();

    /// <summary>A session in it.</summary>
    public Session Open()
    {
        var session = new Session { Location = Path };
        session["tiny"] = TinyModel.Architecture;
        session.Run(StandIns.Script);
        return session;
    }

    /// <summary>An example with the architecture of the models here: they are so small that those of published models are not theirs.</summary>
    public static string WithItsArchitecture(string code) => Published().Replace(code, "$tiny");

    /// <summary>Those of somebody who signs, and of the authority that certifies it, which are valid for a year.</summary>
    private void AddKeys()
    {
        using var authority = new Authority(start: DateTimeOffset.UtcNow.AddDays(-1));
        var (key, certificate) = authority.Issue();
        using var ec = ECDsa.Create();
        ec.ImportFromPem(key.Text);

        File.WriteAllText(_folder["key.pem"], key.Text);
        File.WriteAllText(_folder["key.pub"], ec.ExportSubjectPublicKeyInfoPem());
        File.WriteAllText(_folder["signer.pem"], certificate.Text);
        File.WriteAllText(_folder["intermediate.pem"], authority.Intermediate.Text);
        File.WriteAllText(_folder["root.pem"], authority.Root.Text);
    }

    /// <summary>An adapter as PEFT saves it, of rank 1.</summary>
    private void AddAdapter(string name)
    {
        const string Module = "base_model.model.model.layers.0.self_attn.o_proj";
        var dim = TinyModel.Architecture.ModelDim;
        var size = dim * sizeof(float);
        var header = $"{{{SafeTensorsBuilder.Entry($"{Module}.lora_A.weight", "F32", $"1,{dim}", 0, size)},{SafeTensorsBuilder.Entry($"{Module}.lora_B.weight", "F32", $"{dim},1", size, 2 * size)}}}";

        Directory.CreateDirectory(_folder[$"adapters/{name}"]);
        File.WriteAllText(_folder[$"adapters/{name}/adapter_config.json"], """{"peft_type": "LORA", "r": 1, "lora_alpha": 2}""");
        File.WriteAllBytes(_folder[$"adapters/{name}/adapter_model.safetensors"], SafeTensorsBuilder.Build(header, MemoryMarshal.AsBytes<float>([.. Enumerable.Repeat(0.125f, 2 * dim)])));
    }

    private void AddConfig(string folder, int? heads = null)
    {
        var config = File.ReadAllText(_folder["runs/7b/model.yaml"]);
        File.WriteAllText(System.IO.Path.Combine(folder, "model.yaml"), heads is null ? config : Heads().Replace(config, $"$1: {heads}"));
    }

    [GeneratedRegex(@"(?<=-(Architecture|BasedOn) )llama\w+")]
    private static partial Regex Published();

    [GeneratedRegex(@"(num_attn_heads|num_key_value_heads): \d+")]
    private static partial Regex Heads();
}
