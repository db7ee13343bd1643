using Fairseq2Llama.Tests.Support;

namespace Fairseq2Llama.Tests.Examples;

/// <summary>The tour, as one takes it where nobody presses Enter.</summary>
public sealed class TourTests : IDisposable
{
    private static readonly string Script = Path.Combine(Repository.Root, "examples", "Tour.ps1");

    private readonly TempFolder _temporary = new();

    public void Dispose() => _temporary.Dispose();

    [External]
    [Fact]
    public void Shows_every_command_and_what_came_of_it_and_leaves_nothing()
    {
        var lines = Run($"& '{Script}' -NoPause");

        Assert.Equal(14, lines.Count(line => line.Contains(" of 14: ", StringComparison.Ordinal)));
        Assert.Contains(lines, line => line.StartsWith($"$tour is {_temporary.Path}", StringComparison.Ordinal));

        // The plan, the id of the error, that nothing was written, and that nothing differs at the end.
        Assert.Contains("What if: Export 'tiny-llama' to '", string.Join('\n', lines), StringComparison.Ordinal);
        Assert.Contains("CheckpointCorrupt,Fairseq2Llama.Cmdlets.ExportLlamaReferenceCheckpointCommand", lines);
        Assert.Contains("False", lines);
        Assert.Contains("0", lines);
        Assert.Empty(_temporary.Content);
    }

    [External]
    [Fact]
    public void Needs_no_libtorch()
    {
        using var nowhere = new TempFolder();
        var lines = Run($"$env:FAIRSEQ2LLAMA_LIBTORCH = '{nowhere.Path}'; & '{Script}' -NoPause");

        Assert.DoesNotContain(lines, line => line.Contains("libtorch", StringComparison.OrdinalIgnoreCase));
        Assert.Contains(lines, line => line.StartsWith("That was the tour.", StringComparison.Ordinal));
    }

    [External]
    [Fact]
    public void Leaves_nothing_after_an_error_either()
    {
        // A repository whose checkpoint is gone.
        using var repository = new TempFolder();
        Directory.CreateDirectory(repository["examples"]);
        File.Copy(Script, repository["examples/Tour.ps1"]);
        Directory.CreateDirectory(repository["output"]);
        SymbolicLink.ToFolder(repository["output/Fairseq2Llama"], Path.GetDirectoryName(Repository.StagedModule)!);

        var lines = Run($"try {{ & '{repository["examples/Tour.ps1"]}' -NoPause }} catch {{ $_.Exception.Message }}");

        Assert.Contains("model.pt", Assert.Single(lines), StringComparison.Ordinal);
        Assert.Empty(_temporary.Content);
    }

    [Fact]
    public void Says_what_to_do_where_the_module_is_not_built()
    {
        using var repository = new TempFolder();
        Directory.CreateDirectory(repository["examples"]);
        File.Copy(Script, repository["examples/Tour.ps1"]);
        using var session = new Session();

        var error = session.RunForError($"& '{repository["examples/Tour.ps1"]}'");

        Assert.Contains("dotnet build", error.Exception.Message, StringComparison.Ordinal);
    }

    /// <summary>Runs it in a process that has temporary folders of its own.</summary>
    private IReadOnlyList<string> Run(string script) =>
        ScriptProcess.Run($"$env:TMPDIR = $env:TMP = '{_temporary.Path}'; {script}");
}
