using Fairseq2Llama.Tests.Support;

namespace Fairseq2Llama.Tests.StagedModule;

/// <summary>What a person sees: the views of Fairseq2Llama.Format.ps1xml, and the helpers that they call.</summary>
public sealed class DisplayTests : IDisposable
{
    private readonly Session _session = new();

    public DisplayTests()
    {
        _session["cases"] = Repository.Data("checkpoints");
        _session["tiny"] = TinyModel.Architecture;
    }

    public void Dispose() => _session.Dispose();

    [Theory]
    [InlineData("0", "0 B")]
    [InlineData("1", "1 B")]
    [InlineData("1023", "1023 B")]
    [InlineData("1024", "1.00 KiB")]
    [InlineData("1030", "1.01 KiB")]
    [InlineData("1048570", "1023.99 KiB")]
    [InlineData("1048575", "1.00 MiB")]
    [InlineData("1048576", "1.00 MiB")]
    [InlineData("1059062", "1.01 MiB")]
    [InlineData("13476831232", "12.55 GiB")]
    [InlineData("1099511627776", "1.00 TiB")]
    [InlineData("1125899906842624", "1024.00 TiB")]
    public void Writes_a_size_with_the_unit_that_suits_it(string bytes, string expected) =>
        Assert.Equal(expected, _session.RunOne<string>($"[Fairseq2Llama.Display]::Size({bytes})"));

    [Theory]
    [InlineData("0", "0")]
    [InlineData("999", "999")]
    [InlineData("1000", "1.00K")]
    [InlineData("999990", "999.99K")]
    [InlineData("999999", "1.00M")]
    [InlineData("1000000", "1.00M")]
    [InlineData("1235814400", "1.24B")]
    [InlineData("8030261248", "8.03B")]
    [InlineData("1000000000000", "1.00T")]
    public void Writes_a_count_with_the_unit_that_suits_it(string count, string expected) =>
        Assert.Equal(expected, _session.RunOne<string>($"[Fairseq2Llama.Display]::Count({count})"));

    [Fact]
    public void Writes_element_types_as_PyTorch_calls_them()
    {
        Assert.Equal("float8_e4m3fn", _session.RunOne<string>("[Fairseq2Llama.Display]::Name([Fairseq2Llama.DType]::Float8E4M3FN)"));
        Assert.Equal("bfloat16, float32", _session.RunOne<string>("[Fairseq2Llama.Display]::Name([Fairseq2Llama.DType[]]('BFloat16', 'Float32'))"));
    }

    [Fact]
    public void Shows_architectures_as_a_table() => AssertShows(
        "Get-LlamaArchitecture llama2_7b, llama3_2_1b, llama2_70b",
        "Name        Parameters ModelDim Layers Heads FfnInnerDim VocabSize MaxSeqLen",
        "----        ---------- -------- ------ ----- ----------- --------- ---------",
        "llama2_7b        6.74B     4096     32 32/32       11008     32000      4096",
        "llama3_2_1b      1.24B     2048     16  32/8        8192    128256    131072",
        "llama2_70b      68.98B     8192     80  64/8       28672     32000      4096");

    [Fact]
    public void Shows_checkpoints_as_a_table()
    {
        AssertShows(
            "Read-Fairseq2Checkpoint $cases/fs2, $cases/tp2-llama3, $cases/ddp",
            "Name       Shards Tensors Elements DType         Size Path",
            "----       ------ ------- -------- -----         ---- ----",
            $"fs2             1      21    7.50K float32  34.37 KiB {Repository.Case("fs2")}",
            $"tp2-llama3      2      21    7.50K float32  41.32 KiB {Repository.Case("tp2-llama3")}",
            $"ddp             1      21    7.50K bfloat16 19.87 KiB {Repository.Case("ddp")}");
    }

    [Fact]
    public void Shows_tensors_as_a_table() => AssertShows(
        "Read-Fairseq2Checkpoint $cases/lora | Get-CheckpointTensor *embed*, *.0.*q_proj.*, *layer_norm* -Layer 0",
        "Name                                         DType    Shape  Size ReferenceName",
        "----                                         -----    -----  ---- -------------",
        "decoder.layers.0.self_attn.q_proj.weight     bfloat16 16x16 512 B layers.0.attention.wq.weight",
        "decoder.layers.0.self_attn.q_proj.lora_A     bfloat16  2x16  64 B layers.0.attention.wq.lora_A",
        "decoder.layers.0.self_attn.q_proj.lora_B     bfloat16  16x2  64 B layers.0.attention.wq.lora_B",
        "decoder.layers.0.self_attn_layer_norm.weight bfloat16    16  32 B layers.0.attention_norm.weight",
        "decoder.layers.0.ffn_layer_norm.weight       bfloat16    16  32 B layers.0.ffn_norm.weight");

    [Fact]
    public void Shows_test_results_as_a_table_with_the_first_finding() => AssertShows(
        "Read-Fairseq2Checkpoint $cases/fs2, $cases/bias, $cases/lora | Test-Fairseq2Checkpoint -Architecture $tiny",
        "Name Passed Architecture Errors Warnings FirstFinding",
        "---- ------ ------------ ------ -------- ------------",
        "fs2  True   tiny              0        0",
        "bias False  tiny              1        0 'decoder.layers.0.self_attn.q_proj.bias' is no parameter of LLaMA",
        "lora False  tiny              4        0 'decoder.layers.0.self_attn.q_proj.lora_A' is no parameter of LLaMA");

    [Fact]
    public void Shows_a_test_without_an_architecture()
    {
        var lines = Show("Read-Fairseq2Checkpoint $cases/fs2 | Test-Fairseq2Checkpoint");

        Assert.StartsWith("fs2  False                    1        0 The architecture of '", lines[2], StringComparison.Ordinal);
    }

    [Fact]
    public void Shows_findings_as_a_table() => AssertShows(
        "(Read-Fairseq2Checkpoint $cases/bias | Test-Fairseq2Checkpoint -Architecture $tiny).Findings",
        "Severity Code           Message",
        "-------- ----           -------",
        "Error    UnmappedTensor 'decoder.layers.0.self_attn.q_proj.bias' is no parameter of LLaMA");

    [Fact]
    public void Shows_exports_as_a_table()
    {
        using var folder = new TempFolder();
        _session.Location = folder.Path;

        var lines = Show("Read-Fairseq2Checkpoint $cases/tp2-llama3 | Export-LlamaReferenceCheckpoint out -Architecture $tiny");

        Assert.Equal("Name Architecture Shards      Size Path", lines[0]);
        Assert.Matches(@"^out  tiny              2 [0-9.]{5} KiB .*out$", lines[2]);
        Assert.EndsWith(folder["out"], lines[2], StringComparison.Ordinal);
    }

    [Fact]
    public void Shows_the_same_in_a_console_that_is_not_ours()
    {
        var lines = ScriptProcess.Run(
            "param($Module, $Case) Import-Module $Module; Read-Fairseq2Checkpoint -LiteralPath $Case | Get-CheckpointTensor -Layer 0 -Name *q_proj*",
            Repository.StagedModule,
            Repository.Case("fs2"));

        Assert.Equal(
            [
                "Name                                     DType   Shape     Size ReferenceName",
                "----                                     -----   -----     ---- -------------",
                "decoder.layers.0.self_attn.q_proj.weight float32 16x16 1.00 KiB layers.0.attention.wq.weight",
            ],
            lines);
    }

    private void AssertShows(string script, params string[] lines) => Assert.Equal(lines, Show(script));

    private IReadOnlyList<string> Show(string script)
    {
        _session.Run($"{script} | Out-Default");
        return _session.Host.TakeLines();
    }
}
