using System.Management.Automation;
using Fairseq2Llama.Tests.Support;

namespace Fairseq2Llama.Tests.Cmdlets;

public sealed class GetLlamaArchitectureTests : IDisposable
{
    // Written by hand from fairseq2's table and the published params.json files, not computed. The last is the factor of scaled RoPE.
    private static readonly (string Name, int Dim, int Layers, int Heads, int KeyValueHeads, double Multiplier, int MultipleOf, long Ffn, int MaxSeqLen,
        int Vocabulary, double Theta, double? Scaling)[] Published =
    [
        ("7b", 4096, 32, 32, 32, 1, 256, 11008, 2048, 32000, 10_000, null),
        ("13b", 5120, 40, 40, 40, 1, 256, 13824, 2048, 32000, 10_000, null),
        ("33b", 6656, 60, 52, 52, 1, 256, 17920, 2048, 32000, 10_000, null),
        ("65b", 8192, 80, 64, 64, 1, 256, 22016, 2048, 32000, 10_000, null),
        ("llama2_7b", 4096, 32, 32, 32, 1, 256, 11008, 4096, 32000, 10_000, null),
        ("llama2_13b", 5120, 40, 40, 40, 1, 256, 13824, 4096, 32000, 10_000, null),
        ("llama2_70b", 8192, 80, 64, 8, 1.3, 4096, 28672, 4096, 32000, 10_000, null),
        ("llama3_8b", 4096, 32, 32, 8, 1.3, 1024, 14336, 8192, 128256, 500_000, null),
        ("llama3_70b", 8192, 80, 64, 8, 1.3, 4096, 28672, 8192, 128256, 500_000, null),
        ("llama3_1_8b", 4096, 32, 32, 8, 1.3, 1024, 14336, 131072, 128256, 500_000, 8),
        ("llama3_1_70b", 8192, 80, 64, 8, 1.3, 4096, 28672, 131072, 128256, 500_000, 8),
        ("llama3_2_3b", 3072, 28, 24, 8, 1, 256, 8192, 131072, 128256, 500_000, 32),
        ("llama3_2_1b", 2048, 16, 32, 8, 1.5, 256, 8192, 131072, 128256, 500_000, 32),
    ];

    private readonly Session _session = new();

    public void Dispose() => _session.Dispose();

    [Fact]
    public void Gets_every_architecture_as_it_was_published()
    {
        var architectures = _session.Run<LlamaArchitecture>("Get-LlamaArchitecture");

        Assert.Equal(
            Published,
            architectures.Select(architecture => (
                architecture.Name, architecture.ModelDim, architecture.NumLayers, architecture.NumAttnHeads, architecture.NumKeyValueHeads,
                architecture.FfnInnerDimMultiplier, architecture.FfnInnerDimMultipleOf, architecture.FfnInnerDim, architecture.MaxSeqLen,
                architecture.VocabSize, architecture.RopeTheta, architecture.RopeScaleFactor)));
        Assert.All(architectures, architecture => Assert.Equal(1e-5, architecture.NormEps));
        Assert.Equal(["llama3_2_3b", "llama3_2_1b"], architectures.Where(architecture => architecture.TiedEmbeddings).Select(architecture => architecture.Name));
    }

    [Theory]
    [InlineData("7b", 128, 6_738_415_616)]
    [InlineData("13b", 128, 13_015_864_320)]
    [InlineData("33b", 128, 32_528_943_616)]
    [InlineData("65b", 128, 65_285_660_672)]
    [InlineData("llama2_7b", 128, 6_738_415_616)]
    [InlineData("llama2_13b", 128, 13_015_864_320)]
    [InlineData("llama2_70b", 128, 68_976_648_192)]
    [InlineData("llama3_8b", 128, 8_030_261_248)]
    [InlineData("llama3_70b", 128, 70_553_706_496)]
    [InlineData("llama3_1_8b", 128, 8_030_261_248)]
    [InlineData("llama3_2_3b", 128, 3_212_749_824)]
    [InlineData("llama3_2_1b", 64, 1_235_814_400)]
    public void Counts_the_parameters_that_the_published_model_has(string name, int headDim, long parameters)
    {
        _session["name"] = name;

        var architecture = _session.RunOne<LlamaArchitecture>("Get-LlamaArchitecture $name");

        Assert.Equal(headDim, architecture.HeadDim);
        Assert.Equal(parameters, architecture.ParameterCount);
    }

    [Theory]
    [InlineData("llama_7b", "7b")]
    [InlineData("llama2_7b_chat", "llama2_7b")]
    [InlineData("llama2_13b_chat", "llama2_13b")]
    [InlineData("llama2_70b_chat", "llama2_70b")]
    [InlineData("llama3_8b_instruct", "llama3_8b")]
    [InlineData("llama3_70b_instruct", "llama3_70b")]
    [InlineData("llama3_1_8b_instruct", "llama3_1_8b")]
    [InlineData("llama3_1_70b_instruct", "llama3_1_70b")]
    [InlineData("llama3_2_1b_instruct", "llama3_2_1b")]
    [InlineData("llama3_2_3b_instruct", "llama3_2_3b")]
    [InlineData("llama3_3_70b_instruct", "llama3_1_70b")]
    [InlineData("r1_distilled_llama3_1_8b_instruct", "llama3_1_8b")]
    [InlineData("LLAMA3_8B", "llama3_8b")]
    [InlineData("Llama2_7B_Chat", "llama2_7b")]
    public void Resolves_names_of_assets_and_any_case(string name, string architecture)
    {
        _session["name"] = name;

        Assert.Equal(architecture, _session.RunOne<LlamaArchitecture>("Get-LlamaArchitecture $name").Name);
    }

    [Theory]
    [InlineData("Get-LlamaArchitecture llama3*70b", "llama3_70b", "llama3_1_70b")]
    [InlineData("Get-LlamaArchitecture -Name LLAMA2_*", "llama2_7b", "llama2_13b", "llama2_70b")]
    [InlineData("Get-LlamaArchitecture [36]*b", "33b", "65b")]
    [InlineData("Get-LlamaArchitecture *chat", "llama2_7b", "llama2_13b", "llama2_70b")]
    [InlineData("Get-LlamaArchitecture llama2_7b, 7b", "llama2_7b", "7b")]
    [InlineData("'13b', 'llama3_2_*' | Get-LlamaArchitecture", "13b", "llama3_2_3b", "llama3_2_1b")]
    [InlineData("Get-LlamaArchitecture mistral*")]
    public void Gets_what_names_and_wildcards_match(string script, params string[] names) =>
        Assert.Equal(names, _session.Run<LlamaArchitecture>(script).Select(architecture => architecture.Name));

    [Fact]
    public void Reports_an_unknown_name_and_gives_the_others()
    {
        var outcome = _session.RunOn("Get-LlamaArchitecture 7b, gpt2, 13b");

        Assert.Equal(["7b", "13b"], outcome.Names);
        var error = Assert.Single(outcome.Errors);
        ErrorAssert.Is(CheckpointErrorCode.ArchitectureUnknown, error, "'gpt2'", "llama3_2_1b", "New-LlamaArchitecture");
        Assert.Equal("gpt2", error.TargetObject);
        Assert.Equal(ErrorCategory.ObjectNotFound, error.CategoryInfo.Category);
    }

    [Theory]
    [InlineData("Get-LlamaArchitecture ''")]
    [InlineData("Get-LlamaArchitecture @()")]
    [InlineData("Get-LlamaArchitecture $null")]
    public void Refuses_an_empty_name(string script) =>
        Assert.StartsWith("ParameterArgumentValidationError", _session.RunForTerminatingError(script).FullyQualifiedErrorId, StringComparison.Ordinal);

    [Theory]
    [InlineData("Get-LlamaArchitecture llama3_2", "llama3_2_3b", "llama3_2_1b")]
    [InlineData("Get-LlamaArchitecture llama3_2_1b_", "llama3_2_1b_instruct")]
    [InlineData("Get-LlamaArchitecture -Name 'r1", "r1_distilled_llama3_1_8b_instruct")]
    [InlineData("Get-LlamaArchitecture 7b, 13", "13b")]
    [InlineData("New-LlamaArchitecture mine -BasedOn LLAMA2_7B", "llama2_7b")]
    [InlineData("Test-LlamaCheckpoint -Architecture 33", "33b")]
    [InlineData("Test-LlamaCheckpoint -Model 33", "33b")]
    [InlineData("Export-LlamaReferenceCheckpoint out -Architecture llama_", "llama_7b")]
    [InlineData("Export-LlamaReferenceCheckpoint out -Model llama_", "llama_7b")]
    [InlineData("Export-LlamaReferenceCheckpoint out -ParamsLayout ", "Flat", "Llama2", "Llama3", "Nested")]
    [InlineData("Export-LlamaReferenceCheckpoint out -Verification ", "Auto", "Full", "None")]
    public void Completes_names_where_an_architecture_is_asked_for(string line, params string[] completions) =>
        Assert.Equal(completions, _session.Complete(line).Select(completion => completion.Trim('\'')));

    [Fact]
    public void Offers_what_it_lists() =>
        Assert.Equal(Published.Select(architecture => architecture.Name), _session.Complete("Get-LlamaArchitecture "));

    [Fact]
    public void Prints_as_its_name() => Assert.Equal("llama3_8b!", _session.RunOne<string>("\"$(Get-LlamaArchitecture llama3_8b)!\""));

    [Fact]
    public void Says_what_it_gives_and_what_its_parameters_take()
    {
        var command = (CmdletInfo)Assert.Single(_session.Run("Get-Command Get-LlamaArchitecture")).BaseObject;

        Assert.Equal([typeof(LlamaArchitecture)], command.OutputType.Select(type => type.Type));
        Assert.Contains(command.Parameters["Name"].Attributes, attribute => attribute is SupportsWildcardsAttribute);
    }
}
