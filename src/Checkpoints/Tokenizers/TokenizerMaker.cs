using System.Collections.Immutable;
using System.Globalization;
using Fairseq2Llama.Llama;

namespace Fairseq2Llama.Tokenizers;

/// <summary>Makes the files of transformers' tokenizers of a tokenizer.model.</summary>
/// <param name="path">Its path.</param>
/// <param name="architecture">The architecture of the model that it is for.</param>
/// <param name="tokens">The tokens that begin and end a text.</param>
internal sealed class TokenizerMaker(string path, LlamaArchitecture architecture, SpecialTokens tokens)
{
    /// <summary>LLaMA 3 has this many tokens before its special tokens.</summary>
    private const int Llama3Words = 128_000;

    /// <summary>Why tokenizer.json can't be made of a model, as a clause; null if it can.</summary>
    public static string? FindObstacle(SentencePieceModel model) =>
        model.ModelType != SentencePieceModel.Bpe ? "it does not use byte-pair encoding, as the tokenizers of LLaMA do"
        : model.ReplacesCharacters ? "it replaces characters before it encodes a text, which the tokenizers of LLaMA do not"
        : !model.EscapesWhitespaces || model.TreatsWhitespaceAsSuffix ? "it treats spaces unlike the tokenizers of LLaMA"
        : null;

    /// <param name="model">A model of which it can be made.</param>
    /// <param name="isMissing">Whether there is no file of a name.</param>
    public ImmutableArray<MadeFile> Make(SentencePieceModel model, Func<string, bool> isMissing) => Make(
        isMissing, TokenizerJson.Of(model, path), json => TokenizerJsonWriter.Write(model, json), () => TokenizerConfigWriter.Write(model), () => TokenizerConfigWriter.WriteMap(model));

    /// <param name="model">LLaMA 3's.</param>
    /// <param name="isMissing">Whether there is no file of a name.</param>
    /// <exception cref="CheckpointException">It is that of another model.</exception>
    public ImmutableArray<MadeFile> Make(TiktokenModel model, Func<string, bool> isMissing)
    {
        RequireLlama3(model);
        var special = Llama3Tokens.Of(architecture);

        return Make(
            isMissing,
            TokenizerJson.Of(model, special, path),
            json => TokenizerJsonWriter.Write(model, json),
            () => TokenizerConfigWriter.Write(model, special, tokens, architecture),
            () => TokenizerConfigWriter.WriteMap(model, special, tokens));
    }

    /// <summary>The file does not tell what follows its tokens, nor the expression that divides a text, and later models have others.</summary>
    private void RequireLlama3(TiktokenModel model)
    {
        var all = model.Count + Llama3Tokens.Count;

        if (architecture.VocabSize < all || (architecture.VocabSize > all && model.Count != Llama3Words))
        {
            throw new CheckpointException(
                CheckpointErrorCode.TokenizerUnsupported,
                string.Create(
                    CultureInfo.InvariantCulture,
                    $"'{path}' has {model.Count} tokens, which with the {Llama3Tokens.Count} special tokens of LLaMA 3 make {all}, but the vocabulary of the model has {architecture.VocabSize}. Give the {TokenizerModel.FileName} of this model, or its {TokenizerJson.FileName}."),
                path);
        }
    }

    private ImmutableArray<MadeFile> Make(
        Func<string, bool> isMissing, TokenizerJson json, Func<TokenizerJson, byte[]> writeJson, Func<byte[]> makeConfig, Func<byte[]> makeMap)
    {
        var isConfigMissing = isMissing(TokenizerConfigWriter.ConfigName);

        // tokenizer_config.json has all that special_tokens_map.json has, and one that was given must not be contradicted.
        return
        [
            .. from file in new (bool IsNeeded, MadeFile File)[]
               {
                   (true, new MadeFile(TokenizerJson.FileName, path, () => writeJson(json)) { Json = json }),
                   (true, new MadeFile(TokenizerConfigWriter.ConfigName, path, makeConfig)),
                   (isConfigMissing, new MadeFile(TokenizerConfigWriter.MapName, path, makeMap)),
               }
               where file.IsNeeded && isMissing(file.File.FileName)
               select file.File,
        ];
    }
}
