using System.Text;

namespace Fairseq2Llama.Tests.Support;

/// <summary>
/// Small models in Hugging Face's format whose numbers come from a linear congruential generator, so that what other programs made of them need not be kept: model dim 32, 4 heads,
/// 2 key/value heads, vocabulary 40. A tokenizer lies beside them.
/// </summary>
/// <param name="DType">As safetensors calls it: BF16, F16, F32.</param>
/// <param name="Layers">How many layers there are.</param>
/// <param name="Ffn">The inner dim of the FFN.</param>
/// <param name="IsTied">Whether there is no output.</param>
/// <param name="IsScaled">Whether rotary encoding is scaled as LLaMA 3.1's.</param>
/// <param name="Files">Over how many files tensors are dealt out, one by one in the order of their names.</param>
internal sealed record ConverterModel(string DType, int Layers, int Ffn, bool IsTied, bool IsScaled, int Files = 1)
{
    /// <summary>Eleven layers, as names of layers are sorted as texts, and an FFN that is not made of blocks of Q8_0.</summary>
    public static ConverterModel Scaled { get; } = new("BF16", Layers: 11, Ffn: 48, IsTied: false, IsScaled: true);

    public static ConverterModel Tied { get; } = new("F32", Layers: 2, Ffn: 64, IsTied: true, IsScaled: false);

    public static ConverterModel Half { get; } = new("F16", Layers: 2, Ffn: 64, IsTied: false, IsScaled: false);

    public static ConverterModel Parts { get; } = new("BF16", Layers: 2, Ffn: 64, IsTied: false, IsScaled: true, Files: 3);

    public static ConverterModel Of(string name) => name switch
    {
        nameof(Scaled) => Scaled,
        nameof(Tied) => Tied,
        nameof(Half) => Half,
        _ => Parts,
    };

    /// <summary>Writes the files of the model into a folder and reads it.</summary>
    public LlamaHuggingFaceCheckpoint Write(string folder)
    {
        Directory.CreateDirectory(folder);
        var names = Names().OrderBy(tensor => tensor.Name, StringComparer.Ordinal).ToArray();

        for (var file = 0; file < Files; file++)
        {
            var entries = new List<string>();
            var data = new List<byte>();

            for (var i = file; i < names.Length; i += Files)
            {
                var begin = data.Count;
                data.AddRange(Draw((uint)i + 1, names[i].Shape.Aggregate((a, b) => a * b)).SelectMany(Encode));
                entries.Add(SafeTensorsBuilder.Entry($"{names[i].Name}.weight", DType, string.Join(',', names[i].Shape), begin, data.Count));
            }

            File.WriteAllBytes(Path.Combine(folder, NameOf(file)), SafeTensorsBuilder.Build(Encoding.UTF8.GetBytes($"{{{string.Join(',', entries)}}}"), [.. data]));
        }

        if (Files > 1)
        {
            File.WriteAllText(
                Path.Combine(folder, "model.safetensors.index.json"),
                $$$"""{"metadata":{},"weight_map":{{{{string.Join(',', names.Select((tensor, i) => $"\"{tensor.Name}.weight\":\"{NameOf(i % Files)}\""))}}}}}""");
        }

        File.WriteAllText(
            Path.Combine(folder, "config.json"),
            $$"""
            {"architectures": ["LlamaForCausalLM"], "model_type": "llama", "hidden_size": 32, "intermediate_size": {{Ffn}}, "num_attention_heads": 4, "num_key_value_heads": 2,
             "num_hidden_layers": {{Layers}}, "vocab_size": 40, "max_position_embeddings": {{(IsScaled ? 131072 : 2048)}}, "rms_norm_eps": 1e-5,
             "rope_theta": {{(IsScaled ? "500000.0" : "10000.0")}}, "tie_word_embeddings": {{(IsTied ? "true" : "false")}}, "bos_token_id": 1, "eos_token_id": 2,
             "rope_scaling": {{(IsScaled ? """{"rope_type": "llama3", "factor": 8.0, "low_freq_factor": 1.0, "high_freq_factor": 4.0, "original_max_position_embeddings": 8192}""" : "null")}}}
            """);
        File.WriteAllBytes(Path.Combine(folder, "tokenizer.model"), SentencePieceBuilder.OfSize(40).Build());
        return LlamaHuggingFaceCheckpoint.Read(folder);
    }

    private string NameOf(int file) => Files == 1 ? "model.safetensors" : $"model-{file + 1:00000}-of-{Files:00000}.safetensors";

    private IEnumerable<(string Name, int[] Shape)> Names()
    {
        yield return ("model.embed_tokens", [40, 32]);
        yield return ("model.norm", [32]);

        if (!IsTied)
        {
            yield return ("lm_head", [40, 32]);
        }

        foreach (var prefix in Enumerable.Range(0, Layers).Select(layer => $"model.layers.{layer}"))
        {
            yield return ($"{prefix}.input_layernorm", [32]);
            yield return ($"{prefix}.post_attention_layernorm", [32]);
            yield return ($"{prefix}.self_attn.q_proj", [32, 32]);
            yield return ($"{prefix}.self_attn.k_proj", [16, 32]);
            yield return ($"{prefix}.self_attn.v_proj", [16, 32]);
            yield return ($"{prefix}.self_attn.o_proj", [32, 32]);
            yield return ($"{prefix}.mlp.gate_proj", [Ffn, 32]);
            yield return ($"{prefix}.mlp.up_proj", [Ffn, 32]);
            yield return ($"{prefix}.mlp.down_proj", [32, Ffn]);
        }
    }

    /// <summary>Finite numbers of eight magnitudes.</summary>
    private byte[] Encode(uint bits)
    {
        var number = (bits & 0x807f_ffff) | ((119 + ((bits >> 8) & 7)) << 23);

        return DType switch
        {
            "F32" => BitConverter.GetBytes(number),
            "BF16" => BitConverter.GetBytes((ushort)(number >> 16)),
            _ => BitConverter.GetBytes((ushort)(((bits >> 16) & 0x83ff) | ((7 + ((bits >> 8) & 7)) << 10))),
        };
    }

    private static IEnumerable<uint> Draw(uint seed, int count)
    {
        for (var i = 0; i < count; i++)
        {
            yield return seed = unchecked((seed * 1664525) + 1013904223);
        }
    }
}
