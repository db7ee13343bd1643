using TorchSharp;
using static TorchSharp.torch;

namespace Fairseq2Llama.Tests.ForwardPass;

/// <summary>
/// Arithmetic whose numbers live as long as they are used. TorchSharp makes a Scalar of each number, also where tensors are added, and nothing keeps the
/// garbage collector from freeing it while libtorch reads it.
/// </summary>
internal static class HeldScalars
{
    private static readonly Scalar One = 1.ToScalar();

    public static Tensor Plus(this Tensor left, Tensor right) => left.add(right, One);

    public static Tensor Plus(this Tensor left, double right)
    {
        using var scalar = right.ToScalar();
        return left.add(scalar, One);
    }

    public static Tensor Over(this Tensor left, double right)
    {
        using var scalar = right.ToScalar();
        return left.div(scalar);
    }
}
