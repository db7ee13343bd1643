using System.Globalization;
using System.Text.RegularExpressions;
using Fairseq2Llama.Stores;

namespace Fairseq2Llama.Distributed;

/// <summary>The name of a checkpoint: that of its run, and the step. Those of its own folder are the same in every run.</summary>
/// <param name="Model">The name of the run, or of the folder.</param>
/// <param name="Step">The training step, if the path shows it.</param>
internal sealed partial record DistributedName(string Model, long? Step)
{
    private static readonly string[] OfSteps = ["checkpoint", "checkpoints", "ckpt", "ckpts"];

    /// <summary>The name with the step: <c>outputs@1000</c>.</summary>
    public string Text => Step is { } step ? string.Create(CultureInfo.InvariantCulture, $"{Model}@{step}") : Model;

    /// <param name="folder">The folder with the metadata.</param>
    public static DistributedName Of(ICheckpointFolder folder)
    {
        // Those of accelerate and of this format's writer for Hugging Face are inside of the checkpoint.
        var checkpoint = InCheckpoint().IsMatch(folder.Name) && HasName(folder.Parent) ? folder.Parent! : folder;

        if (StepFolder().Match(checkpoint.Name) is not { Success: true } match
            || !long.TryParse(match.Groups["step"].ValueSpan, NumberStyles.None, CultureInfo.InvariantCulture, out var step))
        {
            return new DistributedName(checkpoint.Name, null);
        }

        var run = checkpoint.Parent is { } steps && OfSteps.Contains(steps.Name, StringComparer.OrdinalIgnoreCase) && HasName(steps.Parent) ? steps.Parent : checkpoint.Parent;
        return new DistributedName(HasName(run) ? run!.Name : checkpoint.Name, step);
    }

    private static bool HasName(ICheckpointFolder? folder) => !string.IsNullOrEmpty(folder?.Name);

    [GeneratedRegex(@"^(pytorch_model_fsdp(_[0-9]+)?|sharded)\z", RegexOptions.CultureInvariant)]
    private static partial Regex InCheckpoint();

    /// <summary>step-1000 of torchtitan, checkpoint-1000 of transformers' Trainer, epoch=3-step=1000.ckpt of Lightning.</summary>
    [GeneratedRegex(@"^((step|checkpoint|global_step)[-_]?|(.+-)?step=)(?<step>[0-9]+)(\.ckpt)?\z", RegexOptions.CultureInvariant)]
    private static partial Regex StepFolder();
}
