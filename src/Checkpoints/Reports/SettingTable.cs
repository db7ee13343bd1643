using System.Collections.Immutable;
using System.Globalization;
using Fairseq2Llama.Llama;
using Fairseq2Llama.Model;

namespace Fairseq2Llama.Reports;

/// <summary>Holds every number of an architecture against what the shapes say.</summary>
internal sealed class SettingTable
{
    private readonly LlamaArchitecture? _architecture;
    private readonly ImmutableArray<CheckpointTensor> _parameters;

    private SettingTable(IEnumerable<CheckpointTensor> tensors, LlamaArchitecture? architecture)
    {
        _architecture = architecture;
        _parameters = [.. tensors.Where(tensor => tensor.ParsedName.Parameter is not null)];
    }

    public static ImmutableArray<ReportedSetting> Of(IEnumerable<CheckpointTensor> tensors, LlamaArchitecture? architecture) =>
        new SettingTable(tensors, architecture).Rows();

    private ImmutableArray<ReportedSetting> Rows()
    {
        var layers = _parameters.Max(tensor => (long?)tensor.Layer) + 1;

        return
        [
            Row(nameof(LlamaArchitecture.NumLayers), told => told.NumLayers, layers is { } count ? [count] : []),
            Row(nameof(LlamaArchitecture.ModelDim), told => told.ModelDim, SizesOf(LlamaDim.ModelDim)),
            Row(nameof(LlamaArchitecture.VocabSize), told => told.VocabSize, SizesOf(LlamaDim.VocabSize)),
            Row(nameof(LlamaArchitecture.FfnInnerDim), told => told.FfnInnerDim, SizesOf(LlamaDim.FfnInnerDim)),
            Row(nameof(LlamaArchitecture.KeyValueDim), told => told.KeyValueDim, SizesOf(LlamaDim.KeyValueDim)),
            Row(
                nameof(LlamaArchitecture.HeadDim),
                told => told.HeadDim,
                _parameters.Select(tensor => (long?)tensor.HalfSplitHeadDim).OfType<long>()),
            Untold(nameof(LlamaArchitecture.NumAttnHeads), told => told.NumAttnHeads),
            Untold(nameof(LlamaArchitecture.NumKeyValueHeads), told => told.NumKeyValueHeads),
            TiedRow(),
            Untold(nameof(LlamaArchitecture.MaxSeqLen), told => told.MaxSeqLen),
            Untold(nameof(LlamaArchitecture.RopeTheta), told => told.RopeTheta),
            Untold(nameof(LlamaArchitecture.RopeScaleFactor), told => told.RopeScaleFactor),
            Untold(nameof(LlamaArchitecture.NormEps), told => told.NormEps),
        ];
    }

    private IEnumerable<long> SizesOf(LlamaDim dim) =>
        from tensor in _parameters
        let dims = tensor.ParsedName.Parameter!.Dims
        where dims.Length == tensor.Shape.Count
        from pair in dims.Zip(tensor.Shape.Sizes)
        where pair.First == dim
        select pair.Second;

    private ReportedSetting Row(string name, Func<LlamaArchitecture, long> tell, IEnumerable<long> found)
    {
        long[] sizes = [.. found.Distinct()];
        var expected = _architecture is null ? null : (long?)tell(_architecture);
        var verdict = sizes.Length == 0 || expected is null ? SettingVerdict.Untold
            : sizes.All(size => size == expected) ? SettingVerdict.Agrees
            : SettingVerdict.Differs;

        var shown = sizes.Length == 0 ? null : string.Join(", ", sizes.Select(size => Show(size)));
        return new ReportedSetting(name, Show(expected), shown, verdict);
    }

    private ReportedSetting Untold(string name, Func<LlamaArchitecture, double?> tell) =>
        new(name, _architecture is null ? null : Show(tell(_architecture)) ?? "none", null, SettingVerdict.Untold);

    /// <summary>fairseq2 before 0.5 saved tied models as two tensors, so that there are two proves nothing.</summary>
    private ReportedSetting TiedRow()
    {
        var hasOutput = _parameters.Any(tensor => tensor.ParsedName.Parameter == LlamaParameter.Output);
        var isShared = SharedStorage.IsOutputTied(_parameters);

        var found = !hasOutput ? "no output projection" : isShared ? "one storage for both" : "two tensors";
        var verdict = _architecture?.TiedEmbeddings switch
        {
            true when !hasOutput || isShared => SettingVerdict.Agrees,
            false when !hasOutput => SettingVerdict.Differs,
            false when !isShared => SettingVerdict.Agrees,
            _ => SettingVerdict.Untold,
        };

        var expected = _architecture is null ? null : _architecture.TiedEmbeddings ? "yes" : "no";
        return new ReportedSetting(nameof(LlamaArchitecture.TiedEmbeddings), expected, found, verdict);
    }

    private static string? Show(double? number) => number?.ToString(CultureInfo.InvariantCulture).Replace('E', 'e');
}
