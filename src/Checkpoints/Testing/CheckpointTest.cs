using System.Collections.Immutable;
using Fairseq2Llama.Conversion;
using Fairseq2Llama.Formats;
using Fairseq2Llama.Model;
using Fairseq2Llama.Stores;
using Fairseq2Llama.Testing;

namespace Fairseq2Llama;

/// <summary>Looks for everything that would prevent an export of a checkpoint, or surprise its readers.</summary>
public static class CheckpointTest
{
    /// <summary>Tests the checkpoint at an address. If it can't be read, that is a finding, too.</summary>
    /// <param name="address">As for <see cref="CheckpointReader.Read(CheckpointAddress, CheckpointReadOptions, CancellationToken)"/>.</param>
    /// <param name="read">As for <see cref="CheckpointReader.Read(CheckpointAddress, CheckpointReadOptions, CancellationToken)"/>.</param>
    /// <param name="options">How to test.</param>
    /// <param name="progress">Told how far reading the data is, on the calling thread.</param>
    /// <param name="cancellationToken">Stops it.</param>
    /// <exception cref="CheckpointException">There is nothing at the address.</exception>
    /// <exception cref="OperationCanceledException">It was cancelled.</exception>
    public static CheckpointTestResult Run(
        CheckpointAddress address,
        CheckpointReadOptions read,
        CheckpointTestOptions options,
        IProgress<ByteProgress>? progress = null,
        CancellationToken cancellationToken = default) =>
        Run(CheckpointFolders.At(address, cancellationToken), read, options, progress, cancellationToken);

    /// <summary>As for an address, wherever it is.</summary>
    internal static CheckpointTestResult Run(
        ICheckpointFolder place,
        CheckpointReadOptions read,
        CheckpointTestOptions options,
        IProgress<ByteProgress>? progress = null,
        CancellationToken cancellationToken = default)
    {
        LlamaCheckpoint checkpoint;

        try
        {
            checkpoint = CheckpointReader.Read(place, read with { Architecture = read.Architecture ?? options.Architecture }, cancellationToken);
        }
        catch (CheckpointException e) when (e.Code != CheckpointErrorCode.CheckpointNotFound)
        {
            var (name, path) = CheckpointReader.Locate(place, read.Step);
            return new CheckpointTestResult(name, path, options.Architecture, e.Findings);
        }

        return Run(checkpoint, options, progress, cancellationToken);
    }

    /// <summary>Tests a checkpoint by its index, and by its data where the options say so.</summary>
    /// <param name="checkpoint">The checkpoint.</param>
    /// <param name="options">How to test.</param>
    /// <param name="progress">Told how far reading the data is, on the calling thread.</param>
    /// <param name="cancellationToken">Stops it.</param>
    /// <exception cref="OperationCanceledException">It was cancelled.</exception>
    public static CheckpointTestResult Run(
        LlamaCheckpoint checkpoint,
        CheckpointTestOptions options,
        IProgress<ByteProgress>? progress = null,
        CancellationToken cancellationToken = default)
    {
        if (!options.Deep)
        {
            return RunOnIndex(checkpoint, options.Architecture, options.For);
        }

        // The index then says more, such as which files have no checksums.
        var data = TestData(checkpoint, progress, cancellationToken);
        var result = RunOnIndex(checkpoint, options.Architecture, options.For);
        return result with { Deep = true, Findings = [.. result.Findings, .. data] };
    }

    /// <summary>Tests a checkpoint by its index alone. How files fit together is looked at only where fairseq2 saved them.</summary>
    internal static CheckpointTestResult RunOnIndex(LlamaCheckpoint checkpoint, LlamaArchitecture? named, CheckpointFormat? target = null)
    {
        var findings = new List<CheckpointFinding>();
        findings.AddRange(FileFindings.FindDamagedPickles(checkpoint));

        var choice = TestArchitecture(checkpoint, named, target, findings);

        findings.AddRange(FileFindings.FindSlipsInConfig(checkpoint));
        findings.AddRange(FileFindings.FindIgnoredTensors(checkpoint));
        findings.AddRange(FileFindings.FindQuantized(checkpoint, target));
        findings.AddRange(FileFindings.FindWithoutChecksums(checkpoint));

        if (checkpoint is Fairseq2Checkpoint saved)
        {
            findings.AddRange(UnevenShards.Find(saved));
            findings.AddRange(FileFindings.FindSkippedSteps(saved));
            findings.AddRange(FileFindings.FindUnrecognizedFiles(saved));
            findings.AddRange(FileFindings.FindNonTensors(saved));
        }

        return new CheckpointTestResult(checkpoint.Name, checkpoint.Path, choice?.Architecture, [.. findings]) { Choice = choice };
    }

    private static ImmutableArray<CheckpointFinding> TestData(
        LlamaCheckpoint checkpoint, IProgress<ByteProgress>? progress, CancellationToken cancellationToken)
    {
        try
        {
            using var data = new TensorDataTest(checkpoint, progress, cancellationToken);
            return [.. data.Run()];
        }
        catch (CheckpointException e)
        {
            return e.Findings;
        }
    }

    private static ArchitectureChoice? TestArchitecture(
        LlamaCheckpoint checkpoint, LlamaArchitecture? named, CheckpointFormat? target, List<CheckpointFinding> findings)
    {
        if (named is not null)
        {
            findings.AddRange(FileFindings.FindContradictionsToConfig(checkpoint, named));
        }

        ArchitectureChoice? choice = null;
        var refusals = new List<CheckpointFinding>();

        // One format writes the same for two architectures that another format distinguishes.
        foreach (var format in from format in CheckpointFormats.Written
                               where target is null || format.Format == target
                               select format.MakeOptions!().MakeFormat(CancellationToken.None))
        {
            try
            {
                var possible = ArchitectureChoice.Of(checkpoint, checkpoint.Tensors, named, format);
                possible.Architecture.Validate();
                refusals.AddRange(format.FindContradictions(possible.Architecture));
                choice ??= possible;
            }
            catch (CheckpointException e)
            {
                refusals.AddRange(e.Findings);
            }
        }

        findings.AddRange(choice is null
            ? [.. refusals.Distinct(), .. ArchitectureCheck.FindUnmapped(checkpoint.Tensors), .. ArchitectureCheck.FindNonFloating(checkpoint.Tensors)]
            : [.. ArchitectureCheck.Run(checkpoint.Tensors, choice.Architecture), .. refusals.Distinct()]);

        return choice ?? (named is null ? null : ArchitectureChoice.OfUser(named));
    }
}
