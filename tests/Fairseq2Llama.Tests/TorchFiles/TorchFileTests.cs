using Fairseq2Llama.Stores.Local;
using Fairseq2Llama.Tests.Support;
using Fairseq2Llama.TorchFiles;
using Fairseq2Llama.TorchFiles.Pickle;

namespace Fairseq2Llama.Tests.TorchFiles;

public class TorchFileTests
{
    public static TheoryData<string> Files => [.. Manifest.Instance.Files.Keys];

    [Theory]
    [MemberData(nameof(Files))]
    public void Reads_what_PyTorch_wrote(string path)
    {
        var file = TorchFile.Open(new LocalFile(Repository.Data(path)));

        var tensors = StateDictOf(file).Entries
            .Where(entry => entry.Value is PickledTensor)
            .Select(entry => (Name: (string)entry.Key!, Tensor: file.GetTensor((PickledTensor)entry.Value!)));

        Assert.Equal(
            Manifest.Instance.Files[path].Select(tensor => (tensor.Name, tensor.Dtype, Show(tensor.Shape), Show(tensor.Stride), tensor.StorageOffset, tensor.Contiguous, tensor.Sha256)),
            tensors.Select(entry => (
                entry.Name, entry.Tensor.DType.GetTorchName(), Show(entry.Tensor.Shape.Sizes), Show(entry.Tensor.Strides), entry.Tensor.StorageOffset,
                entry.Tensor.IsContiguous, TensorBytes.Sha256(entry.Tensor))));
    }

    private static PickleDict StateDictOf(TorchFile file)
    {
        var content = Assert.IsType<PickleDict>(file.Content);
        return content.Get("model") as PickleDict ?? content.Get("_model") as PickleDict ?? content;
    }

    private static string Show(IEnumerable<long> numbers) => string.Join(",", numbers);
}
