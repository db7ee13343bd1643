using Fairseq2Llama.Tests.Support;

namespace Fairseq2Llama.Tests.Arithmetic;

public class TensorCreationTests
{
    [Fact]
    public void Too_little_memory_is_an_error_without_addresses_in_it()
    {
        var torch = LibTorch.Tensors;

        var error = ErrorAssert.Throws(
            CheckpointErrorCode.LibTorchFailed, () => torch.CreateTensor(DType.Float64, new TensorShape(1L << 40, 1L << 10), _ => { }), "memory");

        Assert.DoesNotContain("frame #", error.Message, StringComparison.Ordinal);
    }

    [Fact]
    public void What_can_not_be_mapped_is_an_error()
    {
        var torch = LibTorch.Tensors;
        var tensor = Fairseq2Checkpoint.Read(Repository.Case("fs2")).Tensors[0].Copies[0][0].Tensor;

        ErrorAssert.Throws(CheckpointErrorCode.LibTorchFailed, () => torch.MapTensor("/no/such/file", 0, tensor));
    }

    [Fact]
    public void What_fails_while_a_tensor_is_filled_is_handed_on() => Assert.Throws<OperationCanceledException>(
        () => LibTorch.Tensors.CreateTensor(DType.Float32, new TensorShape(4, 4), _ => throw new OperationCanceledException()));
}
