using System.Management.Automation;

namespace Fairseq2Llama.Cmdlets;

/// <summary>Names of tensors, or wildcards for them, in the convention of whichever format.</summary>
internal sealed class TensorNamePatterns(IEnumerable<string> patterns)
{
    private readonly WildcardPattern[] _patterns = [.. patterns.Select(pattern => WildcardPattern.Get(pattern, WildcardOptions.IgnoreCase))];

    /// <summary>Whether any of the tensor's names matches any of them.</summary>
    public bool Match(CheckpointTensor tensor) => NamesOf(tensor).Any(name => Array.Exists(_patterns, pattern => pattern.IsMatch(name)));

    private static IEnumerable<string> NamesOf(CheckpointTensor tensor) =>
        new[] { tensor.Name, tensor.Fairseq2Name, tensor.ReferenceName, tensor.HuggingFaceName, tensor.GgufName }.OfType<string>().Distinct(StringComparer.Ordinal);
}
