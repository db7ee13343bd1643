using Fairseq2Llama.Tests.Support;

namespace Fairseq2Llama.Tests.Prompt;

/// <summary>How numbers and types are written for people.</summary>
public sealed class DisplayTests : IDisposable
{
    private readonly Session _session = new();

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

    [Theory]
    [InlineData("'9f86d081884c7d659a2feaa0c55ad015a3bf4f1b2b0b822cd15d6c15b0f00a08'", "9f86d081884c…")]
    [InlineData("'0badcafe'", "0badcafe")]
    [InlineData("$null", "")]
    public void Writes_the_beginning_of_a_hash(string hash, string expected) =>
        Assert.Equal(expected, _session.RunOne<string>($"[Fairseq2Llama.Display]::Digest({hash})"));

    [Fact]
    public void Writes_element_types_as_PyTorch_calls_them()
    {
        Assert.Equal("float8_e4m3fn", _session.RunOne<string>("[Fairseq2Llama.Display]::Name([Fairseq2Llama.DType]::Float8E4M3FN)"));
        Assert.Equal("bfloat16, float32", _session.RunOne<string>("[Fairseq2Llama.Display]::Name([Fairseq2Llama.DType[]]('BFloat16', 'Float32'))"));
    }

    [Theory]
    [InlineData("1023", "1023 B")]
    [InlineData("1052003", "1.00 MiB (1,052,003 bytes)")]
    public void Writes_a_size_exactly_too(string bytes, string expected) =>
        Assert.Equal(expected, _session.RunOne<string>($"[Fairseq2Llama.Display]::ExactSize({bytes})"));

    [Theory]
    [InlineData("999", "999")]
    [InlineData("1235814400", "1.24B (1,235,814,400)")]
    public void Writes_a_count_exactly_too(string count, string expected) =>
        Assert.Equal(expected, _session.RunOne<string>($"[Fairseq2Llama.Display]::ExactCount({count})"));

    [Theory]
    [InlineData("Get-LlamaArchitecture llama3_2_1b", "llama3_2_1b")]
    [InlineData("New-LlamaArchitecture llama3_2_1b -BasedOn llama3_2_1b -TiedEmbeddings:$false", "llama3_2_1b")]
    [InlineData("New-LlamaArchitecture mine -BasedOn llama3_2_1b", "16 layers of 2048")]
    [InlineData("New-LlamaArchitecture llama3_2_1b -BasedOn llama3_2_1b -NumLayers 8", "8 layers of 2048")]
    public void Calls_an_architecture_by_its_name_only_where_that_says_something(string script, string expected) =>
        Assert.Equal(expected, _session.RunOne<string>($"[Fairseq2Llama.Display]::Architecture(({script}))"));

    [Theory]
    [InlineData("0", "1", "0 B/s")]
    [InlineData("1", "0", "0 B/s")]
    [InlineData("3145728", "2", "1.50 MiB/s")]
    public void Writes_bytes_per_second(string bytes, string seconds, string expected) =>
        Assert.Equal(expected, _session.RunOne<string>($"[Fairseq2Llama.Display]::Rate({bytes}, [TimeSpan]::FromSeconds({seconds}))"));
}
