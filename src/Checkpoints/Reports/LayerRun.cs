using System.Collections.Immutable;
using System.Globalization;

namespace Fairseq2Llama.Reports;

/// <summary>
/// Neighbouring layers that are as large as each other. A model has up to 126 layers and mostly one run, and an odd layer stands out.
/// </summary>
/// <param name="First">The first layer.</param>
/// <param name="Count">How many there are.</param>
/// <param name="Each">What each of them has.</param>
internal sealed record LayerRun(int First, int Count, ReportedPart Each)
{
    public string Name => Count == 1
        ? string.Create(CultureInfo.InvariantCulture, $"Layer {First}")
        : string.Create(CultureInfo.InvariantCulture, $"Layers {First} to {First + Count - 1}, each");

    public static ImmutableArray<LayerRun> AllOf(IEnumerable<ReportedLayer> layers)
    {
        var runs = new List<LayerRun>();

        foreach (var (layer, part) in layers)
        {
            if (runs is [.., var last] && layer == last.First + last.Count
                && part.Weights == last.Each.Weights && part.DTypes.SequenceEqual(last.Each.DTypes))
            {
                runs[^1] = last with { Count = last.Count + 1 };
            }
            else
            {
                runs.Add(new LayerRun(layer, 1, part));
            }
        }

        return [.. runs];
    }
}
