namespace Fairseq2Llama.Fairseq2;

/// <summary>
/// Removes from a parameter's name what PyTorch's module wrappers leave in it. Any of them can stand anywhere in the path but for
/// DDP's, which wraps the whole model and so comes first.
/// </summary>
internal static class KeyPrefixes
{
    private const string DistributedDataParallel = "module.";

    private static readonly string[] Anywhere =
    [
        "_orig_mod.", // torch.compile
        "_checkpoint_wrapped_module.", // activation checkpointing
        "_fsdp_wrapped_module.", // FullyShardedDataParallel
    ];

    public static string Strip(string name)
    {
        foreach (var prefix in Anywhere)
        {
            for (var place = FindComponent(name, prefix); place >= 0; place = FindComponent(name, prefix))
            {
                name = name.Remove(place, prefix.Length);
            }
        }

        return name.StartsWith(DistributedDataParallel, StringComparison.Ordinal) ? name[DistributedDataParallel.Length..] : name;
    }

    private static int FindComponent(string name, string prefix)
    {
        if (name.StartsWith(prefix, StringComparison.Ordinal))
        {
            return 0;
        }

        var place = name.IndexOf('.' + prefix, StringComparison.Ordinal);
        return place < 0 ? -1 : place + 1;
    }
}
