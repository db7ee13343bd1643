using Fairseq2Llama.Stores;
using Fairseq2Llama.Tests.Support;

namespace Fairseq2Llama.Tests.Fuzzing;

/// <summary>Whatever the JSON files beside weights say, the model is read and can be exported, or is refused with a documented error.</summary>
[Fuzz]
public sealed class JsonFuzzTests : IDisposable
{
    private static readonly ExportOptions[] Formats = [new ReferenceExportOptions(), new HuggingFaceExportOptions(), new Fairseq2ExportOptions()];

    private readonly TempFolder _folder = new();

    public void Dispose() => _folder.Dispose();

    [Theory]
    [InlineData("single", "config.json")]
    [InlineData("sharded", "config.json")]
    [InlineData("sharded", "model.safetensors.index.json")]
    public void Of_Hugging_Face_that_were_changed(string model, string file)
    {
        foreach (var path in Directory.EnumerateFiles(Repository.Data($"huggingface/{model}")))
        {
            File.Copy(path, _folder[Path.GetFileName(path)]);
        }

        Run(file, () => LlamaHuggingFaceCheckpoint.Read(_folder.Path));
    }

    [Theory]
    [InlineData(ParamsLayout.Nested)]
    [InlineData(ParamsLayout.Flat)]
    public void Params_that_were_changed(ParamsLayout layout)
    {
        var options = new ReferenceExportOptions { Architecture = TinyModel.Architecture, ParamsLayout = layout, ShardCount = 2, Force = true };
        CheckpointExport.Plan(Fairseq2Checkpoint.Read(Repository.Case("fs2")), _folder.Path, options).Execute();

        Run("params.json", () => LlamaReferenceCheckpoint.Read(_folder.Path));
    }

    private void Run(string file, Func<LlamaCheckpoint> read)
    {
        var text = File.ReadAllText(_folder[file]);

        Fuzzer.Run(
            800,
            random => JsonFiles.Change(text, random),
            bytes =>
            {
                File.WriteAllBytes(_folder[file], bytes);
                using var copier = new StorageCopier(ScratchFolder.In(_folder.Path), VerificationPolicy.Of(VerificationMode.None));

                try
                {
                    var checkpoint = read();

                    foreach (var tensor in checkpoint.Tensors)
                    {
                        copier.Copy(tensor.ToStorage(), _ => { }, CancellationToken.None);
                    }

                    foreach (var options in Formats)
                    {
                        CheckpointExport.Plan(checkpoint, _folder["never written"], options);
                    }
                }
                catch (CheckpointException e)
                {
                    FolderFuzzTests.AssertPrintable([e.Message]);
                    throw;
                }
            });
    }
}
