using System.Collections.Frozen;
using System.Collections.Immutable;
using Fairseq2Llama.Llama;
using Fairseq2Llama.TorchFiles;

namespace Fairseq2Llama.Distributed;

/// <summary>
/// Which tensors of a training state are the model, and whose names they have. Trainers save their model under their own names or Hugging Face's, with the state
/// of the optimizer or without it, and below prefixes of any kind.
/// </summary>
/// <param name="Convention">Whose names they are, and so in which order the rows of rotary pairs are.</param>
/// <param name="Tensors">The tensors of the model: the key of each, and its name without the prefix.</param>
/// <param name="OthersCount">How many other tensors there are.</param>
/// <param name="Prefix">What all of its names begin with, and that was removed.</param>
/// <param name="OtherPrefixes">The prefixes of as many other names that could be those of the model, too: a copy of it.</param>
internal sealed record ModelNames(
    NamingConvention Convention, ImmutableArray<(string Key, ParameterName Name)> Tensors, int OthersCount, string Prefix, ImmutableArray<string> OtherPrefixes)
{
    /// <summary>What trainers save beside a model that has no prefix: torchtitan's components/checkpoint.py, and what people add under similar names.</summary>
    private static readonly FrozenSet<string> Others = new[]
    {
        "lr_scheduler", "lr_schedulers", "scheduler", "schedulers", "train_state", "dataloader", "rng", "rng_state",
    }.ToFrozenSet(StringComparer.Ordinal);

    /// <summary>Names of newer versions of torchtitan, and what Meta's format has for them.</summary>
    private static readonly (string New, string Old)[] TorchTitanNames = [(".attention.qkv_linear.", ".attention."), ("lm_head.", "output.")];

    private static readonly NamingConvention[] Conventions = [NamingConvention.Reference, NamingConvention.HuggingFace, NamingConvention.Fairseq2];

    /// <param name="keys">The names of all tensors.</param>
    /// <returns>Null if none of them is a parameter of LLaMA.</returns>
    public static ModelNames? Of(IReadOnlyCollection<string> keys)
    {
        var candidates = (
            from key in keys
            let name = KeyPrefixes.Strip(key)
            where !IsOfOptimizer(name) && !Others.Contains(name.Split('.')[0])
            select (key, name)).ToArray();

        // Any prefix with which a name becomes that of a parameter is possible; the right one is that of the most names. Copies of the model, such as averages,
        // have longer ones.
        var possible = (
            from convention in Conventions
            from candidate in candidates
            from prefix in PrefixesOf(candidate.name, convention)
            group candidate by (convention, prefix) into votes
            let count = votes.Count()
            orderby count descending, votes.Key.prefix.Length, votes.Key.prefix
            select (votes.Key.convention, votes.Key.prefix, count)).ToArray();

        if (possible is not [var best, .. var rest])
        {
            return null;
        }

        ImmutableArray<(string, ParameterName)> tensors =
        [
            .. from candidate in candidates
               where candidate.name.StartsWith(best.prefix, StringComparison.Ordinal)
               let name = Parse(candidate.name[best.prefix.Length..], best.convention)
               orderby ModuleOrder.Of(name, NamingConvention.Fairseq2)
               select (candidate.key, name),
        ];

        return new ModelNames(
            best.convention, tensors, keys.Count - tensors.Length, best.prefix, [.. from other in rest where other.count == best.count select other.prefix]);
    }

    /// <summary>Whether a tensor is of the state of an optimizer: <c>optimizer.state.…</c>, <c>optimizer_0.…</c>, <c>optim.…</c></summary>
    public static bool IsOfOptimizer(string name) => name.StartsWith("optim", StringComparison.Ordinal);

    private static IEnumerable<string> PrefixesOf(string name, NamingConvention convention)
    {
        for (var start = 0; start < name.Length; start = name.IndexOf('.', start) is >= 0 and var dot ? dot + 1 : name.Length)
        {
            if (Parse(name[start..], convention).Parameter is not null)
            {
                yield return name[..start];
            }
        }
    }

    private static ParameterName Parse(string name, NamingConvention convention)
    {
        if (convention == NamingConvention.Reference)
        {
            foreach (var (newer, older) in TorchTitanNames)
            {
                name = newer[0] == '.' ? name.Replace(newer, older, StringComparison.Ordinal)
                    : name.StartsWith(newer, StringComparison.Ordinal) ? older + name[newer.Length..]
                    : name;
            }
        }

        return ParameterName.Parse(name, convention);
    }
}
