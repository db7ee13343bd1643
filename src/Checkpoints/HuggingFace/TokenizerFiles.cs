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

    private readonly string? _folder;
    private readonly ImmutableArray<string> _paths;

    private TokenizerFiles(string? folder, ImmutableArray<string> paths)
    {
        _folder = folder;
        _paths = paths;
    }

    /// <summary>generation_config.json beside them; null where there is none.</summary>
    public string? GenerationConfigPath => _folder is not null && Path.Combine(_folder, GenerationConfig.FileName) is var path && HasContent(path) ? path : null;

    /// <summary>What may surprise about them.</summary>
    public ImmutableArray<string> Warnings => _paths.IsEmpty || PathOf(Fast) is not null || PathOf(Config) is not null
        ? []
        : [$"'{_paths[0]}' is copied, and there is neither {Fast} nor {Config} beside it: check that transformers' AutoTokenizer can do"
            + " with that alone."];

    /// <param name="path">A folder with such files, or one of them.</param>
    /// <exception cref="CheckpointException">There are none.</exception>
    public static TokenizerFiles Find(string path)
    {
        try
        {
            var isFile = File.Exists(path);
            ImmutableArray<string> paths = isFile ? [path] : [.. Names.Select(name => Path.Combine(path, name)).Where(File.Exists)];

            if (paths.IsEmpty || !Names.Contains(Path.GetFileName(paths[0])))
            {
                throw new CheckpointException(
                    CheckpointErrorCode.TokenizerNotFound,
                    $"'{path}' {(Path.Exists(path) ? "holds no files of a tokenizer" : "does not exist")}. Expected a folder with"
                        + $" {string.Join(", ", Names[..3])}, …, or one of these.",
                    path);
            }

            return paths.FirstOrDefault(file => !HasContent(file)) is not { } empty
                ? new TokenizerFiles(isFile ? Path.GetDirectoryName(path) : path, paths)
                : throw new CheckpointException(CheckpointErrorCode.TokenizerNotFound, $"'{empty}' is empty, or no file.", empty);
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            throw new CheckpointException(CheckpointErrorCode.ReadFailed, $"'{path}' can't be read: {e.Message}", path, e);
        }
    }

    /// <summary>Those that lie beside a checkpoint in Hugging Face's format, if there are any; none for another one.</summary>
    public static TokenizerFiles Beside(LlamaCheckpoint checkpoint) => checkpoint is LlamaHuggingFaceCheckpoint
        ? new(checkpoint.Path, [.. Names.Select(name => Path.Combine(checkpoint.Path, name)).Where(HasContent)])
        : new(null, []);

    /// <summary>Those of them that are not already what they would be copied to.</summary>
    public IEnumerable<PlannedFile> PlanCopies(string destinationPath) =>
        from path in _paths
        where !IsAt(path, destinationPath)
        select new PlannedCopy(Path.GetFileName(path), new LocalFile(path));

    /// <summary>The names of the others.</summary>
    public IEnumerable<string> FindKept(string destinationPath) =>
        from path in _paths
        where IsAt(path, destinationPath)
        select Path.GetFileName(path);

    /// <summary>The tokens that generation_config.json beside them names; there is every one that ends a text.</summary>
    /// <exception cref="CheckpointException">It can't be read.</exception>
    public SpecialTokens ReadGenerationConfig() =>
        GenerationConfigPath is { } path ? GenerationConfig.Read(new LocalFile(path)) : SpecialTokens.Unknown;

    /// <summary>The tokens that tokenizer_config.json names, by their numbers there or in tokenizer.json.</summary>
    /// <exception cref="CheckpointException">These can't be read.</exception>
    public SpecialTokens ReadSpecialTokens()
    {
        var config = PathOf(Config) is { } path ? JsonSettings.Read(new LocalFile(path)) : null;
        var numbers = new Lazy<IReadOnlyDictionary<string, int>>(() => ReadNumbers(config!));
        var (begin, end) = (Find("bos_token"), Find("eos_token"));

        return new SpecialTokens(begin, end is [var turn] && turn == Llama3Ends.Turn ? Llama3Ends.All : end);

        ImmutableArray<int> Find(string name) =>
            config?.TextOrContent(name) is { } text && numbers.Value.TryGetValue(text, out var number) ? [number] : [];
    }

    private static bool IsAt(string path, string folder) =>
        RealPath.Comparer.Equals(RealPath.Of(path), RealPath.Of(Path.Combine(folder, Path.GetFileName(path))));

    private string? PathOf(string name) => _paths.FirstOrDefault(path => Path.GetFileName(path) == name);

    /// <summary>Pipes and devices have none, and opening one could wait for ever.</summary>
    private static bool HasContent(string path) => LocalFile.LengthOf(path) > 0;

    private IReadOnlyDictionary<string, int> ReadNumbers(JsonSettings config) =>
        config.Find("added_tokens_decoder") is { } decoder ? AddedTokens.Of(decoder)
        : PathOf(Fast) is { } path ? AddedTokens.Read(new LocalFile(path))
        : new Dictionary<string, int>();
}
