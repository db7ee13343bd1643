using System.Collections.Immutable;
using System.Globalization;
using Fairseq2Llama.Llama;
using Fairseq2Llama.Model;

namespace Fairseq2Llama.Comparison;

/// <summary>Puts compared tensors together by layer.</summary>
internal static class LayerComparisons
{
    /// <summary>Where a tensor is in a model; the order is that of the model.</summary>
    private enum Place
    {
        Embedding,
        Layer,
        FinalNorm,
        Output,
        Other,
    }

    /// <param name="tensors">The results, one for each tensor.</param>
    /// <param name="reference">The name of the one checkpoint.</param>
    /// <param name="difference">The name of the other.</param>
    public static ImmutableArray<LayerComparison> Of(IEnumerable<TensorComparison> tensors, string reference, string difference) =>
    [
        .. from tensor in tensors
           group tensor by (Place: PlaceOf(tensor), tensor.Layer) into layer
           orderby layer.Key.Place, layer.Key.Layer
           select new LayerComparison
           {
               Name = NameOf(layer.Key.Place, layer.Key.Layer),
               Reference = reference,
               Difference = difference,
               Layer = layer.Key.Layer,
               TensorCount = layer.Count(),
               Equal = layer.Count(tensor => tensor.Result == ComparisonResult.Equal),
               MaxAbsoluteDifference = layer.Max(tensor => tensor.MaxAbsoluteDifference),
               NormOfDifference = Norms.Together(layer.Select(tensor => tensor.NormOfDifference)),
               ReferenceNorm = Norms.Together(layer.Select(tensor => tensor.ReferenceNorm)),
           },
    ];

    /// <summary>Tensors that are what the model has: an output that is tied to the embedding on both sides is the same weights once more.</summary>
    public static IReadOnlyList<TensorComparison> WithoutTiedOutput(ImmutableArray<TensorComparison> tensors)
    {
        var embedding = tensors.FirstOrDefault(tensor => PlaceOf(tensor) == Place.Embedding);

        return embedding is null
            ? tensors
            : [.. tensors.Where(tensor => PlaceOf(tensor) != Place.Output || !AreTied(tensor, embedding))];
    }

    private static bool AreTied(TensorComparison output, TensorComparison embedding) =>
        IsTied(output.ReferenceTensor, embedding.ReferenceTensor) && IsTied(output.DifferenceTensor, embedding.DifferenceTensor);

    /// <summary>Where a checkpoint has no output, it was compared by its embedding.</summary>
    private static bool IsTied(CheckpointTensor? output, CheckpointTensor? embedding) =>
        output is not null && embedding is not null && (output == embedding || SharedStorage.IsOutputTied([embedding, output]));

    private static Place PlaceOf(TensorComparison tensor) => tensor.Layer is not null
        ? Place.Layer
        : ParameterName.Parse(tensor.Name, NamingConvention.Fairseq2).Module?.Kind switch
        {
            ParameterKind.Embedding => Place.Embedding,
            ParameterKind.Norm => Place.FinalNorm,
            ParameterKind.Output => Place.Output,
            _ => Place.Other,
        };

    private static string NameOf(Place place, int? layer) => place switch
    {
        Place.Embedding => "embedding",
        Place.Layer => string.Create(CultureInfo.InvariantCulture, $"layer {layer}"),
        Place.FinalNorm => "final norm",
        Place.Output => "output",
        _ => "other",
    };
}
