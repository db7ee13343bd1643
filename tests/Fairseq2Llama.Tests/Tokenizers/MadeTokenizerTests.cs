using System.Text.Json.Nodes;
using Fairseq2Llama.Stores;
using Fairseq2Llama.Stores.Local;
using Fairseq2Llama.Tests.Support;
using Fairseq2Llama.Tokenizers;
using Tokenizers.DotNet;
using CheckpointFolder = Fairseq2Llama.Tests.Support.CheckpointFolder;

namespace Fairseq2Llama.Tests.Tokenizers;

/// <summary>The files that are made of a tokenizer.model. Hugging Face's tokenizers load them, and must encode as SentencePiece and tiktoken do.</summary>
public sealed class MadeTokenizerTests : IDisposable
{
    private const string Model = "tokenizer.model", Json = "tokenizer.json", Config = "tokenizer_config.json", Map = "special_tokens_map.json";

    private readonly TempFolder _folder = new();

    public void Dispose() => _folder.Dispose();

    /// <summary>The converter of llama.cpp was given these files.</summary>
    [Theory]
    [InlineData("sentencepiece", false)]
    [InlineData("tiktoken", true)]
    public void Are_those_of_the_test_data(string kind, bool isLlama3)
    {
        var files = TokenizerFiles.Find(TokenizerData.PathOf(kind))
            .CompleteFor(isLlama3 ? TokenizerData.Llama31 : TokenizerData.Llama2, isLlama3 ? TokenizerData.BaseTokens : TokenizerData.Llama2Tokens);

        Assert.Equal([Json, Config, Map], files.Made.Select(file => file.FileName));
        Assert.All(files.Made, file => Assert.Equal(File.ReadAllText(TokenizerData.PathOf($"converted/{kind}/{file.FileName}")), Text(file.Content)));
        Assert.All(files.Made, file => Assert.Equal($"made of '{TokenizerData.PathOf($"{kind}/{Model}")}'", file.Origin));
        Assert.Empty(files.Warnings);
    }

    [Theory]
    [InlineData("sentencepiece", false, 1)]
    [InlineData("tiktoken", true, TokenizerData.Ranks)]
    public void Encode_as_the_other_program_does(string kind, bool isLlama3, int begin)
    {
        var tokenizer = Load(Make(TokenizerData.PathOf(kind), isLlama3 ? TokenizerData.Llama3 : TokenizerData.Llama2));

        var encoded = TokenizerData.EncodedBy(kind).ToArray();

        Assert.Equal(78, encoded.Length);

        foreach (var (text, ids) in TokenizerData.Texts.Zip(encoded))
        {
            Assert.Equal([begin, .. ids], tokenizer.Encode(text).Select(id => (int)id));
            Assert.Equal(text, tokenizer.Decode(tokenizer.Encode(text)));
        }
    }

    [Theory]
    [InlineData(true, true, "▁a ▁b c ")]
    [InlineData(true, false, " a  b\u00a0 c")]
    [InlineData(false, true, "a b c")]
    [InlineData(false, false, "  a ")]
    public void Spaces_are_treated_as_the_model_says(bool addsPrefix, bool removesSpaces, string text)
    {
        var builder = new SentencePieceBuilder("▁", "a", "b", "c", "▁a", "▁▁", "\u00a0") { AddDummyPrefix = addsPrefix, RemoveExtraWhitespaces = removesSpaces };
        File.WriteAllBytes(_folder[Model], builder.Build());
        var tokenizer = Load(Make(_folder.Path, TokenizerData.Llama2));

        foreach (var given in new[] { text, "a", "  a", "a  ", "a   b", "\na \n b ", "   ", "" })
        {
            var spaces = removesSpaces ? string.Join(' ', given.Split(' ', StringSplitOptions.RemoveEmptyEntries)) : given;
            var expected = (addsPrefix && spaces.Length > 0 ? "▁" : "") + spaces.Replace(' ', '▁');
            Assert.Equal(expected, string.Concat(tokenizer.Encode(given).Skip(1).Select(id => Show(builder.Pieces[(int)id].Text))));
        }

        static string Show(string piece) => piece is ['<', '0', 'x', .., '>'] ? ((char)Convert.ToByte(piece[3..5], 16)).ToString() : piece;
    }

    [Fact]
    public void Of_LLaMA_3_is_a_tokenizer_alone()
    {
        var files = TokenizerFiles.Find(TokenizerData.PathOf("tiktoken")).CompleteFor(TokenizerData.Llama3, TokenizerData.BaseTokens);

        // transformers would take it for SentencePiece's.
        Assert.Equal([Json, Config, Map], NamesOf(files));
        Assert.Equal([TokenizerData.Ranks], TokenizerFiles.Find(TokenizerData.PathOf("tiktoken")).ReadSpecialTokens().Begin);
    }

    [Theory]
    [InlineData(null, 4, "<|reserved_special_token_2|>", 10, "<|reserved_special_token_5|>", "<|reserved_special_token_250|>")]
    [InlineData(8.0, 4, "<|finetune_right_pad_id|>", 10, "<|python_tag|>", "<|reserved_special_token_247|>")]
    public void The_special_tokens_of_LLaMA_3_and_3_1_differ(double? scale, int one, string first, int other, string second, string last)
    {
        var special = Llama3Tokens.Of(TokenizerData.Llama3 with { RopeScaleFactor = scale });

        Assert.Equal((256, 256), (special.Length, special.Distinct().Count()));
        Assert.Equal(("<|begin_of_text|>", "<|end_of_text|>", "<|eot_id|>"), (special[0], special[1], special[9]));
        Assert.Equal((first, second, last), (special[one], special[other], special[255]));
    }

    [Theory]
    [InlineData("<|end_of_text|>", 1)]
    [InlineData("<|eot_id|>", 1, 8, 9)]
    [InlineData("<|end_of_text|>")]
    public void The_end_of_texts_is_that_of_the_model(string text, params int[] ends)
    {
        var tokens = new SpecialTokens([TokenizerData.Ranks], [.. ends.Select(end => TokenizerData.Ranks + end)]);
        var files = TokenizerFiles.Find(TokenizerData.PathOf("tiktoken")).CompleteFor(TokenizerData.Llama31, tokens);

        Assert.Equal(text, (string?)Read(files, Config)["eos_token"]);
        Assert.Equal(text, (string?)Read(files, Map)["eos_token"]!["content"]);
        Assert.Equal("<|begin_of_text|>", (string?)Read(files, Config)["bos_token"]);
    }

    [Fact]
    public void Tokens_of_SentencePiece_that_begin_and_end_texts_are_its_own()
    {
        var builder = new SentencePieceBuilder("a", "<b>");
        builder.Pieces[2] = new SentencePiece("c", 0, PieceType.Normal);
        builder.Pieces.Add(new SentencePiece("</s>", 0, PieceType.Control));
        File.WriteAllBytes(_folder[Model], builder.Build());

        var tokens = TokenizerFiles.Find(_folder.Path).ReadSpecialTokensOr(new SpecialTokens([7], [8]));

        Assert.Equal([1], tokens.Begin);
        Assert.Equal([261], tokens.End);
    }

    [Fact]
    public void Only_what_is_missing_is_made()
    {
        Copy("sentencepiece");
        File.WriteAllText(_folder[Config], """{"tokenizer_class": "LlamaTokenizer", "eos_token": "[END]"}""");

        var plan = Plan();
        plan.Execute();

        // A special_tokens_map.json could contradict what is there.
        Assert.Equal([Json, Model, Config], Names(_folder["out"]));
        Assert.Equal(File.ReadAllText(_folder[Config]), File.ReadAllText(_folder[$"out/{Config}"]));
        Assert.Equal(File.ReadAllText(TokenizerData.PathOf($"converted/sentencepiece/{Json}")), File.ReadAllText(_folder[$"out/{Json}"]));
        Assert.Equal($"made of '{_folder[Model]}'", plan.Files.Single(file => file.Name == Json).Summary);
    }

    [Fact]
    public void A_whole_tokenizer_is_copied_without_looking_into_it()
    {
        File.WriteAllText(_folder[Json], "{}");
        File.WriteAllText(_folder[Config], "{}");
        File.WriteAllText(_folder[Model], "anything");

        Plan().Execute();

        Assert.Equal([Json, Model, Config], Names(_folder["out"]));
    }

    [Fact]
    public void Of_a_whole_tokenizer_of_LLaMA_3_that_of_tiktoken_is_left_out()
    {
        Copy("tiktoken");
        File.WriteAllText(_folder[Json], "{}");
        File.WriteAllText(_folder[Config], "{}");

        Plan().Execute();

        Assert.Equal([Json, Config], Names(_folder["out"]));
    }

    /// <summary>An export with -Force removes what is stale, and this may be the user's only one.</summary>
    [Fact]
    public void That_of_tiktoken_stays_in_a_folder_that_is_exported_to()
    {
        Copy("tiktoken");
        var files = TokenizerFiles.Find(_folder.Path).CompleteFor(TokenizerData.Llama3, TokenizerData.BaseTokens);

        Assert.Equal([Model], files.FindKept(new LocalFolder(_folder.Path)));
        Assert.Contains("Move it elsewhere", Assert.Single(files.FindWarnings(new LocalFolder(_folder.Path))), StringComparison.Ordinal);
        Assert.Empty(files.FindKept(new LocalFolder(_folder["out"])));
        Assert.Empty(files.FindWarnings(new LocalFolder(_folder["out"])));
    }

    [Fact]
    public void A_template_of_conversations_beside_it_is_copied()
    {
        Copy("sentencepiece");
        File.WriteAllText(_folder["chat_template.jinja"], "{{ messages }}");

        Plan().Execute();

        Assert.Equal(["chat_template.jinja", Map, Json, Model, Config], Names(_folder["out"]));
    }

    [Fact]
    public void A_damaged_model_stops_the_export_before_it_begins()
    {
        File.WriteAllBytes(_folder[Model], new SentencePieceBuilder("a").Build()[..^1]);

        ErrorAssert.Throws(CheckpointErrorCode.CheckpointCorrupt, () => Plan(), _folder[Model]);
        Assert.False(Directory.Exists(_folder["out"]));
    }

    [Theory]
    [InlineData("Unigram", "byte-pair encoding")]
    [InlineData("characters", "replaces characters")]
    [InlineData("suffix", "treats spaces")]
    public void A_model_of_another_kind_is_copied_with_a_warning(string what, string words)
    {
        var builder = new SentencePieceBuilder("a") { ModelType = what == "Unigram" ? 1 : 2, Characters = what == "characters" ? [1] : [] };
        builder.Trainer.Number(24, what == "suffix" ? 1 : 0);
        File.WriteAllBytes(_folder[Model], builder.Build());

        var plan = Plan();

        var warning = Assert.Single(plan.Warnings);
        Assert.Contains(words, warning, StringComparison.Ordinal);
        Assert.Contains(_folder[Model], warning, StringComparison.Ordinal);
        plan.Execute();
        Assert.Equal([Model], Names(_folder["out"]));
    }

    [Fact]
    public void Says_if_the_model_has_fewer_tokens()
    {
        Copy("sentencepiece");

        Assert.Contains("420 tokens, but the vocabulary of the model has only 40", Assert.Single(Plan().Warnings), StringComparison.Ordinal);
    }

    /// <summary>LLaMA 4, for example, has a file of the same format and other special tokens.</summary>
    [Theory]
    [InlineData(575)]
    [InlineData(577)]
    [InlineData(128_256)]
    public void A_tokenizer_of_another_model_is_refused(int vocabSize)
    {
        var files = TokenizerFiles.Find(TokenizerData.PathOf("tiktoken"));

        ErrorAssert.Throws(
            CheckpointErrorCode.TokenizerUnsupported,
            () => files.CompleteFor(TokenizerData.Llama3 with { VocabSize = vocabSize }, TokenizerData.BaseTokens),
            "320 tokens",
            "make 576",
            $"has {vocabSize}");
    }

    [Fact]
    public void The_tokenizer_of_a_checkpoint_is_beside_it_whatever_its_format()
    {
        var checkpoint = ExportReference("model");

        Assert.True(TokenizerFiles.Of(checkpoint).IsEmpty);

        File.Copy(TokenizerData.PathOf($"tiktoken/{Model}"), _folder[$"model/{Model}"]);
        Assert.IsType<TiktokenModel>(TokenizerFiles.Of(checkpoint).Model);

        // Exports to Hugging Face's format have -TokenizerPath for it.
        Assert.True(TokenizerFiles.Beside(checkpoint).IsEmpty);
    }

    /// <summary>So Meta's downloads of LLaMA 2 have it.</summary>
    [Fact]
    public void The_tokenizer_of_a_checkpoint_of_Meta_may_be_in_the_folder_around_it()
    {
        var checkpoint = ExportReference("model");
        Copy("sentencepiece");
        File.WriteAllText(_folder[Json], "not Meta's");

        var files = TokenizerFiles.Of(checkpoint);

        Assert.IsType<SentencePieceModel>(files.Model);
        Assert.True(files.AreGiven);
        Assert.False(files.Has(Json));
    }

    /// <summary>All steps have one, beside model.yaml.</summary>
    [Theory]
    [InlineData("run")]
    [InlineData("run/checkpoints")]
    [InlineData("run/checkpoints/step_500")]
    [InlineData("run/checkpoints/step_500/model")]
    [InlineData("run/checkpoints/step_500/model/pp_00/tp_00/sdp_00.pt")]
    [InlineData("run/checkpoints/step_400")]
    [InlineData("run/checkpoints/step_400/model.pt")]
    public void The_tokenizer_of_a_training_run_may_be_beside_its_steps(string path)
    {
        CheckpointFolder.Copy("fs2", _folder["run/checkpoints/step_400"]);
        Directory.CreateDirectory(_folder["run/checkpoints/step_500/model/pp_00/tp_00"]);
        File.Copy(Path.Combine(Repository.Case("fs2"), "model.pt"), _folder["run/checkpoints/step_500/model/pp_00/tp_00/sdp_00.pt"]);
        var checkpoint = Fairseq2Checkpoint.Read(_folder[path]);
        Assert.True(TokenizerFiles.Of(checkpoint).IsEmpty);

        File.Copy(TokenizerData.PathOf($"sentencepiece/{Model}"), _folder[$"run/checkpoints/{Model}"]);
        Assert.IsType<SentencePieceModel>(TokenizerFiles.Of(checkpoint).Model);

        // That of the step itself counts more.
        File.Copy(TokenizerData.PathOf($"tiktoken/{Model}"), Path.Combine(checkpoint.Folder.Path, Model));
        Assert.IsType<TiktokenModel>(TokenizerFiles.Of(checkpoint).Model);
    }

    /// <summary>What lies around another folder may belong to anything.</summary>
    [Fact]
    public void The_tokenizer_of_a_checkpoint_of_fairseq2_that_is_in_no_run_is_beside_it()
    {
        CheckpointFolder.CopyRun(_folder["model"]);
        Copy("sentencepiece");

        Assert.True(TokenizerFiles.Of(Fairseq2Checkpoint.Read(_folder["model"])).IsEmpty);
    }

    private static string Text(ReadOnlyMemory<byte> bytes) => System.Text.Encoding.UTF8.GetString(bytes.Span);

    private static JsonNode Read(TokenizerFiles files, string name) => JsonNode.Parse(WholeFile.Read(files.SourceOf(name)!))!;

    private static string[] NamesOf(TokenizerFiles files) => [.. files.PlanFiles(new LocalFolder("/nowhere")).Select(file => file.Name)];

    private static string[] Names(string folder) => [.. Directory.EnumerateFiles(folder).Select(path => Path.GetFileName(path)!)
        .Except(["config.json", "generation_config.json", "model.safetensors"]).Order(StringComparer.Ordinal)];

    private LlamaReferenceCheckpoint ExportReference(string name)
    {
        CheckpointExport.Plan(Fairseq2Checkpoint.Read(Repository.Case("fs2")), _folder[name], new ReferenceExportOptions { Architecture = TinyModel.Architecture }).Execute();
        return LlamaReferenceCheckpoint.Read(_folder[name]);
    }

    private void Copy(string kind) => File.Copy(TokenizerData.PathOf($"{kind}/{Model}"), _folder[Model]);

    private ConversionPlan Plan() => CheckpointExport.Plan(
        LlamaHuggingFaceCheckpoint.Read(Repository.Data("huggingface/single")), _folder["out"], new HuggingFaceExportOptions { TokenizerPath = _folder.Path });

    private string Make(string folder, LlamaArchitecture architecture)
    {
        var files = TokenizerFiles.Find(folder).CompleteFor(architecture, TokenizerData.BaseTokens);
        File.WriteAllBytes(_folder[Json], files.Made[0].Content.ToArray());
        return _folder[Json];
    }

    /// <summary>The package has the library for one system.</summary>
    private static Tokenizer Load(string path)
    {
        Assert.SkipUnless(
            OperatingSystem.IsLinux() && System.Runtime.InteropServices.RuntimeInformation.ProcessArchitecture == System.Runtime.InteropServices.Architecture.X64,
            "needs Hugging Face's tokenizers, which the tests have for Linux on x64 only");

        return new Tokenizer(vocabPath: path);
    }
}
