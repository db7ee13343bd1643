using System.Management.Automation;
using Fairseq2Llama.Tests.Support;

namespace Fairseq2Llama.Tests.Cmdlets;

/// <summary>Export-LlamaReferenceCheckpoint -DType.</summary>
public class ExportDTypeTests : ExportTests
{
    /// <summary>Prints the tensors of exports that are not what casting those of other exports gives.</summary>
    private const string CompareWithCast =
        """
        import sys, torch
        from pathlib import Path
        root, dtype = Path(sys.argv[1]), getattr(torch, sys.argv[2])
        plain = sorted(root.glob('plain-*/*.pth'))
        assert len(plain) >= 8 and len(plain) == len(list(root.glob('cast-*/*.pth')))
        for path in plain:
            expected = torch.load(path)
            actual = torch.load(root / path.parent.name.replace('plain', 'cast') / path.name)
            assert list(actual) == list(expected)
            for name in expected:
                if actual[name].dtype != dtype or not torch.equal(actual[name], expected[name].to(dtype)):
                    print(path, name)
        """;

    private static readonly (string Name, string Parameters)[] Cases =
    [
        ("fs2", "-Architecture $tiny"),
        ("views", "-Architecture $tiny"),
        ("big-endian", "-Architecture $tiny"),
        ("deflated", "-Architecture $tiny"),
        ("tied", "-Architecture $tied"),
        ("tp2-llama3", "-Architecture $tiny"),
        ("tp2-llama3", "-Architecture $tiny -ShardCount 1"),
        ("fs2", "-Architecture $tiny -ShardCount 2 -Verification Full -Checklist"),
    ];

    [External]
    [Theory]
    [InlineData("float16")]
    [InlineData("bfloat16")]
    [InlineData("float32")]
    public void Gives_what_casting_in_PyTorch_gives(string dtype)
    {
        foreach (var (index, (name, parameters)) in Cases.Index())
        {
            Session.Run($"$checkpoint = Read-Fairseq2Checkpoint $cases/{name}");
            Session.Run($"$checkpoint | Export-LlamaReferenceCheckpoint plain-{index} {parameters}");
            Session.Run($"$checkpoint | Export-LlamaReferenceCheckpoint cast-{index} {parameters} -DType {dtype}");
        }

        Assert.Equal("", PyTorch.Ask(CompareWithCast, Folder.Path, dtype));
    }

    [External]
    [Fact]
    public void Leaves_tied_weights_one()
    {
        Session.Run("Read-Fairseq2Checkpoint $cases/tied | Export-LlamaReferenceCheckpoint out -Architecture $tied -DType BFloat16");

        var same = PyTorch.Ask(
            "import sys, torch; w = torch.load(sys.argv[1]); print(w['output.weight'].data_ptr() == w['tok_embeddings.weight'].data_ptr())",
            Folder["out/consolidated.00.pth"]);
        Assert.Equal("True", same);
    }

    [Fact]
    public void Needs_half_the_room()
    {
        var plain = Session.RunOne<LlamaReferenceCheckpoint>("$fs2 | Export-LlamaReferenceCheckpoint plain -Architecture $tiny");
        var cast = Session.RunOne<LlamaReferenceCheckpoint>("$fs2 | Export-LlamaReferenceCheckpoint cast -Architecture $tiny -DType Float16");

        Assert.True(cast.SizeInBytes < plain.SizeInBytes);
        Assert.Equal(cast.SizeInBytes, cast.Files.Sum(file => new FileInfo(file).Length));
    }

    [External]
    [Fact]
    public void Warns_of_numbers_that_became_Inf_by_tensor()
    {
        SaveWithLargeNumbers();

        var outcome = Session.RunOn("Read-Fairseq2Checkpoint large | Export-LlamaReferenceCheckpoint out -Architecture $tiny -DType Float16");

        Assert.Empty(outcome.Errors);
        Assert.Single(outcome.Output);
        Assert.Equal(
            [
                "2 of 256 numbers of 'layers.0.attention.wq.weight' in 'consolidated.00.pth' are too large for float16 and became Inf.",
                "16 of 16 numbers of 'norm.weight' in 'consolidated.00.pth' are too large for float16 and became Inf.",
            ],
            outcome.Warnings);
    }

    [External]
    [Fact]
    public void Does_not_warn_where_all_fit()
    {
        SaveWithLargeNumbers();

        Assert.Empty(Session.RunOn("Read-Fairseq2Checkpoint large | Export-LlamaReferenceCheckpoint out -Architecture $tiny -DType BFloat16").Warnings);
    }

    [Fact]
    public void Tells_both_types_in_the_plan()
    {
        var outcome = Session.RunOn("$fs2 | Export-LlamaReferenceCheckpoint out -Architecture $tiny -DType Float16 -WhatIf -Verbose -Debug");

        Assert.Contains(outcome.Debug, line => line.Contains("-> norm.weight (float32 -> float16 16)", StringComparison.Ordinal));
        Assert.Empty(Folder.Content);
    }

    [Theory]
    [InlineData("Int8")]
    [InlineData("float8")]
    public void Refuses_another_type(string dtype) =>
        Assert.IsType<ParameterBindingException>(
            Session.RunForError($"$fs2 | Export-LlamaReferenceCheckpoint out -Architecture $tiny -DType {dtype}").Exception, exactMatch: false);

    private void SaveWithLargeNumbers()
    {
        Directory.CreateDirectory(Folder["large"]);
        PyTorch.Ask(
            """
            import sys, torch
            state = torch.load(sys.argv[1])['model']
            state['decoder.layers.0.self_attn.q_proj.weight'][0, :4] = torch.tensor([65520.0, -1e30, float('inf'), 65504.0])
            state['decoder.layer_norm.weight'][:] = 1e38
            torch.save({'model': state, 'model_key': 'model', 'fs2': True}, sys.argv[2])
            """,
            Path.Combine(Repository.Case("fs2"), "model.pt"),
            Folder["large/model.pt"]);
    }
}
