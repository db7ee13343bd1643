namespace Fairseq2Llama.Tests.ForwardPass;

/// <summary>
/// The largest difference, as a part of the largest logit: a small one is the sum of larger numbers and as inexact as they are.
/// </summary>
internal static class LogitDistance
{
    public static double Between(float[][] expected, float[][] actual) => Between(Widen(expected), Widen(actual));

    public static double Between(double[][] expected, double[][] actual)
    {
        // Zip would pass over what only one of them has.
        Assert.Equal(expected.Select(logits => logits.Length), actual.Select(logits => logits.Length));

        var before = expected.SelectMany(logits => logits).ToArray();
        var differences = before.Zip(actual.SelectMany(logits => logits), (before, after) => Math.Abs(before - after));

        // LINQ's Max passes over NaN.
        return differences.Aggregate(Math.Max) / before.Max(Math.Abs);
    }

    private static double[][] Widen(float[][] logits) =>
        Array.ConvertAll(logits, position => Array.ConvertAll(position, logit => (double)logit));
}
