using static TorchSharp.torch;

namespace Fairseq2Llama.Tests.ForwardPass;

/// <summary>Hugging Face's rotary encoding: the two of a pair are half a head apart.</summary>
internal static class RotateHalf
{
    /// <summary>apply_rotary_pos_emb of transformers' modeling_llama.py.</summary>
    /// <param name="heads">Queries or keys (position, head, head dim).</param>
    /// <param name="angles">What <see cref="RotaryAngles"/> gives for these positions.</param>
    public static Tensor Apply(Tensor heads, Tensor angles)
    {
        var both = cat([angles, angles], -1).unsqueeze(1);

        return (heads * both.cos()).Plus(Turn(heads) * both.sin());
    }

    /// <summary>rotate_half there.</summary>
    private static Tensor Turn(Tensor heads)
    {
        var halves = heads.chunk(2, -1);
        return cat([-halves[1], halves[0]], -1);
    }
}
