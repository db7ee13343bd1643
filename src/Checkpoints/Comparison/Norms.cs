namespace Fairseq2Llama.Comparison;

/// <summary>L2 norms of differences beside those of what they are differences from.</summary>
internal static class Norms
{
    /// <summary>
    /// The norm of a difference divided by that of its reference: 0 where nothing differs, and null where there is nothing to divide, or the
    /// quotient is not finite.
    /// </summary>
    public static double? Relative(double? difference, double? reference) => (difference / reference) switch
    {
        _ when difference == 0 => 0,
        { } quotient when double.IsFinite(quotient) => quotient,
        _ => null,
    };

    /// <summary>The norm of several tensors taken together, from the norm of each; null for none.</summary>
    public static double? Together(IEnumerable<double?> norms)
    {
        var squares = norms.OfType<double>().Select(norm => norm * norm).ToArray();
        return squares.Length == 0 ? null : Math.Sqrt(squares.Sum());
    }
}
