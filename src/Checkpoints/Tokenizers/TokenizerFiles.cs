using System.Collections.Immutable;
using System.Globalization;
using Fairseq2Llama.Llama;
using Fairseq2Llama.Planning;
using Fairseq2Llama.Stores;

namespace Fairseq2Llama.Tokenizers;

/// <summary>The files of a tokenizer that shall lie beside the weights, or become part of them. They are copied as they are; what is missing is made of tokenizer.model.</summary>
internal sealed class TokenizerFiles
{
    /// <summary>What transformers' tokenizers of LLaMA read and write.</summary>
    public static readonly ImmutableArray<string> Names =
    [
        TokenizerJson.FileName, TokenizerModel.FileName, TokenizerConfigWriter.ConfigName, TokenizerConfigWriter.MapName, AddedTokens.FileName,
        ChatTemplate, ChatTemplateJson,
    ];

    /// <summary>A template of conversations, beside the other files since transformers 4.51.</summary>
    public const string ChatTemplate = "chat_template.jinja";

    /// <summary>The same, as processors of transformers had it before.</summary>
    public const string ChatTemplateJson = "chat_template.json";

    /// <summary>LLaMA 3's instruct models end a turn with this; transformers' converter lets all three of these end a text then.</summary>
    private static readonly (int Turn, ImmutableArray<int> All) Llama3Ends = (128_009, [128_001, 128_008, 128_009]);

    private readonly ICheckpointFolder? _folder;
    private readonly ImmutableArray<StoredFile> _files;
    private readonly Lazy<TokenizerModel?> _model;

    private TokenizerFiles(ICheckpointFolder? folder, ImmutableArray<StoredFile> files)
    {
        _folder = folder;
        _files = files;
        _model = new Lazy<TokenizerModel?>(() => FileOf(TokenizerModel.FileName) is { } file ? TokenizerModel.Read(file.Source) : null);
    }

    /// <summary>Whether there are none.</summary>
    public bool IsEmpty => _files.IsEmpty;

    /// <summary>Where they are; empty where there are none.</summary>
    public string Path => _folder?.Path ?? "";

    /// <summary>Whether tokenizer.model is SentencePiece's.</summary>
    /// <exception cref="CheckpointException">It can't be read, or is damaged.</exception>
    public bool HasSentencePiece => Model is SentencePieceModel;

    /// <summary>Whether they are no part of a checkpoint in Hugging Face's format, but given to it, so that what is missing is to be made.</summary>
    public bool AreGiven { get; private init; }

    /// <summary>Those that are missing and were made of tokenizer.model.</summary>
    public ImmutableArray<MadeFile> Made { get; private init; } = [];

    /// <summary>generation_config.json beside them; null where there is none.</summary>
    public StoredFile? GenerationConfigFile =>
        _folder is not null && new StoredFile(_folder, GenerationConfig.FileName) is { Length: > 0 } file ? file : null;

    /// <summary>tokenizer.model, read; null where there is none.</summary>
    /// <exception cref="CheckpointException">It can't be read, or is damaged.</exception>
    public TokenizerModel? Model => _model.Value;

    /// <summary>Warnings about them.</summary>
    public ImmutableArray<string> Warnings { get; private init; } = [];

    /// <summary>tokenizer.model of LLaMA 3, of which the others are or were made; null where there is none.</summary>
    private StoredFile? Source { get; init; }

    /// <param name="address">A folder with such files, or one of them.</param>
    /// <param name="cancellationToken">Stops it.</param>
    /// <exception cref="CheckpointException">There are none.</exception>
    public static TokenizerFiles Find(CheckpointAddress address, CancellationToken cancellationToken = default) =>
        Find(CheckpointFolders.At(address, cancellationToken));

    /// <summary>As for an address, wherever it is.</summary>
    public static TokenizerFiles Find(ICheckpointFolder place) => CheckpointFolder.Look(place, () =>
    {
        var single = StoredFile.At(place);
        ImmutableArray<StoredFile> files = single is not null ? [single] : [.. Names.Where(place.HasFile).Select(name => new StoredFile(place, name))];

        if (files.IsEmpty || !Names.Contains(files[0].Name))
        {
            throw new CheckpointException(
                CheckpointErrorCode.TokenizerNotFound,
                $"'{place.Path}' {(single is not null ? "is not a file of a tokenizer" : place.Exists ? "holds no files of a tokenizer" : "does not exist")}. Expected a folder with"
                    + $" {string.Join(", ", Names[..3])}, …, or one of these files.",
                place.Path);
        }

        return files.FirstOrDefault(file => file.Length == 0) is not { } empty
            ? new TokenizerFiles(files[0].Folder, files) { AreGiven = true }
            : throw new CheckpointException(CheckpointErrorCode.TokenizerNotFound, $"'{empty.Path}' is empty, or not a file.", empty.Path);
    });

    /// <summary>Those that lie beside a checkpoint in Hugging Face's format, if there are any; none for another one.</summary>
    public static TokenizerFiles Beside(LlamaCheckpoint checkpoint) =>
        checkpoint.Format == CheckpointFormat.HuggingFace ? new(checkpoint.Folder, FindIn(checkpoint.Folder)) : new(null, []);

    /// <summary>
    /// Those of a checkpoint, whatever its format: beside it or, as in Meta's downloads of LLaMA 1 and 2, tokenizer.model in a folder around it. Only where the
    /// tokenizer is to become part of a file they are looked for there: an export that puts files beside each other has -TokenizerPath for them.
    /// </summary>
    public static TokenizerFiles Of(LlamaCheckpoint checkpoint) => CheckpointFolder.Look(checkpoint.Folder, () =>
    {
        if (checkpoint.Format == CheckpointFormat.HuggingFace)
        {
            return Beside(checkpoint);
        }

        var beside = FindIn(checkpoint.Folder);

        return beside.IsEmpty && checkpoint.FoldersAround.Select(around => new StoredFile(around, TokenizerModel.FileName)).FirstOrDefault(file => file.Length > 0) is { } model
            ? new TokenizerFiles(model.Folder, [model]) { AreGiven = true }
            : new TokenizerFiles(beside.IsEmpty ? null : checkpoint.Folder, beside) { AreGiven = true };
    });

    /// <summary>Those for a model, whose missing files are made of tokenizer.model. tokenizer.model of LLaMA 3 is not one of them: transformers would take it for SentencePiece's.</summary>
    /// <param name="architecture">The architecture of the model.</param>
    /// <param name="tokens">The tokens that begin and end a text.</param>
    /// <exception cref="CheckpointException">tokenizer.model can't be read, is damaged, or does not fit the model.</exception>
    public TokenizerFiles CompleteFor(LlamaArchitecture architecture, SpecialTokens tokens)
    {
        if (FileOf(TokenizerModel.FileName) is not { } file)
        {
            return With(_files, [], FindIncomplete());
        }

        // What is complete is not to be made, whatever it is.
        if (FileOf(TokenizerJson.FileName) is not null && FileOf(TokenizerConfigWriter.ConfigName) is not null)
        {
            return TokenizerModel.IsTiktoken(file.Source) ? Without(file, []) : this;
        }

        var maker = new TokenizerMaker(file.Path, architecture, tokens);

        return Model switch
        {
            TiktokenModel model => Without(file, maker.Make(model, IsMissing)),
            SentencePieceModel model when TokenizerMaker.FindObstacle(model) is { } obstacle => With(
                _files,
                [],
                FileOf(TokenizerJson.FileName) is not null ? []
                    : [$"'{file.Path}' is copied, but no {TokenizerJson.FileName} is made of it, because {obstacle}. Check that transformers' AutoTokenizer can load it."]),
            SentencePieceModel model => With(_files, maker.Make(model, IsMissing), FindSurplus(model, file, architecture)),
            _ => throw new System.Diagnostics.UnreachableException(),
        };
    }

    /// <summary>Those of them that are not already what they would be copied to, and those that were made.</summary>
    public IEnumerable<PlannedFile> PlanFiles(ICheckpointFolder destination) =>
    [
        .. from file in _files
           where !IsIn(destination, file)
           select new PlannedCopy(file.Name, file.Source),
        .. from file in Made
           select new PlannedTextFile(file.FileName, file.Content, file.Origin),
    ];

    /// <summary>The names of the others.</summary>
    public IEnumerable<string> FindKept(ICheckpointFolder destination) =>
        from file in Source is null ? _files : _files.Add(Source)
        where IsIn(destination, file)
        select file.Name;

    /// <summary>Warnings about what is in the destination.</summary>
    public IEnumerable<string> FindWarnings(ICheckpointFolder destination) => Source is null || !IsIn(destination, Source) ? [] :
    [
        $"'{Source.Path}' stays where it is. Move it elsewhere: programs that read Hugging Face's format take it for a model of SentencePiece, which it is not.",
    ];

    /// <summary>Whether there is a file of that name.</summary>
    public bool Has(string name) => !IsMissing(name);

    /// <summary>One of them, whether it is there or was made; null where there is none.</summary>
    public IByteSource? SourceOf(string name) => FileOf(name)?.Source ?? Made.FirstOrDefault(file => file.FileName == name);

    /// <summary>tokenizer.json, whether it is there or was made; null where there is none.</summary>
    /// <exception cref="CheckpointException">It can't be read, is damaged, or is a tokenizer of another kind.</exception>
    public TokenizerJson? ReadJson() => FileOf(TokenizerJson.FileName) is { } file ? TokenizerJson.Read(file.Source) : Made.Select(made => made.Json).FirstOrDefault(json => json is not null);

    /// <summary>The tokens that begin and end a text: those that these files tell, otherwise those of the model.</summary>
    /// <exception cref="CheckpointException">A file can't be read.</exception>
    public SpecialTokens ReadSpecialTokensOr(SpecialTokens ofModel) => ReadGenerationConfig().Or(AreGiven ? ReadSpecialTokens() : null).Or(ofModel);

    /// <summary>The tokens that generation_config.json beside them names; there is every one that ends a text.</summary>
    /// <exception cref="CheckpointException">It can't be read.</exception>
    public SpecialTokens ReadGenerationConfig() =>
        GenerationConfigFile is { } file ? GenerationConfig.Read(file.Source) : SpecialTokens.Unknown;

    /// <summary>The tokens that tokenizer_config.json names, by their numbers there or in tokenizer.json; without it, those of tokenizer.model.</summary>
    /// <exception cref="CheckpointException">These can't be read.</exception>
    public SpecialTokens ReadSpecialTokens()
    {
        if (FileOf(TokenizerConfigWriter.ConfigName) is not { } file)
        {
            return Model switch
            {
                SentencePieceModel model => new(ListOf(model.BeginId), ListOf(model.EndId)),
                TiktokenModel model => new([model.Count], []),
                _ => SpecialTokens.Unknown,
            };
        }

        var config = JsonSettings.Read(file.Source);
        var numbers = new Lazy<IReadOnlyDictionary<string, int>>(() => ReadNumbers(config));
        var (begin, end) = (NumbersOf("bos_token"), NumbersOf("eos_token"));

        return new SpecialTokens(begin, end is [var turn] && turn == Llama3Ends.Turn ? Llama3Ends.All : end);

        ImmutableArray<int> NumbersOf(string name) =>
            config.TextOrContent(name) is { } text && numbers.Value.TryGetValue(text, out var number) ? [number] : [];
    }

    private static ImmutableArray<StoredFile> FindIn(ICheckpointFolder folder) =>
        [.. Names.Select(name => new StoredFile(folder, name)).Where(file => file.Length > 0)];

    private static bool IsIn(ICheckpointFolder folder, StoredFile file) =>
        folder.Identities.Equals(folder.IdentityOf(file.Path), folder.IdentityOf(folder.PathOf(file.Name)));

    private static ImmutableArray<int> ListOf(int? id) => id is { } value ? [value] : [];

    private static ImmutableArray<string> FindSurplus(SentencePieceModel model, StoredFile file, LlamaArchitecture architecture) => model.Count <= architecture.VocabSize ? [] :
    [
        string.Create(
            CultureInfo.InvariantCulture,
            $"'{file.Path}' has {model.Count} tokens, but the vocabulary of the model has only {architecture.VocabSize}. Check that the tokenizer belongs to this model."),
    ];

    private TokenizerFiles Without(StoredFile source, ImmutableArray<MadeFile> made) =>
        new(_folder, _files.Remove(source)) { AreGiven = AreGiven, Made = made, Source = source };

    private TokenizerFiles With(ImmutableArray<StoredFile> files, ImmutableArray<MadeFile> made, ImmutableArray<string> warnings) =>
        new(_folder, files) { AreGiven = AreGiven, Made = made, Warnings = warnings };

    private ImmutableArray<string> FindIncomplete() => _files.IsEmpty || !IsMissing(TokenizerJson.FileName) || !IsMissing(TokenizerConfigWriter.ConfigName)
        ? []
        : [$"'{_files[0].Path}' is copied, but there is neither {TokenizerJson.FileName} nor {TokenizerModel.FileName} beside it. Check that transformers' AutoTokenizer can"
            + " load it alone."];

    private bool IsMissing(string name) => FileOf(name) is null;

    private StoredFile? FileOf(string name) => _files.FirstOrDefault(file => file.Name == name);

    private IReadOnlyDictionary<string, int> ReadNumbers(JsonSettings config) =>
        config.Find("added_tokens_decoder") is not null ? AddedTokens.Of(config)
        : FileOf(TokenizerJson.FileName) is { } file ? AddedTokens.Read(file.Source)
        : new Dictionary<string, int>();
}
