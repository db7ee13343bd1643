using System.Collections.Immutable;
using System.Globalization;
using Fairseq2Llama.Dependencies;
using Fairseq2Llama.Llama;
using Fairseq2Llama.Stores;

namespace Fairseq2Llama.Fairseq2;

/// <summary>
/// What fairseq2 wrote of the model into model.yaml beside the steps. 0.3 names only the asset that was trained further
/// (<c>base: llama3_8b_instruct</c>); 0.4 has the whole configuration under <c>model_config._set_</c>, 0.5 and newer under
/// <c>model_config</c>. A file that was written by hand can have <c>model_arch</c> and only what differs from it.
/// </summary>
internal sealed record ModelConfig : ArchitectureFile
{
    public const string FileName = "model.yaml";

    private const string Family = "llama";

    /// <summary>Real ones have some 30 lines.</summary>
    private const int MaxLength = 1 << 20;

    private ModelConfig(string path)
        : base(path)
    {
    }

    /// <summary>The number of tensor-parallel files, where it says that; 0.3 and 0.4 do so when there are several.</summary>
    public int? ShardCount { get; private init; }

    /// <param name="file">The file.</param>
    /// <param name="name">The name for an architecture that is not in the catalogue.</param>
    public static ModelConfig Read(StoredFile file, string name)
    {
        var path = file.Path;

        try
        {
            var root = ConfigNode.Mapping(ThirdParty.ReadYaml(ReadText(file)), "the document");
            var warnings = new List<string>();

            return new ModelConfig(path)
            {
                Architecture = FindArchitecture(root, path, name, warnings),
                SpecialTokens = FindSpecialTokens(root),
                ShardCount = root.Integer("num_shards"),
                Warnings = [.. warnings.Select(PrintableText.Of)],
            };
        }
        catch (Exception e) when (e is FormatException or IOException or UnauthorizedAccessException or CheckpointException)
        {
            var failure = e is IOException or UnauthorizedAccessException ? e : e is CheckpointException { Code: CheckpointErrorCode.ReadFailed } ? e.InnerException ?? e : null;

            return new ModelConfig(path)
            {
                Error = new CheckpointException(
                    failure is null ? CheckpointErrorCode.CheckpointCorrupt : CheckpointErrorCode.ReadFailed,
                    $"'{path}' does not give a usable architecture: {(failure ?? e).Message.TrimEnd('.')}. Correct the file, or name the architecture with -Architecture.",
                    path,
                    failure),
            };
        }
    }

    private static string ReadText(StoredFile file)
    {
        var length = file.Length;

        if (length is <= 0 or > MaxLength)
        {
            throw new FormatException(string.Create(CultureInfo.InvariantCulture, $"it is {length:N0} bytes long, and such files have only a few hundred"));
        }

        // Editors of Windows write UTF-16, too, with a mark at the beginning.
        using var text = new StreamReader(new MemoryStream(WholeFile.Read(file.Source)));
        return text.ReadToEnd();
    }

    /// <summary>Only 0.3 and 0.4 have them there.</summary>
    private static SpecialTokens FindSpecialTokens(ConfigNode root)
    {
        var vocabulary = FindFields(root)?.Child("vocab_info");
        return new SpecialTokens(Find("bos_idx"), Find("eos_idx"));

        ImmutableArray<int> Find(string name) => vocabulary?.Integer(name) is { } token ? [token] : [];
    }

    private static ConfigNode? FindFields(ConfigNode root) => root.Child("model_config") is { } config ? config.Child("_set_") ?? config : null;

    private static LlamaArchitecture? FindArchitecture(ConfigNode root, string path, string name, List<string> warnings)
    {
        if (root.Text("model_family") is { } family && family != Family)
        {
            throw new FormatException($"it names the model family '{family}', and this module supports only '{Family}'");
        }

        var origin = root.Text("model_arch") is { } known ? LlamaArchitectures.Find(known) : null;

        if (root.Text("base") is { } asset)
        {
            origin ??= LlamaArchitectures.TryFind(asset);

            if (origin is null)
            {
                // Anybody can define assets, and their definitions are elsewhere.
                warnings.Add($"'{path}' names the asset '{asset}', whose architecture is unknown.");
            }
        }

        var config = FindFields(root);

        if (config is null)
        {
            return origin;
        }

        var architecture = LlamaConfig.Read(config, origin, name);

        // Later uses, such as comparing or showing it, compute with numbers from the file.
        architecture.Validate();
        warnings.AddRange(config.Unknown.Select(key => $"'{path}' has '{key}', which is not a setting of a LLaMA and is ignored. Check the spelling."));
        return architecture;
    }
}
