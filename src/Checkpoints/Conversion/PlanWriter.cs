using Fairseq2Llama.Conversion.Destination;
using Fairseq2Llama.TorchFiles.Writing;

namespace Fairseq2Llama.Conversion;

/// <summary>Carries out a plan: write everything into a staging folder, verify it, move it into place.</summary>
internal sealed class PlanWriter(ConversionPlan plan, IProgress<ByteProgress>? progress, CancellationToken cancellationToken)
{
    private readonly long _total = plan.Length;
    private long _written;

    public void Run()
    {
        try
        {
            using var staging = StagingFolder.Create(plan);

            using (var copier = new StorageCopier(staging.Path, plan.Verification, cancellationToken))
            {
                ReplicaCheck.Require(plan.ReplicatedTensors, copier);

                // The small ones first: should the disk be full to the last byte, that shows now and not after an hour.
                foreach (var file in plan.Files.OrderBy(file => file is PlannedTorchFile))
                {
                    Write(file, staging.PathOf(file), copier);
                }

                copier.RequireUnchangedInputs();
            }

            cancellationToken.ThrowIfCancellationRequested();
            staging.Commit();
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            throw WriteErrors.Translate(e, plan.DestinationPath, _total);
        }
    }

    private void Write(PlannedFile file, string path, StorageCopier copier)
    {
        cancellationToken.ThrowIfCancellationRequested();

        var end = _written + file.Length;
        Report(file, _written);

        switch (file)
        {
            case PlannedTextFile text:
                DiskFlush.WriteFile(path, text.Content.Span, plan.Flush);
                break;

            case PlannedTorchFile torch:
                var checksums = TorchFileWriter.Write(torch.Layout, path, plan.Flush, copier.Copy, count => Report(file, _written + count));
                new WrittenFileCheck(torch, path, checksums, cancellationToken).Run(readBack: plan.Verification == VerificationMode.Full);
                break;
        }

        Report(file, end);
    }

    private void Report(PlannedFile file, long written)
    {
        _written = written;
        progress?.Report(new ByteProgress(file.Name, _written, _total));
    }
}
