using System.Collections.Immutable;
using Fairseq2Llama.Llama;
using Fairseq2Llama.Planning;
using Fairseq2Llama.Stores;

namespace Fairseq2Llama.HuggingFace;

/// <summary>The files of a tokenizer that shall lie beside the weights. They are copied as they are.</summary>
internal sealed class TokenizerFiles
{
    private const string Model = "tokenizer.model", Fast = "tokenizer.json", Config = "tokenizer_config.json";

    /// <summary>What transformers' tokenizers of LLaMA read and write.</summary>
    public static readonly ImmutableArray<string> Names =
        [Fast, Model, Config, "special_tokens_map.json", "added_tokens.json", "chat_template.jinja", "chat_template.json"];

    /// <summary>LLaMA 3's instruct models end a turn with this; transformers' converter lets all three of these end a text then.</summary>
    private static readonly (int Turn, ImmutableArray<int> All) Llama3Ends = (128_009, [128_001, 128_008, 128_009]);

    private readonly ICheckpointFolder? _folder;
    private readonly ImmutableArray<StoredFile> _files;

    private TokenizerFiles(ICheckpointFolder? folder, ImmutableArray<StoredFile> files)
    {
        _folder = folder;
        _files = files;
    }

    /// <summary>generation_config.json beside them; null where there is none.</summary>
    public StoredFile? GenerationConfigFile =>
        _folder is not null && new StoredFile(_folder, GenerationConfig.FileName) is { Length: > 0 } file ? file : null;

    /// <summary>Warnings about them.</summary>
    public ImmutableArray<string> Warnings => _files.IsEmpty || FileOf(Fast) is not null || FileOf(Config) is not null
        ? []
        : [$"'{_files[0].Path}' is copied, but there is neither {Fast} nor {Config} beside it. Check that transformers' AutoTokenizer can"
            + " load it alone."];

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
                $"'{place.Path}' {(single is not null || place.Exists ? "holds no files of a tokenizer" : "does not exist")}. Expected a folder with"
                    + $" {string.Join(", ", Names[..3])}, …, or one of these files.",
                place.Path);
        }

        return files.FirstOrDefault(file => file.Length == 0) is not { } empty
            ? new TokenizerFiles(files[0].Folder, files)
            : throw new CheckpointException(CheckpointErrorCode.TokenizerNotFound, $"'{empty.Path}' is empty, or not a file.", empty.Path);
    });

    /// <summary>Those that lie beside a checkpoint in Hugging Face's format, if there are any; none for another one.</summary>
    public static TokenizerFiles Beside(LlamaCheckpoint checkpoint) => checkpoint is LlamaHuggingFaceCheckpoint
        ? new(checkpoint.Folder, [.. Names.Select(name => new StoredFile(checkpoint.Folder, name)).Where(file => file.Length > 0)])
        : new(null, []);

    /// <summary>Those of them that are not already what they would be copied to.</summary>
    public IEnumerable<PlannedFile> PlanCopies(ICheckpointFolder destination) =>
        from file in _files
        where !IsIn(destination, file)
        select new PlannedCopy(file.Name, file.Source);

    /// <summary>The names of the others.</summary>
    public IEnumerable<string> FindKept(ICheckpointFolder destination) =>
        from file in _files
        where IsIn(destination, file)
        select file.Name;

    /// <summary>The tokens that generation_config.json beside them names; there is every one that ends a text.</summary>
    /// <exception cref="CheckpointException">It can't be read.</exception>
    public SpecialTokens ReadGenerationConfig() =>
        GenerationConfigFile is { } file ? GenerationConfig.Read(file.Source) : SpecialTokens.Unknown;

    /// <summary>The tokens that tokenizer_config.json names, by their numbers there or in tokenizer.json.</summary>
    /// <exception cref="CheckpointException">These can't be read.</exception>
    public SpecialTokens ReadSpecialTokens()
    {
        var config = FileOf(Config) is { } file ? JsonSettings.Read(file.Source) : null;
        var numbers = new Lazy<IReadOnlyDictionary<string, int>>(() => ReadNumbers(config!));
        var (begin, end) = (NumbersOf("bos_token"), NumbersOf("eos_token"));

        return new SpecialTokens(begin, end is [var turn] && turn == Llama3Ends.Turn ? Llama3Ends.All : end);

        ImmutableArray<int> NumbersOf(string name) =>
            config?.TextOrContent(name) is { } text && numbers.Value.TryGetValue(text, out var number) ? [number] : [];
    }

    private static bool IsIn(ICheckpointFolder folder, StoredFile file) =>
        folder.Identities.Equals(folder.IdentityOf(file.Path), folder.IdentityOf(folder.PathOf(file.Name)));

    private StoredFile? FileOf(string name) => _files.FirstOrDefault(file => file.Name == name);

    private IReadOnlyDictionary<string, int> ReadNumbers(JsonSettings config) =>
        config.Find("added_tokens_decoder") is { } decoder ? AddedTokens.Of(decoder)
        : FileOf(Fast) is { } file ? AddedTokens.Read(file.Source)
        : new Dictionary<string, int>();
}
