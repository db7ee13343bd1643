using System.Collections.Immutable;
using System.Runtime.InteropServices;
using Fairseq2Llama.Dependencies;
using Fairseq2Llama.Reading;

namespace Fairseq2Llama.Merging;

/// <summary>
/// A weight with a LoRA merged into it: W + scale * (B A), in float32 by libtorch, cast to the element type of W. The product is rounded to float32, and so is what it becomes by the scale, as in
/// PEFT (get_delta_weight in tuners/lora/layer.py) and in fairseq2 (nn/lora.py, 0.2 to 0.4) for float32.
/// </summary>
/// <param name="dtype">The element type of what is computed.</param>
/// <param name="weight">W.</param>
/// <param name="lora">B, A and the scale.</param>
/// <param name="halfSplitHeadDim">As <see cref="CheckpointTensor.HalfSplitHeadDim"/>, for the order of rows that it shall have.</param>
internal sealed class LowRankUpdate(DType dtype, CheckpointTensor weight, LoraFactors lora, int? halfSplitHeadDim) : TensorRecipe(dtype, weight.Shape, halfSplitHeadDim)
{
    public override ImmutableArray<CheckpointTensor> Inputs => [weight, lora.Left, lora.Right];

    public override int RowsAtLeast => RowsOfHeads([weight]);

    public override void Compute(TensorWindow window, Span<byte> target, RecipeInputs inputs)
    {
        var count = (int)(window.Rows * window.Columns);
        var buffer = inputs.TakeBuffer(count);

        try
        {
            inputs.ReadNumbers(weight, window, buffer);
            var numbers = buffer.AsSpan(0, count * sizeof(float));
            var left = inputs.ReadAll(lora.Left, HalfSplitHeadDim).Slice((int)(window.Row * lora.Rank), (int)(window.Rows * lora.Rank));
            TorchTensors.Get().AddProduct(left, inputs.ReadAll(lora.Right, null), lora.Scale, MemoryMarshal.Cast<byte, float>(numbers), (int)window.Columns);
            ThirdParty.TensorMath.Cast(DType.Float32, numbers, DType, target);
        }
        finally
        {
            inputs.GiveBack(buffer);
        }
    }
}
