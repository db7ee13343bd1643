using System.Collections.Immutable;
using System.Globalization;

namespace Fairseq2Llama.Reports;

/// <summary>A decoder layer.</summary>
/// <param name="Layer">Its index, from 0.</param>
/// <param name="Part">What it has.</param>
internal sealed record ReportedLayer(int Layer, ReportedPart Part)
{
    public static ImmutableArray<ReportedLayer> AllOf(IEnumerable<CheckpointTensor> tensors) =>
    [
        .. from tensor in tensors
           where tensor.Layer is not null
           group tensor by tensor.Layer!.Value into layer
           orderby layer.Key
           select new ReportedLayer(layer.Key, ReportedPart.Of(string.Create(CultureInfo.InvariantCulture, $"{layer.Key}"), [.. layer])),
    ];
}
