using Fairseq2Llama.TorchFiles.Writing;

namespace Fairseq2Llama;

/// <summary>Carries out a plan: write everything into a staging folder, verify it, move it into place.</summary>
internal sealed class PlanWriter(ConversionPlan plan, IProgress<ConversionProgress>? progress, CancellationToken cancellationToken)
{
    private readonly long _total = plan.Length;
    private long _written;

    public void Run()
    {
        try
        {
            using var staging = StagingFolder.Create(plan.DestinationPath);

            using (var copier = new StorageCopier(staging.Path, plan.Verification, cancellationToken))
            {
                foreach (var file in plan.Files)
                {
                    Write(file, staging.PathOf(file), copier);
                }
            }

            cancellationToken.ThrowIfCancellationRequested();
            staging.Commit(plan);
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            throw WriteErrors.Translate(e, plan.DestinationPath);
        }
    }

    private void Write(PlannedFile file, string path, StorageCopier copier)
    {
        cancellationToken.ThrowIfCancellationRequested();
        Report(file, 0);

        switch (file)
        {
            case PlannedTextFile text:
                File.WriteAllBytes(path, text.Content.ToArray());
                Report(file, text.Length);
                break;

            case PlannedTorchFile torch:
                var checksums = TorchFileWriter.Write(torch, path, copier, count => Report(file, count));
                new WrittenFileCheck(torch, path, checksums, cancellationToken).Run(readBack: plan.Verification == VerificationMode.Full);
                break;
        }
    }

    private void Report(PlannedFile file, long count)
    {
        _written += count;
        progress?.Report(new ConversionProgress(file.Name, _written, _total));
    }
}
