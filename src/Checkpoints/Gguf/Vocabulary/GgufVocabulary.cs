using System.Globalization;
using Fairseq2Llama.Gguf.Writing;
using Fairseq2Llama.Llama;
using Fairseq2Llama.Stores;
using Fairseq2Llama.Tokenizers;

namespace Fairseq2Llama.Gguf.Vocabulary;

/// <summary>
/// A tokenizer as a part of a GGUF file: the keys that llama.cpp's convert_hf_to_gguf.py (of May 2026) writes for a LLaMA with the same files. What is missing of
/// files that were given to a checkpoint is made first, as in an export to Hugging Face's format, so that this file is the one that the converter makes of that export.
/// </summary>
internal sealed class GgufVocabulary : IVocabulary
{
    /// <summary>CodeLlama with tokens for filling in, and the one of them that ends what was filled in.</summary>
    private const int CodeLlamaSize = 32_016, CodeLlamaEnd = 32_010;

    /// <summary>The converter writes for every model with a vocabulary of this size, which is Granite's, that no token begins a text.</summary>
    private const int GraniteSize = 49_152;

    private readonly TokenizerFiles _files;
    private readonly SpecialTokens _tokens;
    private readonly int _size;
    private readonly JsonSettings? _config;
    private readonly TokenizerJson? _json;
    private readonly TokenList _list;
    private readonly bool _isSentencePiece;
    private readonly ChatTemplates _templates;

    private GgufVocabulary(TokenizerFiles files, LlamaArchitecture architecture, SpecialTokens tokens)
    {
        (_files, _tokens, _size) = (files, tokens, architecture.VocabSize);
        _config = files.SourceOf(TokenizerConfigWriter.ConfigName) is { } config ? JsonSettings.Read(config) : null;
        _json = files.ReadJson();
        _templates = ChatTemplates.Read(files, _config);

        if (files.Has(TokenizerModel.FileName) && files.Model is SentencePieceModel model)
        {
            RequireBpe(model);
            _isSentencePiece = true;
            _list = TokenList.Of(model, files, _config, _size);
        }
        else
        {
            RequireLlama3(_json);
            _list = TokenList.Of(_json!, _size);
        }
    }

    /// <param name="files">The files of the tokenizer.</param>
    /// <param name="architecture">The architecture of the model.</param>
    /// <param name="ofModel">The tokens that begin and end a text, as far as the model tells them.</param>
    /// <exception cref="CheckpointException">A file is damaged, or they are not those of a tokenizer that GGUF files of LLaMA have.</exception>
    public static GgufVocabulary Read(TokenizerFiles files, LlamaArchitecture architecture, SpecialTokens ofModel)
    {
        var tokens = files.ReadSpecialTokensOr(ofModel);
        return new GgufVocabulary(files.AreGiven || !files.HasSentencePiece ? files.CompleteFor(architecture, tokens) : files, architecture, tokens);
    }

    public string Origin =>
        $"made of {string.Join(" and ", new[] { TokenizerModel.FileName, TokenizerJson.FileName }.Select(_files.SourceOf).OfType<IByteSource>().Select(source => $"'{source.Name}'").Take(1))},"
            + $" {(_isSentencePiece ? "SentencePiece" : "byte-pair encoding of LLaMA 3")}";

    public IEnumerable<string> Warnings => _list.UsedCount < _size / 2
        ? [string.Create(CultureInfo.InvariantCulture, $"The tokenizer has {_list.UsedCount} tokens, and the vocabulary of the model {_size}. Check that the tokenizer belongs to this model.")]
        : [];

    /// <summary>Writes general.sampling.*, if the checkpoint says how to choose tokens.</summary>
    public void WriteSampling(MetadataWriter keys)
    {
        // That of a tokenizer which is given is not taken over by an export to Hugging Face's format either.
        if (!_files.AreGiven && _files.GenerationConfigFile is { } file)
        {
            SamplingSettings.Write(JsonSettings.Read(file.Source), keys);
        }
    }

    /// <summary>Writes tokenizer.*.</summary>
    public void Write(MetadataWriter keys)
    {
        if (_config?.Flag("add_prefix_space") is { } addsSpace)
        {
            keys.Add("tokenizer.ggml.add_space_prefix", addsSpace);
        }

        keys.Add("tokenizer.ggml.model", _isSentencePiece ? "llama" : "gpt2");
        keys.Add("tokenizer.ggml.pre", _isSentencePiece ? "default" : PreTokenizerOf(_json!));
        _list.Write(keys, hasScores: _isSentencePiece);

        if (!_isSentencePiece)
        {
            keys.Add("tokenizer.ggml.merges", MergesOf(_json!));
        }

        WriteSpecial(keys, new SpecialVocabulary(_json, _config, _tokens, _isSentencePiece ? _list.Count : null));

        if (_size == CodeLlamaSize)
        {
            var special = new SpecialVocabulary(_json, _config, _tokens, count: null, ["prefix", "suffix", "middle", "eot"]);
            special.Set("eot", CodeLlamaEnd);
            WriteSpecial(keys, special);
        }

        if (_size == GraniteSize)
        {
            keys.Add("tokenizer.ggml.add_bos_token", false);
        }
    }

    /// <summary>llama.cpp's name for the expression; the second is for the same one, where no token is put before a text (the converter knows both by what they encode).</summary>
    private static string PreTokenizerOf(TokenizerJson tokenizer) =>
        tokenizer.Templates.Any(template => template.Single is [{ SpecialToken: not null }, ..]) ? "llama-bpe" : "smaug-bpe";

    private static string[] MergesOf(TokenizerJson tokenizer)
    {
        var texts = tokenizer.Vocabulary.ToDictionary(token => token.Value, token => token.Key.Replace(' ', 'Ġ'));
        return [.. tokenizer.Merges.Select(merge => $"{texts[merge.Left]} {texts[merge.Right]}")];
    }

    private void WriteSpecial(MetadataWriter keys, SpecialVocabulary special)
    {
        special.Write(keys);
        _templates.Write(keys);
    }

    private void RequireBpe(SentencePieceModel model)
    {
        if (model.ModelType != SentencePieceModel.Bpe)
        {
            throw Unsupported(TokenizerModel.FileName, "does not use byte-pair encoding, as the tokenizers of LLaMA do.");
        }
    }

    private void RequireLlama3(TokenizerJson? tokenizer)
    {
        if (tokenizer is null)
        {
            throw new CheckpointException(
                CheckpointErrorCode.TokenizerNotFound,
                $"There is neither {TokenizerModel.FileName} nor {TokenizerJson.FileName} in '{_files.Path}'. One of them must be there, as the others do not have the tokens.",
                _files.Path);
        }

        if (tokenizer.ByteFallback)
        {
            throw Unsupported(
                TokenizerJson.FileName,
                $"is a tokenizer of LLaMA 1 or 2, and does not have the scores of tokens, which GGUF files need. Put the {TokenizerModel.FileName} of the model beside it.");
        }

        if (tokenizer.Pattern != Llama3Tokens.Pattern)
        {
            throw Unsupported(
                TokenizerJson.FileName,
                "is not the tokenizer of LLaMA 3: it divides texts into words in another way, which a GGUF file has to name. Export to Hugging Face's format, and convert that with convert_hf_to_gguf.py of llama.cpp.");
        }

        var last = tokenizer.Vocabulary.Values.Concat(tokenizer.AddedTokens.Select(token => token.Id)).DefaultIfEmpty(-1).Max();

        if (last >= _size)
        {
            throw Unsupported(
                TokenizerJson.FileName,
                string.Create(CultureInfo.InvariantCulture, $"has a token with the number {last}, but the vocabulary of the model has only {_size}. Give the tokenizer of this model."));
        }
    }

    private CheckpointException Unsupported(string name, string what)
    {
        var path = _files.SourceOf(name)!.Name;
        return new CheckpointException(CheckpointErrorCode.TokenizerUnsupported, $"'{path}' {what}", path);
    }
}
