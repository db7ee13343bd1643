using System.Text.Json;
using Fairseq2Llama.Stores.Local;
using Fairseq2Llama.Tests.Support;
using Fairseq2Llama.TorchFiles;
using Fairseq2Llama.TorchFiles.Pickle;

namespace Fairseq2Llama.Tests.Cmdlets;

/// <summary>A session in an empty folder, with some checkpoints to export: what the tests of Export-LlamaReferenceCheckpoint share.</summary>
public abstract class ExportTests : IDisposable
{
    private protected ExportTests()
    {
        Session["cases"] = Repository.Data("checkpoints");
        Session["tiny"] = TinyModel.Architecture;
        Session["tied"] = TinyModel.Tied;
        Session.Location = Folder.Path;
        Session.Run("$fs2 = Read-Fairseq2Checkpoint $cases/fs2");
    }

    private protected static string[] OneShard { get; } = ["consolidated.00.pth", "params.json"];

    private protected Session Session { get; } = new();

    private protected TempFolder Folder { get; } = new();

    public virtual void Dispose()
    {
        Session.Dispose();
        Folder.Dispose();
        GC.SuppressFinalize(this);
    }

    private protected static void AssertIsReference(string name, string folder)
    {
        var expected = Manifest.Instance.Reference[name];

        foreach (var file in expected.Files)
        {
            Assert.Equal(file.Tensors.ToDictionary(tensor => tensor.Name, tensor => tensor.Sha256, StringComparer.Ordinal), Tensors(Path.Combine(folder, file.File)));
        }

        Assert.True(JsonElement.DeepEquals(expected.Params, Params(folder)), File.ReadAllText(Path.Combine(folder, "params.json")));
    }

    private protected static Dictionary<string, string> Tensors(string path)
    {
        var file = TorchFile.Open(new LocalFile(path));

        return ((PickleDict)file.Content!).Entries.ToDictionary(
            entry => (string)entry.Key!, entry => TensorBytes.Sha256(file.GetTensor((PickledTensor)entry.Value!)), StringComparer.Ordinal);
    }

    private protected static JsonElement Params(string folder) => JsonSerializer.Deserialize<JsonElement>(File.ReadAllBytes(Path.Combine(folder, "params.json")));
}
