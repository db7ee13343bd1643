using System.Buffers;
using System.Text;
using Fairseq2Llama.Gguf.Vocabulary;
using Fairseq2Llama.Gguf.Writing;
using Fairseq2Llama.Tests.Support;
using Fairseq2Llama.Tests.Tokenizers;
using Fairseq2Llama.Tokenizers;

namespace Fairseq2Llama.Tests.Fuzzing;

/// <summary>Whatever the files of a tokenizer hold, its files are made and its keys written, or it is refused with a documented error.</summary>
[Fuzz]
public sealed class TokenizerFuzzTests : IDisposable
{
    private readonly TempFolder _folder = new();

    public void Dispose() => _folder.Dispose();

    [Fact]
    public void Models_of_SentencePiece_that_were_damaged() => Run("tokenizer.model", TokenizerData.Llama2, Damage("sentencepiece/tokenizer.model"), 1500);

    [Fact]
    public void Models_of_tiktoken_that_were_damaged() => Run("tokenizer.model", TokenizerData.Llama3, Damage("tiktoken/tokenizer.model"), 1500);

    [Fact]
    public void Models_of_tiktoken_whose_lines_were_changed() => Run("tokenizer.model", TokenizerData.Llama3, ChangeLines("tiktoken/tokenizer.model"), 800);

    [Fact]
    public void Models_of_SentencePiece_whose_pieces_are_alike() => Run(
        "tokenizer.model",
        TokenizerData.Llama2 with { VocabSize = 1000 },
        random => new SentencePieceBuilder(Enumerable.Range(1, random.Next(1, 512)).Select(length => new string('a', length)).Concat(random.Next(3) == 0 ? ["a"] : [])).Build(),
        60);

    [Theory]
    [InlineData("converted/tiktoken", "tokenizer.json")]
    [InlineData("converted/words", "tokenizer.json")]
    [InlineData("converted/words", "tokenizer_config.json")]
    [InlineData("converted/chat", "tokenizer_config.json")]
    [InlineData("converted/chat", "added_tokens.json")]
    [InlineData("converted/chat", "generation_config.json")]
    public void Settings_that_were_changed(string folder, string name)
    {
        foreach (var path in Directory.EnumerateFiles(TokenizerData.PathOf(folder)))
        {
            File.Copy(path, _folder[Path.GetFileName(path)]);
        }

        var isLlama3 = File.Exists(_folder["tokenizer.json"]);

        if (!isLlama3)
        {
            File.Copy(TokenizerData.PathOf("sentencepiece/tokenizer.model"), _folder["tokenizer.model"]);
        }

        Run(name, isLlama3 ? TokenizerData.Llama3 : TokenizerData.Llama2, ChangeLines($"{folder}/{name}"), 400);
    }

    private static Func<Random, byte[]> Damage(string name)
    {
        var bytes = File.ReadAllBytes(TokenizerData.PathOf(name));
        return random => Bytes.Mutate((byte[])bytes.Clone(), random);
    }

    private static Func<Random, byte[]> ChangeLines(string name)
    {
        var text = File.ReadAllText(TokenizerData.PathOf(name), Encoding.UTF8);
        return random => JsonFiles.Change(text, random);
    }

    private void Run(string name, LlamaArchitecture architecture, Func<Random, byte[]> make, int inputs) => Fuzzer.Run(inputs, make, bytes =>
    {
        File.WriteAllBytes(_folder[name], bytes);

        try
        {
            var keys = new MetadataWriter();
            var vocabulary = GgufVocabulary.Read(TokenizerFiles.Find(_folder.Path), architecture, TokenizerData.Llama2Tokens);
            vocabulary.WriteSampling(keys);
            vocabulary.Write(keys);
            keys.WriteTo(new ArrayBufferWriter<byte>());
        }
        catch (CheckpointException e)
        {
            FolderFuzzTests.AssertPrintable([e.Message]);
            throw;
        }
    });
}
