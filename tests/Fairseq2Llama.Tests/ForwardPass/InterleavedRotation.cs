using static TorchSharp.torch;

namespace Fairseq2Llama.Tests.ForwardPass;

/// <summary>Meta's and fairseq2's rotary encoding: a pair is two neighbours.</summary>
internal static class InterleavedRotation
{
    /// <summary>apply_rotary_emb of Meta's model.py.</summary>
    /// <param name="heads">Queries or keys (position, head, head dim).</param>
    /// <param name="angles">What <see cref="RotaryAngles"/> gives for these positions.</param>
    public static Tensor Apply(Tensor heads, Tensor angles)
    {
        var pairs = view_as_complex(heads.reshape(heads.shape[0], heads.shape[1], -1, 2));
        var turns = polar(ones_like(angles), angles).unsqueeze(1);

        return view_as_real(pairs * turns).flatten(2);
    }
}
