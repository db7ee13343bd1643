using System.Text.Json;
using Fairseq2Llama.Tests.Support;

namespace Fairseq2Llama.Tests.Cmdlets;

public sealed class ConvertToTorchTensorTests : IDisposable
{
    private readonly Session _session = new();
    private readonly TempFolder _folder = new();

    public ConvertToTorchTensorTests()
    {
        LibTorch.Require();
        _session["cases"] = Repository.Data("checkpoints");
        _session["folder"] = _folder.Path;
    }

    public void Dispose()
    {
        _session.Dispose();
        _folder.Dispose();
    }

    public static TheoryData<string> Cases => ["fs2", "views", "big-endian", "deflated", "legacy", "parameters", "tied-view", "tp2-llama2", "tp2-llama3"];

    /// <summary>Its bytes are those that the project reads, whose hashes are compared with PyTorch's elsewhere.</summary>
    [Theory]
    [MemberData(nameof(Cases))]
    public void Holds_the_numbers_of_the_tensor(string name)
    {
        var checkpoint = Fairseq2Checkpoint.Read(Repository.Case(name));

        foreach (var tensor in checkpoint.Tensors)
        {
            using var torch = (TorchSharp.torch.Tensor)TorchTensorConversion.ToTorchTensor(tensor);

            Assert.Equal(tensor.Shape.Sizes, torch.shape);
            Assert.Equal(tensor.DType.GetTorchName(), torch.dtype.ToString().ToLowerInvariant());
            Assert.Equal(TensorBytes.Of(tensor.ToStorage()), torch.contiguous().bytes.ToArray());
        }
    }

    [Fact]
    public void Holds_every_type_and_shape_that_PyTorch_saves()
    {
        foreach (var file in new[] { "tensors/dtypes.pt", "tensors/shapes.pt", "tensors/dtypes-legacy.pt", "tensors/shapes-legacy.pt" })
        {
            foreach (var tensor in Fairseq2Checkpoint.Read(Repository.Data(file)).Tensors)
            {
                using var torch = (TorchSharp.torch.Tensor)TorchTensorConversion.ToTorchTensor(tensor);

                Assert.Equal(tensor.Shape.Sizes, torch.shape);
                Assert.Equal(TensorBytes.Of(tensor.ToStorage()), torch.contiguous().bytes.ToArray());
            }
        }
    }

    /// <summary>The example of the documentation, beside what real PyTorch makes of it.</summary>
    [External]
    [Fact]
    public void Multiplies_at_the_prompt()
    {
        var product = _session.Run(
            """
            $q, $k = Read-Fairseq2Checkpoint $cases/fs2 | Get-CheckpointTensor *.0.*q_proj*, *.0.*k_proj* | ConvertTo-TorchTensor
            $scores = $q.matmul($k.mT)
            $scores.shape
            $scores.abs().max().item[float]()
            """);

        var expected = PyTorch.Ask(
            """
            import json, sys, torch
            w = torch.load(sys.argv[1])['model']
            q, k = (w[f'decoder.layers.0.self_attn.{name}_proj.weight'] for name in 'qk')
            scores = q.matmul(k.mT)
            print(json.dumps([*scores.shape, scores.abs().max().item()]))
            """,
            Path.Combine(Repository.Case("fs2"), "model.pt"));
        var numbers = JsonSerializer.Deserialize<double[]>(expected)!;
        Assert.Equal(numbers[..2], product.Take(2).Select(size => (double)(long)size.BaseObject));
        Assert.Equal(numbers[2], (float)product[2].BaseObject, 1e-5 * numbers[2]);
    }

    [Fact]
    public void Belongs_to_the_user_who_can_change_it_without_changing_the_file()
    {
        CheckpointFolder.Copy("fs2", _folder["mine"]);
        var before = CheckpointFolder.Hashes(_folder["mine"]);

        var sum = _session.Run(
            """
            $norm = Read-Fairseq2Checkpoint $folder/mine | Get-CheckpointTensor decoder.layer_norm.weight | ConvertTo-TorchTensor
            $null = $norm.fill_(2)
            $norm.sum().item[float]()
            $norm.Dispose()
            $norm.IsInvalid
            """);

        Assert.Equal([32f, true], sum.Select(item => item.BaseObject));
        Assert.Equal(before, CheckpointFolder.Hashes(_folder["mine"]));
    }

    [Fact]
    public void A_file_that_was_changed_since_its_index_was_read_is_an_error()
    {
        CheckpointFolder.Copy("fs2", _folder["mine"]);
        _session.Run("$tensor = Read-Fairseq2Checkpoint $folder/mine | Get-CheckpointTensor decoder.layer_norm.weight");
        File.AppendAllText(_folder["mine/model.pt"], "x");

        ErrorAssert.Is(CheckpointErrorCode.CheckpointCorrupt, _session.RunForError("$tensor | ConvertTo-TorchTensor"), "changed");
    }
}
