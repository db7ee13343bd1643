using Fairseq2Llama.Llama;

namespace Fairseq2Llama.Sharding;

/// <summary>Parses the names of tensors, each once: in a checkpoint of a thousand files each stands in all of them.</summary>
internal sealed class ParameterNames(NamingConvention convention)
{
    private readonly Dictionary<string, ParameterName> _parsed = new(StringComparer.Ordinal);

    public ParameterName Parse(string name) =>
        _parsed.TryGetValue(name, out var parsed) ? parsed : _parsed[name] = ParameterName.Parse(name, convention);
}
