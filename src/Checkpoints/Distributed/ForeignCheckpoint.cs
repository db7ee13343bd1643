using System.Text.RegularExpressions;
using Fairseq2Llama.Stores;

namespace Fairseq2Llama.Distributed;

/// <summary>Recognizes by the names of their files what other programs save in training, to say what makes of it a checkpoint that can be read.</summary>
internal static partial class ForeignCheckpoint
{
    private const int MaxDepth = 1, MaxFolders = 20;

    /// <summary>What Megatron's own use of the format is, and what to do.</summary>
    public const string OfMegatronCore = "a distributed checkpoint of Megatron, which fuses the query, key and value projections and stacks layers. Convert it with Megatron Bridge or with"
        + " tools/checkpoint/convert.py of Megatron-LM, and read the result.";

    /// <summary>What a folder holds, and what to do; follows its path in a message. Null if it is nothing known, or can't be looked into.</summary>
    public static string? Describe(ICheckpointFolder folder) => Describe(folder, MaxDepth);

    private static string? Describe(ICheckpointFolder folder, int depth)
    {
        try
        {
            return folder.CanList ? Recognize(folder, depth) : null;
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            // Something else is wrong with the checkpoint, and that is what should be said.
            return null;
        }
    }

    private static string? Recognize(ICheckpointFolder folder, int depth)
    {
        string[] files = [.. folder.FileNames], folders = [.. folder.FolderNames.Order(StringComparer.Ordinal)];

        return
            files.Any(OfVerl().IsMatch)
                ? "holds the files of verl or SkyRL, one of each rank. Merge them with 'python -m verl.model_merger merge --backend fsdp', and read the result."
            : IsOfMegatronCore(folder)
                ? $"holds {OfMegatronCore}"
            : folders.Any(OfMegatron().IsMatch) || files.Contains("latest_checkpointed_iteration.txt")
                ? "holds a checkpoint of Megatron-LM. Convert it with its tools/checkpoint/convert.py, and read the result."
            : files.Any(OfDeepSpeed().IsMatch) || files.Contains("zero_to_fp32.py")
                ? "holds a checkpoint of DeepSpeed. Merge it with the zero_to_fp32.py that DeepSpeed puts beside it, and read the result."
            : files.Contains("metadata.pkl")
                ? "holds a checkpoint of PyTorch's experimental second version of Distributed Checkpoint. Load it with PyTorch, and save it with torch.distributed.checkpoint.save."
            : files.Contains("adapter_config.json")
                ? "holds an adapter of PEFT, not a model. Merge it with the model that it was trained on: 'Merge-LlamaLora' does that, with this folder as its -AdapterPath."
            : folders.Any(OfSteps().IsMatch)
                ? $"holds the steps of a training run. Give the path of one of them, such as '{LastStepOf(folder, folders)}'."
            : depth > 0 ? DescribeInner(folder, folders, depth)
            : null;
    }

    /// <summary>People give the folder around a checkpoint, too.</summary>
    private static string? DescribeInner(ICheckpointFolder folder, string[] folders, int depth)
    {
        ICheckpointFolder[] inner = [.. folders.Where(name => !ModelNames.IsOfOptimizer(name)).Take(MaxFolders).Select(folder.Folder)];

        return Array.Find(inner, DistributedLayout.IsIn) is { } checkpoint
            ? $"holds no checkpoint itself, but there is one in '{checkpoint.Path}'. Give the path of that folder."
            : inner.Select(place => Describe(place, depth - 1) is { } said ? $"holds no checkpoint itself, but '{place.Path}' {said}" : null).FirstOrDefault(said => said is not null);
    }

    /// <summary>Whether a folder holds Megatron's own use of the format: its metadata.json names the program that writes (dist_checkpointing/core.py).</summary>
    public static bool IsOfMegatronCore(ICheckpointFolder folder)
    {
        try
        {
            return folder.HasFile("metadata.json") && JsonSettings.Read(folder.SourceOf("metadata.json")).Names.Contains("sharded_backend");
        }
        catch (CheckpointException)
        {
            // Whatever it is, it is not Megatron's.
            return false;
        }
    }

    /// <summary>Looks for tensors that are made of several parameters, so that a model can't be put together from them.</summary>
    /// <param name="folder">The checkpoint.</param>
    /// <param name="names">The names of its tensors.</param>
    /// <exception cref="CheckpointException">There are some.</exception>
    public static void RequireParameters(ICheckpointFolder folder, IReadOnlyCollection<string> names)
    {
        foreach (var name in names.Where(name => !ModelNames.IsOfOptimizer(name)))
        {
            var what = name[(name.LastIndexOf('.') + 1)..] is "_flat_param" or "flat_param" or "flat_param_0"
                    ? "flattened parameters, as FSDP saves them with LOCAL_STATE_DICT. Load it with the program that saved it, and save it with SHARDED_STATE_DICT or FULL_STATE_DICT."
                : name.EndsWith(".qkv_linear.wqkv.weight", StringComparison.Ordinal)
                    ? "fused query, key and value projections, as torchtitan saved them in spring 2026. Load it with a newer torchtitan, which saves them separately, or convert it with its"
                        + " scripts/checkpoint_conversion/convert_to_hf.py."
                : name.Contains(".linear_qkv.", StringComparison.Ordinal)
                    ? "the fused projections of Megatron. Convert it with Megatron Bridge or with tools/checkpoint/convert.py of Megatron-LM, and read the result."
                : null;

            if (what is not null)
            {
                throw new CheckpointException(CheckpointErrorCode.UnsupportedTensor, $"'{folder.Path}' holds '{name}': {what}", folder.Path);
            }
        }
    }

    /// <summary>The last one that was saved to its end, if there is one.</summary>
    private static string LastStepOf(ICheckpointFolder folder, string[] folders)
    {
        ICheckpointFolder[] steps = [.. folders.Where(name => OfSteps().IsMatch(name)).OrderBy(name => name.Length).ThenBy(name => name, StringComparer.Ordinal).Select(folder.Folder)];
        var last = Array.FindLast(steps, step => step.HasFile(DistributedLayout.MarkerName)) ?? steps[^1];
        return (DistributedLayout.IsIn(last) ? last : last.FolderNames.Where(name => !ModelNames.IsOfOptimizer(name)).Select(last.Folder).FirstOrDefault(DistributedLayout.IsIn) ?? last).Path;
    }

    [GeneratedRegex(@"^model_world_size_[0-9]+_rank_[0-9]+\.pt\z", RegexOptions.CultureInvariant)]
    private static partial Regex OfVerl();

    [GeneratedRegex(@"^(mp_rank_[0-9]+(_[0-9]+)?|iter_[0-9]{7})\z", RegexOptions.CultureInvariant)]
    private static partial Regex OfMegatron();

    [GeneratedRegex(@"^(mp_rank_[0-9]+_model_states|(bf16_)?zero_pp_rank_[0-9]+_mp_rank_[0-9]+_(optim|model)_states)\.pt\z", RegexOptions.CultureInvariant)]
    private static partial Regex OfDeepSpeed();

    [GeneratedRegex(@"^(step|checkpoint)-[0-9]+\z", RegexOptions.CultureInvariant)]
    private static partial Regex OfSteps();
}
