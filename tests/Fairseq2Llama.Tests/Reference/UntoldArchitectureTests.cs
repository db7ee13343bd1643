using Fairseq2Llama.Reference;
using Fairseq2Llama.Stores;
using Fairseq2Llama.Stores.Local;
using Fairseq2Llama.Tests.Support;

namespace Fairseq2Llama.Tests.Reference;

/// <summary>
/// params.json does not tell how long sequences may be, and its nested form not whether rotary encoding is scaled; other formats do.
/// </summary>
public sealed class UntoldArchitectureTests : IDisposable
{
    private readonly TempFolder _folder = new();

    public void Dispose() => _folder.Dispose();

    [Theory]
    [InlineData("llama3_1_8b", ParamsLayout.Nested, "llama3_8b llama3_1_8b")]
    [InlineData("llama3_1_8b", ParamsLayout.Flat, "llama3_1_8b")]
    [InlineData("llama3_8b", ParamsLayout.Flat, "llama3_8b")]
    [InlineData("llama3_2_1b", ParamsLayout.Nested, "llama3_2_1b")]
    [InlineData("llama2_7b", ParamsLayout.Flat, "7b llama2_7b")]
    public void All_that_it_may_be_are_found(string name, ParamsLayout layout, string expected)
    {
        var file = Read(LlamaArchitectures.Find(name), layout);

        Assert.Equal(expected, string.Join(' ', file.Alternatives.Prepend(file.Architecture!)));
        Assert.Null(file.Guessed);
    }

    [Fact]
    public void What_is_in_no_catalogue_is_guessed()
    {
        var model = TinyModel.Architecture with { RopeTheta = 500_000 };

        Assert.Equal("how long sequences may be and whether rotary encoding is scaled", Read(model, ParamsLayout.Nested).Guessed);
        Assert.Equal("how long sequences may be", Read(model, ParamsLayout.Flat).Guessed);
        Assert.Equal(8192, Read(model, ParamsLayout.Flat).Architecture!.MaxSeqLen);
        Assert.Equal(2048, Read(TinyModel.Architecture, ParamsLayout.Flat).Architecture!.MaxSeqLen);
    }

    /// <summary>The one loader of Meta's that knows the key takes 500000 for what is left out.</summary>
    [Theory]
    [InlineData("", 10_000)]
    [InlineData(", \"use_scaled_rope\": true", 500_000)]
    [InlineData(", \"use_scaled_rope\": false", 500_000)]
    public void A_base_that_is_left_out_is_the_default_of_who_reads_such_a_file(string more, double expected)
    {
        File.WriteAllText(_folder["params.json"], $$"""{"dim": 64, "n_layers": 1, "n_heads": 4, "vocab_size": 8{{more}}}""");

        Assert.Equal(expected, ReferenceParamsReader.Read(JsonSettings.Read(new LocalFile(_folder["params.json"])), "name", []).Architecture!.RopeTheta);
    }

    /// <summary>Meta's own params.json of LLaMA 1.</summary>
    [Fact]
    public void Who_names_one_of_them_takes_nothing_back_of_what_is_told()
    {
        var file = Read(LlamaArchitectures.Find("7b") with { NormEps = 1e-6 }, ParamsLayout.Flat);

        Assert.Equal(LlamaArchitectures.Find("llama2_7b") with { NormEps = 1e-6 }, Choose(file, LlamaArchitectures.Find("llama2_7b")));
    }

    /// <summary>What is in no catalogue is called after its folder.</summary>
    [Fact]
    public void A_folder_that_is_called_as_an_architecture_does_not_make_it_one()
    {
        var file = new ArchitectureFile("config.json") { Architecture = LlamaArchitectures.Find("llama2_7b") with { RopeTheta = 777 } };

        Assert.Same(LlamaArchitectures.Find("llama2_7b"), Choose(file, LlamaArchitectures.Find("llama2_7b")));
    }

    /// <summary>Its inner dim is beyond what 32 bits hold, where that was once made 0 and divided by.</summary>
    [Fact]
    public void A_multiplier_that_no_model_has_is_no_accident()
    {
        File.WriteAllText(
            _folder["params.json"], """{"dim": 64, "n_layers": 1, "n_heads": 4, "multiple_of": 67108864, "ffn_dim_multiplier": 25264513.47647059, "vocab_size": 8}""");

        Assert.Equal(64, ReferenceParamsReader.Read(JsonSettings.Read(new LocalFile(_folder["params.json"])), "name", []).Architecture!.ModelDim);
    }

    [Fact]
    public void Who_makes_one_says_all()
    {
        var file = Read(LlamaArchitectures.Find("7b") with { NormEps = 1e-6 }, ParamsLayout.Flat);
        var mine = LlamaArchitectures.Find("7b") with { NormEps = 1e-4 };

        Assert.Same(mine, Choose(file, mine));
    }

    [Fact]
    public void Who_names_none_is_asked_where_the_output_would_differ()
    {
        var file = Read(LlamaArchitectures.Find("llama3_1_8b"), ParamsLayout.Nested);

        ErrorAssert.Throws(
            CheckpointErrorCode.ArchitectureRequired,
            () => ArchitectureInference.RequireOne([file.Architecture!, .. file.Alternatives], new HuggingFaceExportOptions().MakeFormat(CancellationToken.None), $"'{file.Path}' fits"),
            _folder["params.json"],
            "llama3_8b and llama3_1_8b, for which config.json differs",
            "-Architecture");
        Assert.Equal(
            "llama3_8b",
            ArchitectureInference.RequireOne([file.Architecture!, .. file.Alternatives], new ReferenceExportOptions().MakeFormat(CancellationToken.None), "").Name);
    }

    private ArchitectureFile Read(LlamaArchitecture architecture, ParamsLayout layout)
    {
        var vocabulary = new CheckpointTensor(
            ParameterName.Parse("tok_embeddings.weight", NamingConvention.Reference), DType.BFloat16, new TensorShape(architecture.VocabSize, architecture.ModelDim), null, [[]], []);

        File.WriteAllBytes(_folder["params.json"], ReferenceParams.Write(architecture, layout));
        return ReferenceParamsReader.Read(JsonSettings.Read(new LocalFile(_folder["params.json"])), "name", [vocabulary]);
    }

    private static LlamaArchitecture Choose(ArchitectureFile file, LlamaArchitecture named) => ArchitectureChoice.Complete(named, file);
}
