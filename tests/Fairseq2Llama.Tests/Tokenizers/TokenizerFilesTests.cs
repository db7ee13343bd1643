using Fairseq2Llama.Stores.Local;
using Fairseq2Llama.Tests.Support;
using Fairseq2Llama.Tokenizers;

namespace Fairseq2Llama.Tests.Tokenizers;

public sealed class TokenizerFilesTests : IDisposable
{
    private const string Config = "tokenizer_config.json";

    /// <summary>What save_pretrained of transformers 4 writes for the one or the other LLaMA.</summary>
    private static readonly string[] Known =
        ["tokenizer.json", "tokenizer.model", Config, "special_tokens_map.json", "added_tokens.json", "chat_template.jinja"];

    private readonly TempFolder _folder = new("tokenizer");

    public static TheoryData<string> KnownNames => [.. Known];

    public void Dispose() => _folder.Dispose();

    [Fact]
    public void None_asked_for_is_none()
    {
        var files = TokenizerFiles.Beside(Fairseq2Checkpoint.Read(Repository.Case("fs2")));

        Assert.Empty(files.PlanFiles(new LocalFolder(_folder["model"])));
        Assert.Empty(files.Warnings);
        Assert.Equal("from  to ", Show(files.ReadSpecialTokens()));
    }

    [Fact]
    public void Of_a_folder_all_files_of_a_tokenizer_are_copied_and_nothing_else()
    {
        Write([.. Known, "config.json", "generation_config.json", "model.safetensors", "tokenizer.model.bak", "README.md"]);
        Directory.CreateDirectory(_folder["original"]);

        Assert.Equal(Known.Order(StringComparer.Ordinal), CopiesOf(_folder.Path));
    }

    [Theory]
    [MemberData(nameof(KnownNames))]
    public void A_file_by_itself_is_copied_alone(string name)
    {
        Write(Known);

        Assert.Equal([name], CopiesOf(_folder[name]));
    }

    [Fact]
    public void Copies_are_the_same_bytes_and_say_where_they_are_from()
    {
        Write("tokenizer.json");
        File.WriteAllBytes(_folder["tokenizer.json"], [0, 13, 10, 255]);

        var plan = Plan(_folder["model"], _folder["tokenizer.json"]);
        plan.Execute();

        Assert.Equal([0, 13, 10, 255], File.ReadAllBytes(_folder["model/tokenizer.json"]));
        Assert.Contains(_folder["tokenizer.json"], plan.Files.Single(file => file.Name == "tokenizer.json").Summary, StringComparison.Ordinal);
    }

    [Fact]
    public void What_is_not_there_is_not_found() =>
        ErrorAssert.Throws(CheckpointErrorCode.TokenizerNotFound, () => TokenizerFiles.Find(_folder["nowhere"]), _folder["nowhere"], "does not exist", "tokenizer.json");

    [Fact]
    public void A_folder_without_any_is_refused() =>
        ErrorAssert.Throws(CheckpointErrorCode.TokenizerNotFound, () => TokenizerFiles.Find(_folder.Path), _folder.Path, "holds no files of a tokenizer");

    [Theory]
    [InlineData("vocab.bpe")]
    [InlineData("my-tokenizer.json")]
    [InlineData("config.json")]
    public void A_file_of_another_name_is_refused(string name)
    {
        Write(name);

        ErrorAssert.Throws(CheckpointErrorCode.TokenizerNotFound, () => TokenizerFiles.Find(_folder[name]), name, "tokenizer.model");
    }

    /// <summary>transformers 4 has both forms, the second since tokens can be more than text.</summary>
    [Theory]
    [InlineData(""" "<s>" """, """ "</s>" """)]
    [InlineData(
        """ {"__type":"AddedToken","content":"<s>","lstrip":false,"normalized":true,"rstrip":false,"single_word":false} """,
        """ {"content":"</s>"} """)]
    public void Tokens_have_the_numbers_of_the_decoder(string begin, string end)
    {
        WriteConfig($$$"""{"bos_token":{{{begin}}},"eos_token":{{{end}}},"added_tokens_decoder":{"0":{"content":"<unk>"},"7":{"content":"<s>"},"8":{"content":"</s>"} } }""");

        Assert.Equal("from 7 to 8", TokensOf(_folder.Path));
        Assert.Equal("from 7 to 8", TokensOf(_folder[Config]));
    }

    [Theory]
    [InlineData("""{"bos_token":null,"eos_token":null,"added_tokens_decoder":{"1":{"content":"<s>"}}}""")]
    [InlineData("""{"added_tokens_decoder":{"1":{"content":"<s>"}}}""")]
    [InlineData("""{"bos_token":"<s>","eos_token":"</s>"}""")]
    [InlineData("""{"bos_token":"<s>","eos_token":"</s>","added_tokens_decoder":null}""")]
    [InlineData("""{"bos_token":"<s>","eos_token":"</s>","added_tokens_decoder":{}}""")]
    [InlineData("""{"bos_token":"<s>","eos_token":"</s>","added_tokens_decoder":{"5":{"content":"other"},"6":{},"7":null,"x":{"content":"<s>"},"-1":{"content":"</s>"}}}""")]
    [InlineData("""{"bos_token":{"content":null},"eos_token":{},"added_tokens_decoder":{"1":{"content":"<s>"}}}""")]
    [InlineData("{}")]
    public void Tokens_that_are_not_told_are_not_known(string config)
    {
        WriteConfig(config);

        Assert.Equal("from  to ", TokensOf(_folder.Path));
    }

    [Fact]
    public void Tokens_that_are_not_known_are_those_of_the_model()
    {
        WriteConfig("""{"eos_token":"</s>","added_tokens_decoder":{"33":{"content":"</s>"}}}""");

        Plan(_folder["model"], _folder.Path).Execute();

        // The test data's config.json says 1 and 2.
        Assert.Equal("from 1 to 33", Show(LlamaHuggingFaceCheckpoint.Read(_folder["model"]).ArchitectureFile.SpecialTokens));
    }

    [Fact]
    public void The_end_of_a_turn_of_LLaMA_3_is_one_of_three_end_tokens()
    {
        WriteConfig(
            """
            {
              "bos_token": "<|begin_of_text|>",
              "eos_token": "<|eot_id|>",
              "added_tokens_decoder": {
                "128000": { "content": "<|begin_of_text|>", "special": true },
                "128001": { "content": "<|end_of_text|>", "special": true },
                "128009": { "content": "<|eot_id|>", "special": true }
              }
            }
            """);

        Assert.Equal("from 128000 to 128001 128008 128009", TokensOf(_folder.Path));
    }

    [Fact]
    public void The_end_of_a_text_of_LLaMA_3_is_one()
    {
        WriteConfig("""{"eos_token":"<|end_of_text|>","added_tokens_decoder":{"128001":{"content":"<|end_of_text|>"},"128009":{"content":"<|eot_id|>"}}}""");

        Assert.Equal("from  to 128001", TokensOf(_folder.Path));
    }

    /// <summary>Opening it would wait for ever for somebody to write into it.</summary>
    [Fact]
    public void Does_not_wait_for_a_pipe()
    {
        Assert.SkipWhen(OperatingSystem.IsWindows(), "there are no such files there");
        using var process = System.Diagnostics.Process.Start("mkfifo", [_folder["tokenizer.json"]]);
        process.WaitForExit();

        ErrorAssert.Throws(CheckpointErrorCode.TokenizerNotFound, () => TokenizerFiles.Find(_folder.Path), _folder["tokenizer.json"], "not a file");
    }

    [Theory]
    [InlineData("{")]
    [InlineData("[]")]
    [InlineData("\"</s>\"")]
    [InlineData("""{"eos_token":5,"added_tokens_decoder":{}}""")]
    [InlineData("""{"eos_token":["</s>"],"added_tokens_decoder":{}}""")]
    [InlineData("""{"eos_token":{"content":5},"added_tokens_decoder":{}}""")]
    [InlineData("""{"eos_token":"\ud800","added_tokens_decoder":{}}""")]
    [InlineData("""{"eos_token":"</s>","added_tokens_decoder":[]}""")]
    [InlineData("""{"eos_token":"</s>","added_tokens_decoder":{"2":"</s>"}}""")]
    [InlineData("""{"eos_token":"</s>","added_tokens_decoder":{"2":{"content":2}}}""")]
    public void Calls_damaged_a_configuration_that_it_cannot_read(string config)
    {
        WriteConfig(config);

        ErrorAssert.Throws(CheckpointErrorCode.CheckpointCorrupt, () => TokensOf(_folder.Path), _folder[Config]);
    }

    [Fact]
    public void Damage_is_found_before_anything_is_written()
    {
        WriteConfig("{");

        ErrorAssert.Throws(CheckpointErrorCode.CheckpointCorrupt, () => Plan(_folder["model"], _folder.Path), Config);
        Assert.False(Directory.Exists(_folder["model"]));
    }

    /// <summary>Who has put the tokenizer there already has no reason to want it replaced, nor to say -Force.</summary>
    [Fact]
    public void Files_that_lie_where_they_shall_go_stay_as_they_are()
    {
        Write("tokenizer.json", "tokenizer.model", Config);
        var before = CheckpointFolder.Hashes(_folder.Path);

        Plan(_folder.Path, _folder.Path).Execute();

        var after = CheckpointFolder.Hashes(_folder.Path);
        Assert.All(before, file => Assert.Equal(file.Value, after[file.Key]));
        Assert.Equal(["config.json", "generation_config.json", "model.safetensors", "tokenizer.json", "tokenizer.model", Config], after.Keys.Order(StringComparer.Ordinal));
    }

    [Fact]
    public void A_link_to_the_destination_is_the_destination()
    {
        Assert.SkipWhen(OperatingSystem.IsWindows(), "needs the right to make links");

        Write("tokenizer.json");
        SymbolicLink.ToFolder(_folder["link"], _folder.Path);

        Assert.Empty(TokenizerFiles.Find(_folder["link"]).PlanFiles(new LocalFolder(_folder.Path)));
    }

    [Fact]
    public void A_file_of_that_name_in_the_destination_is_not_replaced_unasked()
    {
        Write("tokenizer.json");
        Directory.CreateDirectory(_folder["model"]);
        File.WriteAllText(_folder["model/tokenizer.json"], "another");

        ErrorAssert.Throws(CheckpointErrorCode.OutputExists, () => Plan(_folder["model"], _folder.Path), "tokenizer.json", "-Force");
    }

    [Theory]
    [InlineData("special_tokens_map.json")]
    [InlineData("chat_template.jinja")]
    public void Warns_of_what_transformers_cannot_load(string name)
    {
        Write(name);

        var warning = Assert.Single(Plan(_folder["model"], _folder.Path).Warnings);

        Assert.Contains(_folder[name], warning, StringComparison.Ordinal);
        Assert.Contains("AutoTokenizer", warning, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("tokenizer.json")]
    [InlineData(Config)]
    [InlineData("tokenizer.json", "tokenizer.model", Config)]
    public void Warns_of_nothing_else(params string[] names)
    {
        Write(names);

        Assert.Empty(Plan(_folder["model"], _folder.Path).Warnings);
    }

    private static ConversionPlan Plan(string destination, string tokenizer) => CheckpointExport.Plan(
        LlamaHuggingFaceCheckpoint.Read(Repository.Data("huggingface/single")), destination, new HuggingFaceExportOptions { TokenizerPath = tokenizer });

    private static string TokensOf(string path) => Show(TokenizerFiles.Find(path).ReadSpecialTokens());

    private static string Show(SpecialTokens tokens) => $"from {string.Join(' ', tokens.Begin)} to {string.Join(' ', tokens.End)}";

    private IEnumerable<string> CopiesOf(string path) =>
        TokenizerFiles.Find(path).PlanFiles(new LocalFolder(_folder["model"])).Select(file => file.Name).Order(StringComparer.Ordinal);

    private void Write(params ReadOnlySpan<string> names)
    {
        foreach (var name in names)
        {
            File.WriteAllText(_folder[name], "{}");
        }
    }

    private void WriteConfig(string content) => File.WriteAllText(_folder[Config], content);
}
