using System.Collections.Immutable;
using System.Runtime.InteropServices;
using Fairseq2Llama.Dependencies;
using Fairseq2Llama.Reading;

namespace Fairseq2Llama.Merging;

/// <summary>
/// The average of tensors: each is multiplied with its weight, the products are added one after the other, and the sum is divided by that of the weights; all in float32, each step rounded, then
/// cast to the element type. PyTorch gives the same bits for <c>acc = x0.float() * w0; acc = acc + x1.float() * w1; …; (acc / sum(w)).to(dtype)</c>.
/// </summary>
/// <param name="dtype">The element type of the average.</param>
/// <param name="tensors">Of one shape.</param>
/// <param name="weights">As many, of which the sum is not 0.</param>
/// <param name="halfSplitHeadDim">As <see cref="CheckpointTensor.HalfSplitHeadDim"/>, for the order of rows that the average shall have.</param>
internal sealed class WeightedAverage(DType dtype, ImmutableArray<CheckpointTensor> tensors, ImmutableArray<double> weights, int? halfSplitHeadDim)
    : TensorRecipe(dtype, tensors[0].Shape, halfSplitHeadDim)
{
    private readonly float _divisor = (float)weights.Sum();

    public override ImmutableArray<CheckpointTensor> Inputs => tensors;

    public override int RowsAtLeast => RowsOfHeads(tensors);

    public override bool IsElementwise => RowsAtLeast == 1 && !tensors.Any(tensor => tensor.DType.IsQuantized());

    public override void Compute(TensorWindow window, Span<byte> target, RecipeInputs inputs)
    {
        var count = (int)(window.Rows * window.Columns);
        var buffer = inputs.TakeBuffer(count);

        try
        {
            for (var i = 0; i < tensors.Length; i++)
            {
                Add(i, window, inputs, buffer);
            }

            var sums = buffer.AsSpan(0, count * sizeof(float));
            ThirdParty.TensorMath.Divide(MemoryMarshal.Cast<byte, float>(sums), _divisor);
            ThirdParty.TensorMath.Cast(DType.Float32, sums, DType, target);
        }
        finally
        {
            inputs.GiveBack(buffer);
        }
    }

    private void Add(int index, TensorWindow window, RecipeInputs inputs, byte[] sums)
    {
        var (tensor, weight, length) = (tensors[index], (float)weights[index], 0);

        inputs.Read(tensor, window, chunk =>
        {
            var numbers = MemoryMarshal.Cast<byte, float>(sums.AsSpan(length, chunk.Length / tensor.NumberDType.GetItemSize() * sizeof(float)));

            // A sum that began with 0 would make 0 of -0.
            if (index == 0)
            {
                ThirdParty.TensorMath.Scale(tensor.NumberDType, chunk, weight, numbers);
            }
            else
            {
                ThirdParty.TensorMath.AddScaled(tensor.NumberDType, chunk, weight, numbers);
            }

            length += numbers.Length * sizeof(float);
        });
    }
}
