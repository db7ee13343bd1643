using System.Collections;
using System.Collections.Specialized;
using System.Management.Automation;

namespace Fairseq2Llama.Cmdlets;

/// <summary>Exports a checkpoint to a GGUF file, for llama.cpp and programs that are based on it.</summary>
[Cmdlet(VerbsData.Export, "LlamaGgufCheckpoint", DefaultParameterSetName = PathSet, SupportsShouldProcess = true)]
[OutputType(typeof(LlamaGgufCheckpoint), typeof(ExportedShard))]
public sealed class ExportLlamaGgufCheckpointCommand : ShardedExportCommand
{
    /// <summary>A command whose destination is a file.</summary>
    public ExportLlamaGgufCheckpointCommand()
        : base("a file", "{ \"out/$($_.Name).gguf\" }")
    {
    }

    /// <summary>
    /// The element type of the weights, but for norms, which are always float32: Q8_0 quantizes them as llama.cpp does, the others round as PyTorch does. Each keeps
    /// its type when absent.
    /// </summary>
    [Parameter]
    [CastType(TakesQuantized = true)]
    [ValidateSet(nameof(Fairseq2Llama.DType.Float32), nameof(Fairseq2Llama.DType.Float16), nameof(Fairseq2Llama.DType.BFloat16), nameof(Fairseq2Llama.DType.Q8_0))]
    public override DType? DType { get; set; }

    /// <summary>How many bytes of tensors one file may hold; one file for all when absent. A tensor that is larger gets a file of its own.</summary>
    [Parameter]
    [ValidateRange(1, long.MaxValue)]
    public long? MaxShardSize { get; set; }

    /// <summary>A folder with the files of a tokenizer, or one of them; that beside the checkpoint, or in it, when absent.</summary>
    [Parameter]
    [ValidateNotNullOrEmpty]
    public string? TokenizerPath { get; set; }

    /// <summary>Values for keys that begin with <c>general.</c>, with or without that: <c>@{ name = 'Stories'; license = 'mit' }</c>.</summary>
    [Parameter]
    [ValidateNotNull]
    public IDictionary Metadata { get; set; } = new Hashtable();

    private protected override CheckpointAddress FolderOf(CheckpointAddress destination) => destination.Parent;

    private protected override ExportOptions MakeOptions(CheckpointAddress destination) => new GgufExportOptions
    {
        FileName = destination.Name,
        MaxShardSize = MaxShardSize,
        TokenizerPath = TokenizerPath is null ? null : ResolveTokenizer(TokenizerPath),
        Metadata = [.. InOrder(Metadata).Select(entry => KeyValuePair.Create($"{entry.Key}", Unwrap(entry.Value)))],
    };

    /// <summary>A hashtable has another order in each process, and the same export must give the same file.</summary>
    private static IEnumerable<DictionaryEntry> InOrder(IDictionary metadata) => metadata is IOrderedDictionary
        ? metadata.Cast<DictionaryEntry>()
        : metadata.Cast<DictionaryEntry>().OrderBy(entry => $"{entry.Key}", StringComparer.Ordinal);

    private static object Unwrap(object? value) => value is PSObject wrapped ? wrapped.BaseObject : value ?? "";
}
