using System.Management.Automation;
using System.Text;

namespace Fairseq2Llama.Cmdlets;

/// <summary>A command that exports a checkpoint, whatever the format: it plans, shows the plan, asks, carries it out and returns the result.</summary>
public abstract class ExportCommand : DestinationCmdlet
{
    private readonly Dictionary<string, (CheckpointAddress Destination, List<CheckpointTensor> Tensors)> _tensors = new(StringComparer.Ordinal);
    private readonly WrittenPaths _written;

    /// <summary>A command whose destination is a folder, unless it says otherwise.</summary>
    /// <param name="place">The thing that each checkpoint needs, for a message.</param>
    /// <param name="example">A script block that gives each one its own.</param>
    private protected ExportCommand(string place = "a folder", string example = "{ \"out/$($_.Name)\" }") => _written = new WrittenPaths(place, example);

    /// <summary>
    /// The element type to cast floating-point tensors to, rounding as PyTorch does; they stay as they are when absent. Numbers that become
    /// Inf are warned of.
    /// </summary>
    [Parameter]
    [CastType]
    [ValidateSet(nameof(Fairseq2Llama.DType.Float32), nameof(Fairseq2Llama.DType.Float16), nameof(Fairseq2Llama.DType.BFloat16))]
    public virtual DType? DType { get; set; }

    /// <summary>Carries tensors over that LLaMA does not have, with a warning for each.</summary>
    [Parameter]
    public SwitchParameter AllowUnmapped { get; set; }

    /// <summary>How much to check.</summary>
    [Parameter]
    public VerificationMode Verification { get; set; }

    /// <summary>
    /// Also writes checkpoint-manifest.json: the hashes of all files and tensors, which are computed while the data passes, what they were made from, and how.
    /// </summary>
    [Parameter]
    public SwitchParameter Manifest { get; set; }

    /// <summary>Replaces the files of an earlier export; other files in the folder stay.</summary>
    [Parameter]
    public SwitchParameter Force { get; set; }

    /// <summary>
    /// Waits until the files are on the disk before they are put in place, for them to outlast a loss of power; slow, and done anyway
    /// where files of an earlier export are replaced.
    /// </summary>
    [Parameter]
    public SwitchParameter Flush { get; set; }

    /// <summary>The tensors of a checkpoint that are left after filtering; exported together at the end of the pipeline.</summary>
    [Parameter(Mandatory = true, ValueFromPipeline = true, ParameterSetName = ItemSet)]
    [ValidateNotNullOrEmpty]
    public CheckpointTensor[] Tensor { get; set; } = [];

    /// <summary>The shards to be written, if other jobs write the others; otherwise empty.</summary>
    private protected virtual int[] JobShards => [];

    /// <summary>Whether this is the last step, after other jobs have written the shards.</summary>
    private protected virtual bool CompletesShards => false;

    /// <summary>Options with what only this format has.</summary>
    /// <param name="destination">What the user gave.</param>
    /// <exception cref="CheckpointException">An argument is wrong.</exception>
    private protected abstract ExportOptions MakeOptions(CheckpointAddress destination);

    /// <summary>The folder that files are written into: the destination, where that is not a file.</summary>
    private protected virtual CheckpointAddress FolderOf(CheckpointAddress destination) => destination;

    /// <inheritdoc/>
    protected override void ProcessRecord()
    {
        if (ParameterSetName == ItemSet)
        {
            PerItem(Collect);
            return;
        }

        PerCheckpoint((checkpoint, destination) =>
            Export(checkpoint.Name, destination, (folder, options) => CheckpointExport.Plan(checkpoint, folder, options, Stop)));
    }

    /// <inheritdoc/>
    protected override void EndProcessing()
    {
        base.EndProcessing();

        foreach (var (destination, tensors) in _tensors.Values)
        {
            PerItem(() => Export(Display.Count(tensors.Count, "tensor"), destination, (folder, options) => CheckpointExport.Plan(tensors, folder, options, Stop)));
        }
    }

    private void Collect()
    {
        var destination = GetDestination(Tensor[0]);

        if (!_tensors.TryGetValue(destination.Text, out var collected))
        {
            collected = _tensors[destination.Text] = (destination, []);
        }

        collected.Tensors.AddRange(Tensor);
    }

    private void Export(string name, CheckpointAddress destination, Func<CheckpointAddress, ExportOptions, ConversionPlan> makePlan)
    {
        _written.RequireNew(destination.Text);
        var options = MakeOptions(destination);
        var folder = FolderOf(destination);
        CleanUp(folder);

        var plan = makePlan(folder, options with
        {
            Architecture = NamedArchitecture,
            DType = DType,
            AllowUnmapped = AllowUnmapped,
            Verification = Verification,
            Manifest = Manifest,
            Force = Force,
            Flush = Flush,
            ShardIndex = [.. JobShards],
            CompleteShards = CompletesShards,
        });

        foreach (var warning in plan.Warnings)
        {
            WriteWarning(warning);
        }

        foreach (var decision in plan.Reasons)
        {
            WriteVerbose(decision);
        }

        foreach (var line in plan.DescribeTensors())
        {
            WriteDebug(line);
        }

        var description = Describe(name, plan);
        var reason = ShouldProcessReason.None;
        var isApproved = plan.IsDone || ShouldProcess(description, description, MyInvocation.MyCommand.Name, out reason);

        if (isApproved)
        {
            Execute(name, plan);
            WriteObject(plan.Shards.IsEmpty ? plan.OpenResult(Stop) : plan.Shards, enumerateCollection: true);
        }

        if (isApproved || reason == ShouldProcessReason.WhatIf)
        {
            _written.Add(destination.Text);
        }
    }

    private void CleanUp(CheckpointAddress destination)
    {
        if (ExportLeftovers.AreAt(destination, JobShards, Stop)
            && ShouldProcess(Display.Text(destination.Text), "Finish or clean up an export that was killed")
            && ExportLeftovers.CleanUp(destination, JobShards, Stop))
        {
            WriteWarning($"An export to '{destination}' was killed while its files were being put in place. It is complete now.");
        }
    }

    private void Execute(string name, ConversionPlan plan)
    {
        using var progress = new ProgressBar(this, $"Exporting {name}");

        foreach (var finding in plan.Execute(progress, Stop))
        {
            WriteWarning(finding.Message);
        }
    }

    private string Describe(string name, ConversionPlan plan)
    {
        var text = new StringBuilder();

        // An architecture that is not in the catalogue is only called as its checkpoint is, unless the user named it.
        var isNamed = NamedArchitecture is not null || Display.Architecture(plan.Architecture) == plan.Architecture.Name;
        var architecture = isNamed && plan.Architecture.Name != name ? $" as {plan.Architecture.Name}" : "";
        text.Append(Display.Text($"Export '{name}'{architecture} to '{plan.DestinationPath}':"));

        foreach (var file in plan.Files)
        {
            var replaces = plan.ReplacedFiles.Contains(file.Name, StringComparer.OrdinalIgnoreCase) ? ", replaces the existing file" : "";
            text.AppendLine().Append(Display.Text($"  {file.Name}: {file.Summary}, {Display.Size(file.Length)}{replaces}"));
        }

        foreach (var stale in plan.StaleFiles)
        {
            text.AppendLine().Append(Display.Text($"  {stale}: removed, left over from an earlier export"));
        }

        return text.ToString();
    }
}
