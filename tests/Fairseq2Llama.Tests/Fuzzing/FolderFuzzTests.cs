using Fairseq2Llama.Stores;
using Fairseq2Llama.Tests.Support;

namespace Fairseq2Llama.Tests.Fuzzing;

/// <summary>Whatever lies in a folder, it is read, tested and exported, or refused with a documented error.</summary>
[Fuzz]
public sealed class FolderFuzzTests : IDisposable
{
    private readonly TempFolder _folder = new();
    private int _inputs;
    private int _exports;
    private int _cancellations;

    public void Dispose() => _folder.Dispose();

    [Fact]
    public void Checkpoints_through_test_and_export()
    {
        Fuzzer.Run(200, Folders.Make, input => Convert(input, isCancelled: false));
        Assert.NotEqual(0, _exports);
    }

    [Fact]
    public void Files_that_ask_for_much_through_test_and_export() => Fuzzer.Run(
        40,
        random => new ZipBuilder().Add("model.pt", Bombs.Make(random)).Build(), input => Convert(input, isCancelled: false));

    [Fact]
    public void Checkpoints_until_it_is_cancelled()
    {
        Fuzzer.Run(300, Folders.Make, input => Convert(input, isCancelled: true));
        Assert.NotEqual(0, _cancellations);
    }

    /// <summary>What is said to people can neither talk to the terminal nor fill it.</summary>
    internal static void AssertPrintable(IEnumerable<string> texts)
    {
        foreach (var text in texts)
        {
            Assert.True(text.Length < 10_000 && !text.Any(char.IsControl), text);
        }
    }

    private void Convert(byte[] input, bool isCancelled)
    {
        using var cancellation = new CancellationTokenSource();
        var progress = new ProgressTo(_ => CancelIf(isCancelled, cancellation));
        var folder = _folder[$"{_inputs++}"];
        Folders.Extract(input, folder);

        try
        {
            TestAndExport(folder, progress, cancellation.Token);
        }
        catch (CheckpointException e)
        {
            AssertPrintable(e.Findings.Select(finding => finding.Message).Append(e.Message));
            throw;
        }
        catch (OperationCanceledException) when (cancellation.IsCancellationRequested)
        {
            _cancellations++;
        }
        finally
        {
            Directory.Delete(folder, recursive: true);
        }
    }

    private static void CancelIf(bool isCancelled, CancellationTokenSource cancellation)
    {
        if (isCancelled)
        {
            cancellation.Cancel();
        }
    }

    private void TestAndExport(string folder, IProgress<ByteProgress> progress, CancellationToken cancellationToken)
    {
        var checkpoint = Fairseq2Checkpoint.Read(folder, log: line => AssertPrintable([line]), cancellationToken: cancellationToken);
        var isSmall = checkpoint.Tensors.All(tensor => tensor.SizeInBytes <= Fuzzer.MaxTensorSize);
        AssertPrintable(checkpoint.Tensors.Select(tensor => tensor.Name));
        _ = checkpoint.ElementCount + checkpoint.Architecture?.HeadDim + checkpoint.Architecture?.FfnInnerDim;

        var told = Test(architecture: null);
        var named = Test(TinyModel.Architecture);

        if (isSmall)
        {
            Merge(checkpoint, folder, cancellationToken);

            // Where the test says that it can't be exported, an export says no more.
            if (told.Passed || named.Passed)
            {
                Export(checkpoint, told.Passed ? null : TinyModel.Architecture, Path.Combine(folder, "out"), progress, cancellationToken);
            }
        }

        CheckpointTestResult Test(LlamaArchitecture? architecture)
        {
            var result = CheckpointTest.Run(checkpoint, new CheckpointTestOptions { Architecture = architecture, Deep = isSmall }, progress, cancellationToken);
            AssertPrintable(result.Findings.Select(finding => finding.Message));
            return result;
        }
    }

    /// <summary>Puts the parts of all tensors together, of those that no LLaMA has, too.</summary>
    private static void Merge(Fairseq2Checkpoint checkpoint, string scratchFolder, CancellationToken cancellationToken)
    {
        using var copier = new StorageCopier(ScratchFolder.In(scratchFolder), VerificationPolicy.Of(VerificationMode.None));

        foreach (var tensor in checkpoint.Tensors)
        {
            copier.Copy(new TensorSlice(tensor.Copies[0], tensor.Shape).ToStorage(tensor.DType), _ => { }, cancellationToken);
        }
    }

    private void Export(
        Fairseq2Checkpoint checkpoint, LlamaArchitecture? architecture, string destination, IProgress<ByteProgress> progress, CancellationToken cancellationToken)
    {
        foreach (var shardCount in new int?[] { null, 1, 2 })
        {
            var options = new ReferenceExportOptions { Architecture = architecture, ShardCount = shardCount, Force = true, Verification = VerificationMode.Auto };
            CheckpointExport.Plan(checkpoint, destination, options, cancellationToken).Execute(progress, cancellationToken);
            _exports++;
        }
    }
}
