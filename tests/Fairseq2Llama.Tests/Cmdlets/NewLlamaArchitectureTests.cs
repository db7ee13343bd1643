using System.Management.Automation;
using Fairseq2Llama.Tests.Support;

namespace Fairseq2Llama.Tests.Cmdlets;

public sealed class NewLlamaArchitectureTests : IDisposable
{
    private readonly Session _session = new();

    public void Dispose() => _session.Dispose();

    [Fact]
    public void Takes_what_is_not_said_from_fairseq2_whose_defaults_are_those_of_7b()
    {
        var architecture = _session.RunOne<LlamaArchitecture>("New-LlamaArchitecture mine");
        var base7B = _session.RunOne<LlamaArchitecture>("Get-LlamaArchitecture 7b");

        Assert.Equal(base7B with { Name = "mine", AssetNames = architecture.AssetNames }, architecture);
        Assert.Empty(architecture.AssetNames);
    }

    [Fact]
    public void Takes_every_value_from_its_parameter()
    {
        var architecture = _session.RunOne<LlamaArchitecture>(
            "New-LlamaArchitecture -Name mine -ModelDim 1024 -NumLayers 3 -NumAttnHeads 16 -NumKeyValueHeads 4 -VocabSize 1000 -MaxSeqLen 512"
            + " -FfnInnerDimMultiplier 1.5 -FfnInnerDimMultipleOf 64 -RopeTheta 20000 -RopeScaleFactor 4 -NormEps 1e-6 -TiedEmbeddings");

        Assert.Equal(
            new LlamaArchitecture
            {
                Name = "mine",
                ModelDim = 1024,
                NumLayers = 3,
                NumAttnHeads = 16,
                NumKeyValueHeads = 4,
                VocabSize = 1000,
                MaxSeqLen = 512,
                FfnInnerDimMultiplier = 1.5,
                FfnInnerDimMultipleOf = 64,
                RopeTheta = 20_000,
                RopeScaleFactor = 4,
                NormEps = 1e-6,
                TiedEmbeddings = true,
                AssetNames = architecture.AssetNames,
            },
            architecture);
        Assert.Equal(4096, architecture.FfnInnerDim);
        Assert.Equal(64, architecture.HeadDim);
    }

    [Theory]
    [InlineData("New-LlamaArchitecture mine -BasedOn llama3_2_1b -NumLayers 4")]
    [InlineData("New-LlamaArchitecture mine -BasedOn llama3_2_1b_INSTRUCT -NumLayers 4")]
    [InlineData("New-LlamaArchitecture mine -BasedOn (Get-LlamaArchitecture llama3_2_1b) -NumLayers 4")]
    [InlineData("Get-LlamaArchitecture llama3_2_1b | New-LlamaArchitecture mine -NumLayers 4")]
    [InlineData("'llama3_2_1b' | New-LlamaArchitecture mine -NumLayers 4")]
    public void Takes_the_rest_from_its_base(string script)
    {
        var origin = _session.RunOne<LlamaArchitecture>("Get-LlamaArchitecture llama3_2_1b");

        var architecture = _session.RunOne<LlamaArchitecture>(script);

        Assert.Equal(origin with { Name = "mine", NumLayers = 4, AssetNames = architecture.AssetNames }, architecture);
        Assert.Empty(architecture.AssetNames);
    }

    [Theory]
    [InlineData("New-LlamaArchitecture mine -NumAttnHeads 16", 16)]
    [InlineData("New-LlamaArchitecture mine -BasedOn 13b -NumAttnHeads 20", 20)]
    [InlineData("New-LlamaArchitecture mine -BasedOn llama3_8b -NumAttnHeads 16", 8)]
    [InlineData("New-LlamaArchitecture mine -BasedOn llama3_8b -NumAttnHeads 16 -NumKeyValueHeads 2", 2)]
    public void Lets_key_value_heads_follow_the_heads_unless_they_are_grouped(string script, int expected) =>
        Assert.Equal(expected, _session.RunOne<LlamaArchitecture>(script).NumKeyValueHeads);

    [Fact]
    public void Takes_the_scaling_of_the_base_away_for_null()
    {
        Assert.Equal(8, _session.RunOne<LlamaArchitecture>("New-LlamaArchitecture mine -BasedOn llama3_1_8b").RopeScaleFactor);
        Assert.Null(_session.RunOne<LlamaArchitecture>("New-LlamaArchitecture mine -BasedOn llama3_1_8b -RopeScaleFactor $null").RopeScaleFactor);
    }

    [Fact]
    public void Unties_the_embeddings_of_the_base_when_told_to()
    {
        Assert.True(_session.RunOne<LlamaArchitecture>("New-LlamaArchitecture mine -BasedOn llama3_2_1b").TiedEmbeddings);

        var untied = _session.RunOne<LlamaArchitecture>("New-LlamaArchitecture mine -BasedOn llama3_2_1b -TiedEmbeddings:$false");

        Assert.False(untied.TiedEmbeddings);
        Assert.Equal(1_235_814_400 + (128256L * 2048), untied.ParameterCount);
    }

    [Theory]
    [InlineData("-ModelDim 100 -NumAttnHeads 3", "ModelDim 100 is not a multiple of NumAttnHeads 3")]
    [InlineData("-ModelDim 24 -NumAttnHeads 8", "head dim 3 is odd")]
    [InlineData("-NumAttnHeads 32 -NumKeyValueHeads 5", "NumAttnHeads 32 is not a multiple of NumKeyValueHeads 5")]
    [InlineData("-ModelDim 100 -NumAttnHeads 3 -NumKeyValueHeads 2", "ModelDim 100", "NumKeyValueHeads 2")]
    [InlineData("-NumLayers 0", "NumLayers is 0, but must be above 0")]
    [InlineData("-NumLayers -1 -VocabSize 0", "NumLayers is -1", "VocabSize is 0")]
    [InlineData("-NumAttnHeads 0", "NumAttnHeads is 0")]
    [InlineData("-RopeTheta ([double]::NaN)", "RopeTheta is NaN")]
    [InlineData("-NormEps ([double]::PositiveInfinity)", "NormEps is Infinity")]
    [InlineData("-RopeScaleFactor 0", "RopeScaleFactor is 0")]
    [InlineData("-FfnInnerDimMultipleOf 0", "FfnInnerDimMultipleOf is 0")]
    [InlineData("-FfnInnerDimMultiplier 1e300", "FfnInnerDimMultiplier is 1E+300, but must be above 0 and at most 100,000,000")]
    [InlineData("-ModelDim 100000000 -NumLayers 100000000 -NumAttnHeads 1", "more parameters than 64 bits can count")]
    public void Refuses_an_architecture_that_contradicts_itself(string arguments, params string[] words)
    {
        var error = _session.RunForTerminatingError($"New-LlamaArchitecture mine {arguments}");

        ErrorAssert.Is(CheckpointErrorCode.ArchitectureMismatch, error, ["'mine'", .. words]);
        Assert.Equal("mine", error.TargetObject);
        Assert.Equal(ErrorCategory.InvalidData, error.CategoryInfo.Category);
    }

    [Fact]
    public void Refuses_an_unknown_base()
    {
        var error = _session.RunForTerminatingError("New-LlamaArchitecture mine -BasedOn gpt2");

        ErrorAssert.Is(CheckpointErrorCode.ArchitectureUnknown, error, "'gpt2'", "llama3_8b");
        Assert.Equal("gpt2", error.TargetObject);
    }

    [Fact]
    public void Does_not_take_a_wildcard_for_a_base() =>
        ErrorAssert.Is(CheckpointErrorCode.ArchitectureUnknown, _session.RunForTerminatingError("New-LlamaArchitecture mine -BasedOn llama3*"), "llama3*");

    [Theory]
    [InlineData("New-LlamaArchitecture ''", "ParameterArgumentValidationError")]
    [InlineData("New-LlamaArchitecture mine -NumLayers many", "CannotConvertArgumentNoMessage")]
    [InlineData("New-LlamaArchitecture mine -BasedOn 7b -Layers 3", "NamedParameterNotFound")]
    public void Refuses_arguments_that_do_not_bind(string script, string id) =>
        Assert.StartsWith(id, _session.RunForTerminatingError(script).FullyQualifiedErrorId, StringComparison.Ordinal);

    [Fact]
    public void Says_what_it_gives()
    {
        var command = (CmdletInfo)Assert.Single(_session.Run("Get-Command New-LlamaArchitecture")).BaseObject;

        Assert.Equal([typeof(LlamaArchitecture)], command.OutputType.Select(type => type.Type));
    }
}
