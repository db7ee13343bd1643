using Fairseq2Llama.Tests.Support;

namespace Fairseq2Llama.Tests.Help;

/// <summary>A folder with everything that the examples of the help name.</summary>
internal sealed class ExampleWorld : IDisposable
{
    private readonly TempFolder _folder = new("world");

    public ExampleWorld()
    {
        using var session = new Session();
        session["tiny"] = TinyModel.Architecture;
        session["data"] = Repository.Data("checkpoints");
        session.Location = _folder.Path;

        session.Run("""
            Read-Fairseq2Checkpoint $data/fs2 | Export-Fairseq2Checkpoint runs/7b -Architecture $tiny
            Read-Fairseq2Checkpoint $data/fs2 | Export-LlamaReferenceCheckpoint meta/base -Architecture $tiny
            Read-Fairseq2Checkpoint $data/fs2 | Export-LlamaHuggingFaceCheckpoint hf/base -Architecture $tiny
            """);

        Directory.CreateDirectory(_folder["tokenizer"]);
        File.WriteAllText(_folder["tokenizer/tokenizer.json"], "{}");

        CheckpointFolder.Copy("fs2", _folder["downloads/mine"]);
        AddConfig(CheckpointFolder.Copy("lora", _folder["lora/7b"]));
        AddConfig(CheckpointFolder.Copy("tp2-llama2", _folder["runs/70b"]));

        foreach (var step in new[] { 500, 1000 })
        {
            CheckpointFolder.Copy("fs2", _folder[$"runs/sft/checkpoints/step_{step}"]);
        }

        AddConfig(_folder["runs/sft/checkpoints"]);
    }

    public string Path => _folder.Path;

    public void Dispose() => _folder.Dispose();

    private void AddConfig(string folder) => File.Copy(_folder["runs/7b/model.yaml"], System.IO.Path.Combine(folder, "model.yaml"));
}
