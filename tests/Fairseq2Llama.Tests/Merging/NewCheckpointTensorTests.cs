using System.Runtime.InteropServices;
using Fairseq2Llama.Tests.Support;

namespace Fairseq2Llama.Tests.Merging;

/// <summary>Tensors that are made of numbers, and take the places of those of a checkpoint.</summary>
public sealed class NewCheckpointTensorTests : IDisposable
{
    private readonly Session _session = new();
    private readonly TempFolder _folder = new("work");

    public NewCheckpointTensorTests()
    {
        _session.Location = _folder.Path;
        ConverterModel.Half.Write(_folder["model"]);
    }

    public void Dispose()
    {
        _session.Dispose();
        _folder.Dispose();
    }

    [Theory]
    [InlineData("(1, 2, 3)", "3", "1 2 3")]
    [InlineData("(1..4)", "4", "1 2 3 4")]
    [InlineData("((1, 2), (3, 4), (5, 6))", "3x2", "1 2 3 4 5 6")]
    [InlineData("(1..6) -Shape 3, 2", "3x2", "1 2 3 4 5 6")]
    [InlineData("(((1, 2), (3, 4)), ((5, 6), (7, 8)))", "2x2x2", "1 2 3 4 5 6 7 8")]
    [InlineData("((1, 2), (3, 4)) -Shape 4", "4", "1 2 3 4")]
    [InlineData("([float[]](0.5, -2))", "2", "0.5 -2")]
    [InlineData("([Half[]](0.5, -2))", "2", "0.5 -2")]
    [InlineData("([byte[]](1, 255))", "2", "1 255")]
    [InlineData("([decimal[]](1.5, 2))", "2", "1.5 2")]
    [InlineData("([System.Collections.Generic.List[double]](1, 2))", "2", "1 2")]
    [InlineData("$matrix", "2x3", "1 2 3 4 5 6")]
    [InlineData("$matrix -Shape 6", "6", "1 2 3 4 5 6")]
    [InlineData("2.5 -Shape 1", "1", "2.5")]
    [InlineData("([double]::NegativeInfinity, -0.0, 1e300) -Shape 3", "3", "-Infinity -0 Infinity")]
    public void Numbers_have_their_shape(string value, string shape, string numbers)
    {
        _session.Run("$matrix = [double[,]]::new(2, 3); 0..5 | % { $matrix[[Math]::Floor($_ / 3), ($_ % 3)] = $_ + 1 }");

        var tensor = _session.RunOne<CheckpointTensor>($"New-CheckpointTensor x {value}");

        Assert.Equal((DType.Float32, shape, "x", ""), (tensor.DType, $"{tensor.Shape}", tensor.Name, tensor.Checkpoint));
        Assert.Equal(numbers, NumbersOf(tensor));
    }

    [Fact]
    public void One_number_has_no_dimensions()
    {
        var tensor = _session.RunOne<CheckpointTensor>("New-CheckpointTensor x 2.5");

        Assert.Equal(0, tensor.Shape.Count);
        Assert.Equal(BitConverter.GetBytes(2.5f), TensorBytes.Of(tensor.ToStorage()));
    }

    /// <summary>Numbers between two that a type has, halfway to the even one, too large and too small ones.</summary>
    [External]
    [Theory]
    [InlineData("Float32", "float32")]
    [InlineData("Float16", "float16")]
    [InlineData("BFloat16", "bfloat16")]
    public void Numbers_are_rounded_as_PyTorch_does(string dtype, string torch)
    {
        const string Numbers = "0.1, -0.3333333333333333, 1.001953125, 1.005859375, 1.00390625, 65519.99, 65520, -70000, 1e-8, 5.96e-8, 2.9e-8, 1e-40, 3.4e38, 3.5e38, 16777217, 1.0009765625000002, -0.0";

        var tensor = _session.RunOne<CheckpointTensor>($"New-CheckpointTensor x ([double[]]({Numbers})) -DType {dtype}");

        var expected = PyTorch.Ask($"import torch; t = torch.tensor([{Numbers}], dtype=torch.float64).float().to(torch.{torch}); print(bytes(t.view(torch.int{(dtype == "Float32" ? 32 : 16)}).numpy().tobytes()).hex())");
        Assert.Equal(expected, Convert.ToHexStringLower(TensorBytes.Of(tensor.ToStorage())));
    }

    [Theory]
    [InlineData("'abc'")]
    [InlineData("('1', '2')")]
    [InlineData("((1, 2), (3))")]
    [InlineData("((1, 2), (3, 4, 5))")]
    [InlineData("(1, (2, 3))")]
    [InlineData("($true, $false)")]
    [InlineData("@{ a = 1 }")]
    [InlineData("([datetime]::Now)")]
    [InlineData("([char[]]'ab')")]
    [InlineData("([DayOfWeek]::Monday)")]
    public void What_is_no_numbers_is_refused(string value)
    {
        LibTorch.Require();
        _session.RunForError(CheckpointErrorCode.UnsupportedTensor, $"New-CheckpointTensor some.name {value}", "'some.name'", "ConvertTo-TorchTensor");
    }

    [Theory]
    [InlineData("(1, 2) -Shape 3", "takes 3 numbers, and there are 2")]
    [InlineData("(1, 2) -Shape 1, 1", "takes 1 number, and there are 2")]
    [InlineData("1 -Shape 0", "takes 0 numbers, and there is 1")]
    public void A_shape_of_other_numbers_is_refused(string value, string message) =>
        _session.RunForError(CheckpointErrorCode.UnsupportedTensor, $"New-CheckpointTensor some.name {value}", "'some.name'", message);

    [Fact]
    public void A_shape_of_more_numbers_than_there_can_be_is_refused() =>
        _session.RunForError(CheckpointErrorCode.UnsupportedTensor, "New-CheckpointTensor some.name (1, 2) -Shape 4294967296, 4294967296, 2", "'some.name'", "4294967296x4294967296x2");

    [Theory]
    [InlineData("(1, 2) -Shape -1, -2", "Shape")]
    [InlineData("(1, $null)", "Value")]
    [InlineData("$null", "Value")]
    public void Arguments_that_are_none_are_refused(string arguments, string parameter) =>
        Assert.Contains($"'{parameter}'", _session.RunForError($"New-CheckpointTensor some.name {arguments}").ToString(), StringComparison.Ordinal);

    [Theory]
    [InlineData("Int64")]
    [InlineData("Float64")]
    [InlineData("Q8_0")]
    public void Other_types_are_refused(string dtype) =>
        Assert.Contains("DType", _session.RunForError($"New-CheckpointTensor x 1 -DType {dtype}").ToString(), StringComparison.Ordinal);

    /// <summary>Names of all formats mean the same parameter.</summary>
    [Theory]
    [InlineData("model.layers.1.post_attention_layernorm.weight")]
    [InlineData("layers.1.ffn_norm.weight")]
    [InlineData("decoder.layers.1.ffn_layer_norm.weight")]
    [InlineData("blk.1.ffn_norm.weight")]
    public void Takes_the_place_of_a_tensor_by_the_name_of_any_format(string name)
    {
        foreach (var format in (string[])["Fairseq2", "LlamaReference", "LlamaHuggingFace"])
        {
            _session.Run($"@(Get-CheckpointTensor model) + (New-CheckpointTensor {name} (1..32) -DType Float16) | Export-{format}Checkpoint out-{format}");
            var expected = MergeModels.NumbersOf(CheckpointReader.Read(_folder["model"], cancellationToken: TestContext.Current.CancellationToken));
            expected["layers.1.ffn_norm.weight"] = $"Float16 32 {Convert.ToHexString(MemoryMarshal.AsBytes([.. Enumerable.Range(1, 32).Select(number => (Half)number)]))}";

            Assert.Equal(expected, MergeModels.NumbersOf(CheckpointReader.Read(_folder[$"out-{format}"], cancellationToken: TestContext.Current.CancellationToken)));
        }
    }

    /// <summary>Queries and keys have another order of rows in Hugging Face's files than side by side, in which ConvertTo-TorchTensor gives them.</summary>
    [Theory]
    [InlineData("Fairseq2", "")]
    [InlineData("LlamaReference", "-ShardCount 2")]
    [InlineData("LlamaHuggingFace", "")]
    public void What_was_taken_out_and_put_back_leaves_the_same_files(string format, string options)
    {
        LibTorch.Require();
        _session.Run(
            $$"""
            Export-{{format}}Checkpoint model without {{options}}
            $new = Get-CheckpointTensor model | % { New-CheckpointTensor $_.Name ($_ | ConvertTo-TorchTensor) }
            @(Get-CheckpointTensor model) + $new | Export-{{format}}Checkpoint with {{options}}
            """);

        Assert.Equal(CheckpointFolder.Snapshot(_folder["without"]), CheckpointFolder.Snapshot(_folder["with"]));
    }

    /// <summary>What is computed from a tensor that was taken out.</summary>
    [External]
    [Fact]
    public void What_was_computed_with_TorchSharp_is_exported()
    {
        LibTorch.Require();
        _session.Run(
            """
            Export-Fairseq2Checkpoint model before
            $query = Get-CheckpointTensor model -Name *layers.0*q_proj* | ConvertTo-TorchTensor
            $new = New-CheckpointTensor model.layers.0.self_attn.q_proj.weight ($query.add($query).neg())
            $null = $query.zero_()
            @(Get-CheckpointTensor model) + $new | Export-Fairseq2Checkpoint out
            """);

        Assert.Equal(
            "True 1",
            PyTorch.Ask(
                """
                import sys, torch
                before, after = (torch.load(f"{folder}/model.pt")["model"] for folder in sys.argv[1:])
                name = "decoder.layers.0.self_attn.q_proj.weight"
                print(torch.equal(after[name], -(before[name] + before[name])), sum(not torch.equal(before[key], after[key]) for key in before))
                """,
                _folder["before"],
                _folder["out"]));
    }

    /// <summary>A tensor of TorchSharp may lie in memory in any way, and may be changed or disposed of once the checkpoint tensor is made.</summary>
    [Theory]
    [InlineData("$t", "1 2 3 4 5 6")]
    [InlineData("$t.transpose(0, 1)", "1 4 2 5 3 6")]
    [InlineData("$t.narrow(1, 1, 2)", "2 3 5 6")]
    [InlineData("$t.transpose(0, 1).narrow(0, 1, 1)", "2 5")]
    [InlineData("$t.narrow(0, 1, 1).expand(2, 3)", "4 5 6 4 5 6")]
    [InlineData("$t.flip(1)", "3 2 1 6 5 4")]
    public void A_tensor_of_TorchSharp_is_copied(string value, string expected)
    {
        LibTorch.Require();

        var tensor = _session.RunOne<CheckpointTensor>(
            $$"""
            $t = New-CheckpointTensor x ((1, 2, 3), (4, 5, 6)) | ConvertTo-TorchTensor
            $v = {{value}}
            $new = New-CheckpointTensor x $v
            $null = $t.zero_()
            $v.Dispose()
            $t.Dispose()
            $new
            """);

        Assert.Equal(expected, NumbersOf(tensor));
    }

    /// <summary>One that has fewer elements than none, one of no dimensions, one that lies in no CPU memory.</summary>
    [Fact]
    public void Every_type_and_shape_of_TorchSharp_comes_back()
    {
        LibTorch.Require();

        foreach (var file in new[] { "tensors/dtypes.pt", "tensors/shapes.pt" })
        {
            foreach (var tensor in Fairseq2Checkpoint.Read(Repository.Data(file)).Tensors)
            {
                using var torch = (TorchSharp.torch.Tensor)TorchTensorConversion.ToTorchTensor(tensor);
                var made = NewTensor.Of("x", torch);

                Assert.Equal((tensor.DType, tensor.Shape), (made.DType, made.Shape));
                Assert.Equal(TensorBytes.Of(tensor.ToStorage()), TensorBytes.Of(made.ToStorage()));
            }
        }
    }

    [Fact]
    public void A_disposed_tensor_is_refused()
    {
        LibTorch.Require();
        _session.RunForError(
            CheckpointErrorCode.LibTorchFailed, "$t = New-CheckpointTensor x (1, 2) | ConvertTo-TorchTensor; $t.Dispose(); New-CheckpointTensor some.name $t", "disposed");
    }

    [Theory]
    [InlineData("-Shape 2")]
    [InlineData("-DType BFloat16")]
    public void A_tensor_of_TorchSharp_has_a_shape_and_a_type_of_its_own(string parameter)
    {
        LibTorch.Require();

        var error = _session.RunForError($"$t = New-CheckpointTensor x (1, 2) | ConvertTo-TorchTensor; New-CheckpointTensor x $t {parameter}");

        Assert.StartsWith("AmbiguousParameterSet,", error.FullyQualifiedErrorId, StringComparison.Ordinal);
    }

    /// <summary>What LLaMA does not have is exported only on request, as it is from a checkpoint.</summary>
    [Fact]
    public void A_name_that_LLaMA_does_not_have_is_exported_only_on_request()
    {
        const string Export = "@(Get-CheckpointTensor model) + (New-CheckpointTensor extra.thing (1, 2)) | Export-Fairseq2Checkpoint out";

        _session.RunForError(CheckpointErrorCode.UnmappedTensor, Export, "extra.thing", "-AllowUnmapped");
        Assert.False(Directory.Exists(_folder["out"]));

        Assert.Empty(_session.RunOn($"{Export} -AllowUnmapped").Errors);
        var tensor = Fairseq2Checkpoint.Read(_folder["out"]).Tensors.Single(tensor => tensor.Name == "extra.thing");
        Assert.Equal(MemoryMarshal.AsBytes<float>([1, 2]).ToArray(), TensorBytes.Of(tensor.ToStorage()));
    }

    [Theory]
    [InlineData("model.norm.weight", "norm.weight")]
    [InlineData("decoder.layer_norm.weight", "output_norm.weight")]
    [InlineData("extra.thing", "extra.thing")]
    public void Two_of_one_name_are_refused(string first, string second)
    {
        _session.RunForError(
            CheckpointErrorCode.UnmappedTensor,
            $"@(Get-CheckpointTensor model) + (New-CheckpointTensor {first} (1..32)) + (New-CheckpointTensor {second} (1..32)) | Export-Fairseq2Checkpoint out -AllowUnmapped",
            "several");
        Assert.False(Directory.Exists(_folder["out"]));
    }

    [Fact]
    public void Only_new_ones_are_no_checkpoint()
    {
        _session.RunForError(CheckpointErrorCode.MissingTensor, "New-CheckpointTensor model.norm.weight (1..32) | Export-Fairseq2Checkpoint out", "only new", "Get-CheckpointTensor");
        Assert.False(Directory.Exists(_folder["out"]));
    }

    [Fact]
    public void Another_shape_than_the_architecture_has_is_refused()
    {
        _session.RunForError("@(Get-CheckpointTensor model) + (New-CheckpointTensor model.norm.weight (1..31)) | Export-Fairseq2Checkpoint out");
        Assert.False(Directory.Exists(_folder["out"]));
    }

    /// <summary>The output of a tied model is the embedding table. A new one unties it.</summary>
    [Theory]
    [InlineData("Fairseq2")]
    [InlineData("LlamaReference")]
    [InlineData("LlamaHuggingFace")]
    public void A_new_output_unties_a_tied_model(string format)
    {
        ConverterModel.Tied.Write(_folder["tied"]);
        var expected = MergeModels.NumbersOf(CheckpointReader.Read(_folder["tied"], cancellationToken: TestContext.Current.CancellationToken));

        _session.Run(
            $"""
            $output = New-CheckpointTensor lm_head.weight (1..1280) -Shape 40, 32
            @(Get-CheckpointTensor tied) + $output | Export-{format}Checkpoint out
            """);

        expected["output.weight"] = $"Float32 40x32 {Convert.ToHexString(MemoryMarshal.AsBytes([.. Enumerable.Range(1, 1280).Select(number => (float)number)]))}";
        var exported = CheckpointReader.Read(_folder["out"], cancellationToken: TestContext.Current.CancellationToken);
        Assert.Equal(expected, MergeModels.NumbersOf(exported));
        Assert.NotEqual(true, exported.Architecture?.TiedEmbeddings);
    }

    /// <summary>It is a tensor like any other.</summary>
    [Fact]
    public void Can_be_measured_and_taken_to_TorchSharp()
    {
        LibTorch.Require();
        _session.Run("$new = New-CheckpointTensor model.norm.weight (1..32)");

        Assert.Equal((1.0, 32.0), _session.RunOne<TensorStatistics>("$new | Measure-CheckpointTensor") is { Min: { } min, Max: { } max } ? (min, max) : default);
        Assert.Equal(528f, _session.RunOne<float>("($new | ConvertTo-TorchTensor).sum().item[float]()"));
    }

    private static string NumbersOf(CheckpointTensor tensor) => string.Join(
        ' ', MemoryMarshal.Cast<byte, float>(TensorBytes.Of(tensor.ToStorage())).ToArray().Select(number => number.ToString(System.Globalization.CultureInfo.InvariantCulture)));
}
