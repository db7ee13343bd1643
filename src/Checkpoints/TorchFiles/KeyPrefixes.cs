namespace Fairseq2Llama.TorchFiles;

/// <summary>
/// Removes from a parameter's name what PyTorch's module wrappers leave in it. Any of them can stand anywhere in the path but for
/// DDP's, which wraps the whole model and so comes first.
/// </summary>
internal static class KeyPrefixes
{
    private const string DistributedDataParallel = "module";

    private static readonly string[] Anywhere =
    [
        "_orig_mod", // torch.compile
        "_checkpoint_wrapped_module", // activation checkpointing
        "_fsdp_wrapped_module", // FullyShardedDataParallel
    ];

    public static string Strip(string name)
    {
        if (!Anywhere.Any(name.Contains) && !name.StartsWith(DistributedDataParallel, StringComparison.Ordinal))
        {
            return name;
        }

        var components = name.Split('.').Where(component => !Anywhere.Contains(component)).ToArray();

        return string.Join('.', components is [DistributedDataParallel, .. var rest] ? rest : components);
    }
}
