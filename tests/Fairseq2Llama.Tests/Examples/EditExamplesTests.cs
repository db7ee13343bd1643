using Fairseq2Llama.Tests.Support;

namespace Fairseq2Llama.Tests.Examples;

/// <summary>The examples that export a part of a checkpoint, or one whose shapes are its own.</summary>
public sealed class EditExamplesTests : IDisposable
{
    private readonly TempFolder _folder = new("edited [1]");
    private readonly Session _session = new();

    public EditExamplesTests()
    {
        _session["tiny"] = TinyModel.Architecture;
        _session["examples"] = Path.Combine(Repository.Root, "examples");
        _session["data"] = Repository.Data("checkpoints");
        _session["out"] = _folder["out"];
    }

    public void Dispose()
    {
        _session.Dispose();
        _folder.Dispose();
    }

    [Fact]
    public void Lora_leftovers_are_left_out()
    {
        Run("& $examples/Remove-LoraWeight.ps1 $data/lora $out -Architecture $tiny");

        // The manifest of the test data says which they are: what fs2 has not.
        Assert.Equal(NamesOf("fs2"), Exported.Tensors.Select(tensor => tensor.Fairseq2Name!).Order(StringComparer.Ordinal));
        Assert.Contains(_session.Host.TakeLines(), line => line == "4 tensors are omitted; 21 are the same, bit for bit.");
    }

    [Fact]
    public void Another_pattern_leaves_out_something_else()
    {
        var error = _session.RunForError("& $examples/Remove-LoraWeight.ps1 $data/lora $out -Architecture $tiny -Pattern *nothing*");

        ErrorAssert.Is(CheckpointErrorCode.UnmappedTensor, error, "lora");
        Assert.Empty(_folder.Content);
    }

    [Fact]
    public void The_first_layers_are_a_model()
    {
        Run("& $examples/Select-FirstLayer.ps1 $data/fs2 $out -LayerCount 1 -Architecture $tiny");

        Assert.Equal(1, Exported.Architecture!.NumLayers);
        Assert.Equal(
            NamesOf("fs2").Where(name => !name.StartsWith("decoder.layers.1.", StringComparison.Ordinal)),
            Exported.Tensors.Select(tensor => tensor.Fairseq2Name!).Order(StringComparer.Ordinal));
    }

    [Fact]
    public void More_layers_than_there_are_can_not_be_taken()
    {
        var error = _session.RunForError("& $examples/Select-FirstLayer.ps1 $data/fs2 $out -LayerCount 3 -Architecture $tiny");

        ErrorAssert.Is(CheckpointErrorCode.ArchitectureMismatch, error, "NumLayers is 3");
        Assert.Empty(_folder.Content);
    }

    [Fact]
    public void Layers_of_an_unknown_architecture_ask_for_it() =>
        Assert.Contains("-Architecture", _session.RunForError("& $examples/Select-FirstLayer.ps1 $data/fs2 $out -LayerCount 1").Exception.Message, StringComparison.Ordinal);

    [Fact]
    public void A_vocabulary_has_as_many_tokens_as_the_embeddings_have_rows()
    {
        Run("""
            $published = New-LlamaArchitecture published -BasedOn $tiny -VocabSize 32
            & $examples/Export-ResizedVocabulary.ps1 $data/fs2 $out -BasedOn $published
            """);

        Assert.Equal(40, Exported.Architecture!.VocabSize);
        Assert.Contains(_session.Host.TakeLines(), line => line.StartsWith("The vocabulary has 40 tokens, not 32;", StringComparison.Ordinal));
    }

    private LlamaReferenceCheckpoint Exported => LlamaReferenceCheckpoint.Read(_folder["out"]);

    private static IEnumerable<string> NamesOf(string name) =>
        Fairseq2Checkpoint.Read(Repository.Case(name)).Tensors.Select(tensor => tensor.Name).Order(StringComparer.Ordinal);

    private void Run(string script) => _session.RunOne<LlamaReferenceCheckpoint>(script);
}
