using System.Collections.Immutable;
using System.Globalization;
using System.Text.RegularExpressions;
using Fairseq2Llama.Stores;

namespace Fairseq2Llama.Merging;

/// <summary>
/// PEFT's adapter_config.json: LoraConfig of peft/tuners/lora/config.py, 0.3 to 0.20, as JSON. What changes weights in another way than by the product of two matrices is refused by name.
/// </summary>
internal sealed class PeftConfig
{
    public const string FileName = "adapter_config.json";

    /// <summary>The base model was changed when the adapter was made, so that the adapter does not fit the one that was published.</summary>
    private static readonly string[] ChangingInits = ["pissa", "olora", "corda", "loftq", "lora_ga"];

    /// <summary>Settings that must be absent, null, false or empty, and what they do.</summary>
    private static readonly (string Key, string Meaning)[] Refused =
    [
        ("use_dora", "DoRA scales the rows of the weights as well"),
        ("use_qalora", "QA-LoRA pools the inputs of the weights"),
        ("use_bdlora", "its matrices are block-diagonal"),
        ("kasa_config", "KaSA truncates the base model"),
        ("monteclora_config", "MonteCLoRA draws its matrices at random"),
        ("arrow_config", "Arrow chooses between adapters for each token"),
        ("alora_invocation_tokens", "activated LoRA applies to some tokens only"),
        ("layer_replication", "the model has copies of layers"),
        ("target_parameters", "parameters of a mixture of experts are adapted"),
        ("trainable_token_indices", "single rows of the embeddings are replaced"),
        ("megatron_config", "it is of a model in Megatron's layout"),
        ("enable_lora", "it is of a merged projection of queries, keys and values"),
        ("ensure_weight_tying", "one adapter is meant for the embeddings and for the output"),
        ("lora_bias", "LLaMA has no biases that lora_B's could be added to"),
    ];

    /// <summary>Settings that are used, or that say nothing about how weights are merged.</summary>
    private static readonly string[] Known =
    [
        "peft_type", "r", "lora_alpha", "use_rslora", "rank_pattern", "alpha_pattern", "init_lora_weights", "task_type", "inference_mode", "base_model_name_or_path", "auto_mapping", "revision",
        "peft_version", "lora_dropout", "merge_weights", "fan_in_fan_out", "bias", "target_modules", "exclude_modules", "modules_to_save", "layers_to_transform", "layers_pattern",
        "megatron_core", "loftq_config", "eva_config", "corda_config", "lora_ga_config", "velora_config", "qalora_group_size", "runtime_config",
    ];

    private readonly JsonSettings _settings;
    private readonly ImmutableArray<(Regex Pattern, double Value)> _ranks;
    private readonly ImmutableArray<(Regex Pattern, double Value)> _alphas;
    private readonly double _rank;
    private readonly double _alpha;
    private readonly bool _isRankStabilized;

    private PeftConfig(JsonSettings settings)
    {
        _settings = settings;
        RequireLora();
        _rank = NumberOr("r", 8);
        _alpha = NumberOr("lora_alpha", 8);
        _isRankStabilized = settings.Flag("use_rslora") ?? false;
        _ranks = PatternsOf("rank_pattern");
        _alphas = PatternsOf("alpha_pattern");
    }

    /// <exception cref="CheckpointException">It can't be read, or is of another kind of adapter.</exception>
    public static PeftConfig Read(IByteSource source) => new(JsonSettings.Read(source));

    /// <summary>A newer PEFT may have other ways to adapt weights.</summary>
    public ImmutableArray<string> Warnings => _settings.Names.Where(name => !Known.Contains(name) && IsSet(name)).ToArray() is { Length: > 0 } unknown
        ? [$"'{_settings.File}' has settings that are not known here: {string.Join(", ", unknown.Select(name => $"'{name}'"))}. If they change how weights are computed, the merged ones are wrong."]
        : [];

    /// <summary>The rank that a module's matrices should have.</summary>
    /// <param name="module">Its path in the base model.</param>
    public double RankOf(string module) => Find(_ranks, module) ?? _rank;

    /// <summary>The factor of a module's product: alpha / r, or alpha / sqrt(r) with use_rslora (update_layer in peft/tuners/lora/layer.py).</summary>
    /// <param name="module">Its path in the base model.</param>
    public double ScaleOf(string module) => (Find(_alphas, module) ?? _alpha) / (_isRankStabilized ? Math.Sqrt(RankOf(module)) : RankOf(module));

    /// <summary>A number, or the default of LoraConfig.</summary>
    private double NumberOr(string key, double usual) => (_settings.Number(key) ?? usual) is var number && double.IsFinite(number)
        ? number
        : throw Refuse($"its '{key}' is no finite number", "Save it with PEFT's save_pretrained.");

    private void RequireLora()
    {
        if (_settings.Text("peft_type") is not "LORA" and var type)
        {
            throw Refuse(type is null ? "it has no peft_type" : $"its peft_type is '{type}'", "Only adapters of the type LORA can be merged.");
        }

        foreach (var (key, meaning) in Refused)
        {
            if (IsSet(key))
            {
                throw Refuse($"it has '{key}': {meaning}", "Merge it with PEFT (merge_and_unload).");
            }
        }

        if (_settings.KindOf("init_lora_weights") == System.Text.Json.JsonValueKind.String && _settings.Text("init_lora_weights") is { } init
            && ChangingInits.FirstOrDefault(name => init.StartsWith(name, StringComparison.OrdinalIgnoreCase)) is not null)
        {
            throw Refuse(
                $"its init_lora_weights is '{init}', which changes the weights of the base model when an adapter is made",
                "Convert it with PEFT (save_pretrained with path_initial_model_for_weight_conversion) to one that fits the original base.");
        }
    }

    private bool IsSet(string key) => _settings.KindOf(key) switch
    {
        System.Text.Json.JsonValueKind.Undefined or System.Text.Json.JsonValueKind.Null or System.Text.Json.JsonValueKind.False => false,
        System.Text.Json.JsonValueKind.Array => !_settings.IsEmptyList(key),
        System.Text.Json.JsonValueKind.Object => _settings.Find(key)!.Names.Any(),
        _ => true,
    };

    /// <summary>
    /// A key is a regular expression for the end of a module's path, or for all of it (get_pattern_key in peft/utils/other.py since 0.15); of several that match, the first counts.
    /// </summary>
    private ImmutableArray<(Regex Pattern, double Value)> PatternsOf(string name) => _settings.Find(name) is not { } patterns ? [] :
    [
        .. from key in patterns.Names
           select (ToRegex(key), patterns.Number(key) ?? throw Refuse($"'{key}' of its {name} has no number", "Correct it.")),
    ];

    private Regex ToRegex(string key)
    {
        try
        {
            // Without backtracking, no pattern takes longer than its text is long.
            return new Regex($@"\A(.*\.)?({key})\z", RegexOptions.NonBacktracking | RegexOptions.CultureInvariant);
        }
        catch (Exception e) when (e is ArgumentException or NotSupportedException)
        {
            throw Refuse($"'{key}' is no regular expression, or one that takes backtracking", "Replace it by the name of a module.");
        }
    }

    private static double? Find(ImmutableArray<(Regex Pattern, double Value)> patterns, string module)
    {
        foreach (var (pattern, value) in patterns)
        {
            if (pattern.IsMatch(module))
            {
                return value;
            }
        }

        return null;
    }

    private CheckpointException Refuse(string problem, string remedy) =>
        new(CheckpointErrorCode.AdapterUnsupported, string.Create(CultureInfo.InvariantCulture, $"The adapter of '{_settings.File}' can't be merged: {problem}. {remedy}"), _settings.File);
}
