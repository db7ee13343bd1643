using System.Text;
using Fairseq2Llama.Fairseq2;
using Fairseq2Llama.Tests.Support;
using Fairseq2Llama.TorchFiles;

namespace Fairseq2Llama.Tests.Fuzzing;

/// <summary>Whatever a file holds, it is read, or refused with a documented error.</summary>
public sealed class FuzzTests : IDisposable
{
    // An expanded tensor may say truthfully that it has terabytes; only time would be lost on reading those.
    private const long MaxTensorSize = 1 << 20;

    private const string ModelYaml =
        """
        model:
          name: run
          family: llama
          arch: llama3_2_1b
          config: &x
            model_dim: 2048
            num_layers: 16
            rope_theta: 5e5
            vocab_info: {size: 128256, pad_idx: null}
            ffn_inner_dim_multiplier: 1.5
        # a comment
        list: [1, "two", ~, 'it''s', *x]
        """;

    private readonly TempFolder _folder = new();

    public void Dispose() => _folder.Dispose();

    [Fact]
    public void Real_files_with_bytes_changed_cut_and_moved() => Fuzzer.Run(random => Bytes.Mutate(Corpus.Files.Pick(random), random), Index);

    [Fact]
    public void Archives_whose_headers_lie() => Fuzzer.Run(random => Archive.Mutate(Corpus.Archives.Pick(random), random), Index);

    [Fact]
    public void Pickles_that_no_program_writes() => Fuzzer.Run(Pickles.MakeFile, Index);

    [Fact]
    public void Pickles_that_were_damaged() => Fuzzer.Run(
        random => random.Next(2) == 0 ? Bytes.Mutate(Pickles.MakeFile(random), random) : Archive.Mutate(Corpus.Archives.Pick(random), random), Index);

    [Fact]
    public void Checkpoints_through_test_and_export() => Fuzzer.Run(MakeAny, Convert);

    [Fact]
    public void Settings_that_are_no_settings() => Fuzzer.Run(
        random => Bytes.Mutate(Encoding.UTF8.GetBytes(ModelYaml), random),
        text =>
        {
            File.WriteAllBytes(_folder["model.yaml"], text);
            _ = ModelConfig.Read(_folder["model.yaml"], "run");
        },
        canRefuse: false);

    private static byte[] MakeAny(Random random) => random.Next(3) switch
    {
        0 => Bytes.Mutate(Corpus.Files.Pick(random), random),
        1 => Archive.Mutate(Corpus.Archives.Pick(random), random),
        _ => Pickles.MakeFile(random),
    };

    /// <summary>What Read-Fairseq2Checkpoint does with a file, and what an export does with its tensors.</summary>
    private void Index(byte[] bytes)
    {
        using var copier = new StorageCopier(_folder.Path, VerificationMode.None, CancellationToken.None);

        foreach (var entry in StateDict.In(TorchFile.Open(new MemorySource(bytes))).Entries.Where(entry => entry.Tensor.SizeInBytes <= MaxTensorSize))
        {
            copier.Copy(PlannedStorage.Of(entry.Tensor), _ => { });
        }
    }

    private void Convert(byte[] bytes)
    {
        var (input, output) = (_folder["model.pt"], _folder["out"]);
        File.WriteAllBytes(input, bytes);

        var checkpoint = Fairseq2Checkpoint.Read(input);

        if (checkpoint.Tensors.All(tensor => tensor.SizeInBytes <= MaxTensorSize))
        {
            _ = CheckpointTest.Run(checkpoint, new CheckpointTestOptions { Architecture = TinyModel.Architecture, Deep = true });

            var options = new ReferenceExportOptions { Architecture = TinyModel.Architecture, AllowUnmapped = true, Force = true, Verification = VerificationMode.Full };
            ReferenceExport.Plan(checkpoint, output, options).Execute();
        }
    }
}
