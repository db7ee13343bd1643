using System.Buffers;
using Fairseq2Llama.Gguf.Vocabulary;
using Fairseq2Llama.Gguf.Writing;
using Fairseq2Llama.Tests.Support;
using Fairseq2Llama.Tests.Tokenizers;
using Fairseq2Llama.Tokenizers;

namespace Fairseq2Llama.Tests.Gguf;

/// <summary>The keys about a tokenizer, byte for byte those of llama.cpp's convert_hf_to_gguf.py; tests/data/README.md says how it was run.</summary>
public sealed class GgufVocabularyTests : IDisposable
{
    private const int Pieces = TokenizerData.Pieces, Ranks = TokenizerData.Ranks;

    private readonly TempFolder _folder = new();

    public void Dispose() => _folder.Dispose();

    /// <summary>In a checkpoint in Hugging Face's format, where nothing is made.</summary>
    [Theory]
    [InlineData("alone", Pieces + 2, "sentencepiece/tokenizer.model")]
    [InlineData("short", Pieces - 40, "sentencepiece/tokenizer.model")]
    [InlineData("sentencepiece", Pieces, "sentencepiece/tokenizer.model", "converted/sentencepiece")]
    [InlineData("chat", Pieces + 3, "sentencepiece/tokenizer.model", "converted/chat")]
    [InlineData("tiktoken", Ranks + 256, "converted/tiktoken")]
    [InlineData("words", Ranks + 30, "converted/words")]
    public void Of_a_checkpoint_are_those_of_the_converter(string expected, int vocabSize, params string[] sources)
    {
        var checkpoint = MakeCheckpoint(sources);

        Assert.Equal(KeysOf(expected), Write(TokenizerFiles.Beside(checkpoint), vocabSize));
    }

    /// <summary>Where a tokenizer is given, they are those of the files that an export to Hugging Face's format has.</summary>
    [Theory]
    [InlineData("sentencepiece", Pieces, "sentencepiece")]
    [InlineData("tiktoken", Ranks + 256, "tiktoken")]
    [InlineData("tiktoken", Ranks + 256, "converted/tiktoken")]
    [InlineData("words", Ranks + 30, "converted/words")]
    public void Of_a_tokenizer_that_is_given_are_those_of_the_converter(string expected, int vocabSize, string source) =>
        Assert.Equal(KeysOf(expected), Write(TokenizerFiles.Find(TokenizerData.PathOf(source)), vocabSize));

    /// <summary>The converter takes none, and then llama.cpp ends texts at each comma.</summary>
    [Fact]
    public void Of_several_ends_of_LLaMA_3_the_one_of_a_turn_is_taken()
    {
        File.Copy(TokenizerData.PathOf("converted/tiktoken/tokenizer.json"), _folder["tokenizer.json"]);
        var keys = new MetadataWriter();
        var expected = new MetadataWriter();
        expected.Add("tokenizer.ggml.eos_token_id", 128_009u);

        GgufVocabulary.Read(TokenizerFiles.Find(_folder.Path), TokenizerData.Llama31 with { VocabSize = Ranks + 256 }, new SpecialTokens([128_000], [128_001, 128_008, 128_009])).Write(keys);

        Assert.True(keys.ToArray().AsSpan().IndexOf(expected.ToArray()) > 0);
    }

    [Theory]
    [InlineData(Pieces, false)]
    [InlineData(3 * Pieces, true)]
    public void A_tokenizer_that_is_far_too_small_is_warned_of(int vocabSize, bool warns)
    {
        var vocabulary = GgufVocabulary.Read(TokenizerFiles.Find(TokenizerData.PathOf("sentencepiece")), TokenizerData.Llama2 with { VocabSize = vocabSize }, TokenizerData.Llama2Tokens);

        Assert.Equal(warns ? ["belongs to this model"] : [], vocabulary.Warnings.Select(warning => warning.TrimEnd('.')[^21..]));
    }

    /// <summary>Where to sample is not said by the tokenizer, but by the model.</summary>
    [Fact]
    public void Sampling_is_that_of_the_checkpoint()
    {
        var beside = Write(TokenizerFiles.Beside(MakeCheckpoint("sentencepiece/tokenizer.model", "converted/chat")), Pieces);
        var given = Write(TokenizerFiles.Find(_folder.Path), Pieces);

        Assert.True(Contains(beside, "general.sampling.top_k") && Contains(beside, "general.sampling.temp"));
        Assert.False(Contains(given, "general.sampling"));
    }

    /// <summary>What was loaded with transformers and saved again has no tokenizer.model.</summary>
    [Fact]
    public void Without_scores_a_tokenizer_of_LLaMA_2_is_refused() => ErrorAssert.Throws(
        CheckpointErrorCode.TokenizerUnsupported,
        () => Write(TokenizerFiles.Find(TokenizerData.PathOf("converted/sentencepiece")), Pieces),
        "tokenizer.json",
        "scores",
        "tokenizer.model");

    [Fact]
    public void Another_expression_is_refused()
    {
        var json = File.ReadAllText(TokenizerData.PathOf("converted/tiktoken/tokenizer.json")).Replace("{1,3}", "{1,2}", StringComparison.Ordinal);
        File.WriteAllText(_folder["tokenizer.json"], json);

        ErrorAssert.Throws(
            CheckpointErrorCode.TokenizerUnsupported, () => Write(TokenizerFiles.Find(_folder.Path), Ranks + 256), "tokenizer.json", "is not the tokenizer of LLaMA 3", "convert_hf_to_gguf.py");
    }

    [Fact]
    public void More_tokens_than_the_model_has_are_refused() => ErrorAssert.Throws(
        CheckpointErrorCode.TokenizerUnsupported,
        () => Write(TokenizerFiles.Find(TokenizerData.PathOf("converted/tiktoken")), Ranks + 255),
        "the number 575",
        "only 575");

    [Fact]
    public void A_model_of_another_kind_is_refused()
    {
        File.WriteAllBytes(_folder["tokenizer.model"], new SentencePieceBuilder("a") { ModelType = 1 }.Build());

        ErrorAssert.Throws(CheckpointErrorCode.TokenizerUnsupported, () => Write(TokenizerFiles.Find(_folder.Path), Pieces), "tokenizer.model", "byte-pair encoding");
    }

    [Fact]
    public void Settings_alone_are_no_tokenizer()
    {
        File.WriteAllText(_folder["tokenizer_config.json"], "{}");

        ErrorAssert.Throws(CheckpointErrorCode.TokenizerNotFound, () => Write(TokenizerFiles.Find(_folder.Path), Pieces), _folder.Path, "tokenizer.model", "tokenizer.json");
    }

    [Theory]
    [InlineData("tokenizer_config.json", """{"added_tokens_decoder": {"1": 5}}""")]
    [InlineData("tokenizer_config.json", """{"chat_template": 5}""")]
    [InlineData("tokenizer_config.json", """{"add_bos_token": "yes"}""")]
    [InlineData("tokenizer_config.json", """{"bos_token": 1}""")]
    [InlineData("added_tokens.json", """{"a": "1"}""")]
    [InlineData("added_tokens.json", """{"a": 1.5}""")]
    [InlineData("tokenizer.json", "{")]
    public void Damage_is_called_damage(string name, string content)
    {
        File.Copy(TokenizerData.PathOf("sentencepiece/tokenizer.model"), _folder["tokenizer.model"]);
        File.WriteAllText(_folder[name], content);

        ErrorAssert.Throws(CheckpointErrorCode.CheckpointCorrupt, () => Write(TokenizerFiles.Find(_folder.Path), Pieces), _folder[name]);
    }

    /// <summary>The converter knows CodeLlama by the size of its vocabulary, and says what ends text that was filled in.</summary>
    [Fact]
    public void CodeLlama_has_one_token_more_with_a_use()
    {
        var files = TokenizerFiles.Find(TokenizerData.PathOf("sentencepiece"));

        Assert.True(Contains(Write(files, 32_016), "tokenizer.ggml.eot_token_id"));
        Assert.False(Contains(Write(files, 32_017), "tokenizer.ggml.eot_token_id"));
    }

    private static byte[] KeysOf(string expected) => File.ReadAllBytes(TokenizerData.PathOf($"converted/{expected}.keys"));

    private static bool Contains(byte[] keys, string name) => keys.AsSpan().IndexOf(System.Text.Encoding.UTF8.GetBytes(name)) >= 0;

    private static byte[] Write(TokenizerFiles files, int vocabSize)
    {
        var isLlama3 = !files.HasSentencePiece;
        var architecture = (isLlama3 ? TokenizerData.Llama31 : TokenizerData.Llama2) with { VocabSize = vocabSize };
        var vocabulary = GgufVocabulary.Read(files, architecture, isLlama3 ? TokenizerData.BaseTokens : TokenizerData.Llama2Tokens);
        var keys = new MetadataWriter();
        vocabulary.WriteSampling(keys);
        vocabulary.Write(keys);
        var buffer = new ArrayBufferWriter<byte>();
        keys.WriteTo(buffer);
        return buffer.WrittenSpan.ToArray();
    }

    private LlamaHuggingFaceCheckpoint MakeCheckpoint(params string[] sources)
    {
        foreach (var path in sources.Select(TokenizerData.PathOf).Prepend(Repository.Data("huggingface/single")))
        {
            foreach (var file in Directory.Exists(path) ? Directory.GetFiles(path) : [path])
            {
                File.Copy(file, _folder[Path.GetFileName(file)], overwrite: true);
            }
        }

        return LlamaHuggingFaceCheckpoint.Read(_folder.Path);
    }
}
