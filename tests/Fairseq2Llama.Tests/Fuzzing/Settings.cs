using System.Text;

namespace Fairseq2Llama.Tests.Fuzzing;

/// <summary>model.yaml as fairseq2 writes it of the model in tests/data, with lines and values changed.</summary>
internal static class Settings
{
    private const string Version04 =
        """
        model_family: llama
        model_arch: llama3_2_1b
        model_config:
          _set_:
            model_dim: 16
            max_seq_len: 2048
            vocab_info:
              size: 40
              pad_idx: null
            num_layers: 2
            num_attn_heads: 4
            num_key_value_heads: 2
            ffn_inner_dim: 64
            ffn_inner_dim_scale: 0.6666666666666666
            ffn_inner_dim_multiplier: 1.0
            ffn_inner_dim_to_multiple: 8
            rope_theta: 10000.0
            use_scaled_rope: true
            rope_scaling: {factor: 8.0, frequency_factors: [1.0, 4.0]}
        num_shards: 2
        """;

    private const string Version08 =
        """
        model_family: llama
        model_config:
          model_dim: 16
          max_seq_len: 2048
          vocab_size: 40
          tied_embeddings: false
          num_layers: 2
          num_attn_heads: 4
          num_key_value_heads: 2
          ffn_inner_dim: 64
          ffn_inner_dim_multiple_of: 8
          rope_theta: 10000.0
          shard_embed_dim: false
          "a key": 'it''s'
        """;

    private static readonly string[] Values =
    [
        "NaN", "-Infinity", "1e400", "5e-324", "-1", "0", "1", "2147483647", "100000000", "99999999999999999999", "null", "~", "true", "[]", "{}", "[[[[1]]]]",
        "\"\\e[2J\"", "\"\\0\"", "!!int 1", "&a 1", "*a", "|", ">", "? x", "llama", "- 1", "{a: [}", "%TAG",
    ];

    public static byte[] Make(Random random)
    {
        var lines = (random.Next(2) == 0 ? Version04 : Version08).Split('\n').ToList();

        for (var changes = random.Next(4); changes > 0; changes--)
        {
            Change(lines, random);
        }

        var text = Encoding.UTF8.GetBytes(string.Join('\n', lines));
        return random.Next(3) == 0 ? Bytes.Mutate(text, random) : text;
    }

    private static void Change(List<string> lines, Random random)
    {
        var place = random.Next(lines.Count);
        var line = lines[place];

        switch (random.Next(6))
        {
            case 0 when lines.Count > 1:
                lines.RemoveAt(place);
                break;
            case 1:
                lines.Insert(random.Next(lines.Count), line);
                break;
            case 2:
                lines[place] = ' ' + line;
                break;
            case 3:
                // A key that may be longer than keys can be, under an escape that may be for the terminal.
                lines.Insert(place, $"{line[..^line.TrimStart().Length]}? \"\\e{new string('x', 1 << random.Next(14))}\"\n:");
                break;
            default:
                lines[place] = $"{line.Split(':')[0]}: {(random.Next(4) == 0 ? Bytes.Number(random) : Values[random.Next(Values.Length)])}";
                break;
        }
    }
}
