using System.Collections.Immutable;
using Fairseq2Llama.Llama;

namespace Fairseq2Llama.Reports;

/// <summary>The weights of one module in all layers, or of one outside of them.</summary>
/// <param name="Name">What the checkpoint calls it, within a layer where it is in one.</param>
/// <param name="Parameter">What its weights are.</param>
/// <param name="Tensors">What its tensors are like, layer by layer.</param>
internal sealed record ModuleStatistics(string Name, LlamaParameter Parameter, ImmutableArray<TensorStatistics> Tensors)
{
    public static ImmutableArray<ModuleStatistics> AllOf(IEnumerable<(CheckpointTensor Tensor, TensorStatistics Statistics)> measured) =>
    [
        .. from item in measured
           where item.Tensor.ParsedName.Parameter is not null
           group item by item.Tensor.ParsedName.Parameter into module
           orderby LlamaParameter.All.IndexOf(module.Key)
           select new ModuleStatistics(
               NameIn(module.Key, module.First().Tensor.ParsedName.Convention),
               module.Key,
               [.. module.Select(item => item.Statistics).OrderBy(item => item.Layer)]),
    ];

    private static string NameIn(LlamaParameter parameter, NamingConvention convention) =>
        convention.PrefixOf(parameter).Replace(convention.LayersPrefix, "", StringComparison.Ordinal).TrimEnd('.');
}
