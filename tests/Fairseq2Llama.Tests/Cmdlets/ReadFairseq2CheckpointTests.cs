using System.Management.Automation;
using Fairseq2Llama.Tests.Support;

namespace Fairseq2Llama.Tests.Cmdlets;

/// <summary>Every kind of path, by name and from the pipeline.</summary>
public sealed class ReadFairseq2CheckpointTests : IDisposable
{
    private readonly Session _session = new();
    private readonly TempFolder _folder = new();

    public ReadFairseq2CheckpointTests() => _session["cases"] = Repository.Data("checkpoints");

    public void Dispose()
    {
        _session.Dispose();
        _folder.Dispose();
    }

    [Fact]
    public void Reads_a_folder_by_its_path()
    {
        _session["path"] = Repository.Case("fs2");

        var checkpoint = _session.RunOne<Fairseq2Checkpoint>("Read-Fairseq2Checkpoint $path");

        Assert.Equal("fs2", checkpoint.Name);
        Assert.Equal(21, checkpoint.Tensors.Length);
    }

    [Fact]
    public void Tells_where_the_checkpoint_is_and_what_is_in_it()
    {
        var checkpoint = _session.RunOne<Fairseq2Checkpoint>("Read-Fairseq2Checkpoint $cases/tp2-llama3");

        Assert.Equal("tp2-llama3", checkpoint.Name);
        Assert.Equal(Repository.Case("tp2-llama3"), checkpoint.Path);
        Assert.Equal(2, checkpoint.ShardCount);
        Assert.Equal([Repository.Data("checkpoints/tp2-llama3/model.0.pt"), Repository.Data("checkpoints/tp2-llama3/model.1.pt")], checkpoint.Files);
        Assert.Equal([DType.Float32], checkpoint.DTypes);
        Assert.Equal(checkpoint.Files.Sum(file => new FileInfo(file).Length), checkpoint.SizeInBytes);
        Assert.Equal(checkpoint.Tensors.Sum(tensor => tensor.Shape.Sizes.Aggregate(1L, (product, size) => product * size)), checkpoint.ElementCount);
    }

    [Theory]
    [InlineData("Read-Fairseq2Checkpoint -Path $cases/fs2")]
    [InlineData("Read-Fairseq2Checkpoint -LiteralPath $cases/fs2")]
    [InlineData("Read-Fairseq2Checkpoint -PSPath $cases/fs2")]
    [InlineData("Read-Fairseq2Checkpoint $cases/fs2/")]
    [InlineData("Read-Fairseq2Checkpoint -LiteralPath $cases/fs2/")]
    [InlineData("Read-Fairseq2Checkpoint $cases/tied/../fs2")]
    [InlineData("Read-Fairseq2Checkpoint -LiteralPath $cases/tied/../fs2")]
    [InlineData("Read-Fairseq2Checkpoint \"FileSystem::$cases/fs2\"")]
    [InlineData("Read-Fairseq2Checkpoint -LiteralPath \"Microsoft.PowerShell.Core\\FileSystem::$cases/fs2\"")]
    [InlineData("\"$cases/fs2\" | Read-Fairseq2Checkpoint")]
    public void Reads_a_folder_however_its_path_is_given(string script)
    {
        var checkpoint = _session.RunOne<Fairseq2Checkpoint>(script);

        Assert.Equal("fs2", checkpoint.Name);
        Assert.Equal(Repository.Case("fs2"), checkpoint.Path);
    }

    [WindowsTheory]
    [InlineData("")]
    [InlineData(@"\\?\")]
    public void Reads_a_path_with_a_drive_and_backslashes(string prefix)
    {
        _session["fs2"] = prefix + Repository.Case("fs2").Replace('/', '\\');

        Assert.Equal("fs2", _session.RunOne<Fairseq2Checkpoint>("Read-Fairseq2Checkpoint $fs2").Name);
    }

    [Fact]
    public void Reads_a_file_given_directly_and_names_it_after_its_folder()
    {
        var checkpoint = _session.RunOne<Fairseq2Checkpoint>("Read-Fairseq2Checkpoint $cases/both/model.pt");

        Assert.Equal("both", checkpoint.Name);
        Assert.Equal(Repository.Data("checkpoints/both/model.pt"), checkpoint.Path);
    }

    [Fact]
    public void Reads_a_file_of_any_name_and_names_it_after_the_file()
    {
        File.Copy(Repository.Data("checkpoints/fs2/model.pt"), _folder["exported-2024.pt"]);
        _session["path"] = _folder["exported-2024.pt"];

        Assert.Equal("exported-2024", _session.RunOne<Fairseq2Checkpoint>("Read-Fairseq2Checkpoint $path").Name);
    }

    [Fact]
    public void Resolves_a_wildcard_to_every_folder_that_matches_in_the_order_of_names()
    {
        var names = _session.Run<Fairseq2Checkpoint>("Read-Fairseq2Checkpoint $cases/tied*").Select(checkpoint => checkpoint.Name);

        Assert.Equal(["tied", "tied-absent", "tied-view"], names);
    }

    [Fact]
    public void Reads_several_paths_in_the_order_given()
    {
        var names = _session.Run<Fairseq2Checkpoint>("Read-Fairseq2Checkpoint $cases/tied, $cases/fs2, $cases/d?p").Select(checkpoint => checkpoint.Name);

        Assert.Equal(["tied", "fs2", "ddp"], names);
    }

    [Fact]
    public void Reads_a_folder_with_brackets_by_its_literal_path()
    {
        _session["path"] = CheckpointFolder.Copy("fs2", _folder["run[1]"]);

        Assert.Equal("run[1]", _session.RunOne<Fairseq2Checkpoint>("Read-Fairseq2Checkpoint -LiteralPath $path").Name);
    }

    [Fact]
    public void Takes_brackets_in_a_path_for_a_wildcard()
    {
        CheckpointFolder.Copy("fs2", _folder["run1"]);
        CheckpointFolder.Copy("fs2", _folder["run2"]);
        CheckpointFolder.Copy("fs2", _folder["run3"]);
        _session.Location = _folder.Path;

        Assert.Equal(["run1", "run2"], _session.Run<Fairseq2Checkpoint>("Read-Fairseq2Checkpoint run[12]").Select(checkpoint => checkpoint.Name));
    }

    [Fact]
    public void Uses_a_path_as_is_where_it_exists_be_it_a_wildcard()
    {
        CheckpointFolder.Copy("fs2", _folder["run[1]"]);
        _session.Location = _folder.Path;

        Assert.Equal("run[1]", _session.RunOne<Fairseq2Checkpoint>("Read-Fairseq2Checkpoint ./run[1]").Name);
        Assert.Equal("run[1]", _session.RunOne<CheckpointTestResult>("Test-LlamaCheckpoint ./run[1]").Name);
    }

    [Fact]
    public void Reads_a_folder_with_an_escaped_bracket_in_its_path()
    {
        CheckpointFolder.Copy("fs2", _folder["run[1]"]);
        _session.Location = _folder.Path;

        Assert.Equal("run[1]", _session.RunOne<Fairseq2Checkpoint>("Read-Fairseq2Checkpoint './run`[1`]'").Name);
    }

    [Fact]
    public void Does_not_take_wildcards_in_a_literal_path()
    {
        _session.RunForError(CheckpointErrorCode.CheckpointNotFound, "Read-Fairseq2Checkpoint -LiteralPath \"$cases/tied*\"", "tied*");
    }

    [Theory]
    [InlineData("my run 7")]
    [InlineData("прогон-模型-é")]
    [InlineData("it's $5 & more")]
    [InlineData("-dash")]
    public void Reads_a_folder_whatever_characters_are_in_its_name(string name)
    {
        _session["path"] = CheckpointFolder.Copy("fs2", _folder[name]);
        _session["name"] = name;
        _session.Location = _folder.Path;

        Assert.Equal([name, name, name], _session.Run<Fairseq2Checkpoint>(
            "Read-Fairseq2Checkpoint $path; Read-Fairseq2Checkpoint \"./$name\"; Read-Fairseq2Checkpoint -LiteralPath $name")
            .Select(checkpoint => checkpoint.Name));
    }

    [Theory]
    [InlineData("Read-Fairseq2Checkpoint checkpoints/fs2")]
    [InlineData("Read-Fairseq2Checkpoint -LiteralPath checkpoints/fs2")]
    [InlineData("Read-Fairseq2Checkpoint ./checkpoints/f?2")]
    [InlineData("Read-Fairseq2Checkpoint ../data/checkpoints/fs2")]
    public void Resolves_relative_paths_against_the_location_of_the_session_not_of_the_process(string script)
    {
        _session.Location = Repository.Data("");

        Assert.NotEqual(Path.TrimEndingDirectorySeparator(Repository.Data("")), Environment.CurrentDirectory);
        Assert.Equal(Repository.Case("fs2"), _session.RunOne<Fairseq2Checkpoint>(script).Path);
    }

    [Fact]
    public void Reads_the_current_location()
    {
        _session.Location = Repository.Case("fs2");

        Assert.Equal(["fs2", "fs2"], _session.Run<Fairseq2Checkpoint>("Read-Fairseq2Checkpoint .; Read-Fairseq2Checkpoint -LiteralPath .").Select(checkpoint => checkpoint.Name));
    }

    [Fact]
    public void Reads_from_a_drive_of_the_session()
    {
        var checkpoint = _session.RunOne<Fairseq2Checkpoint>(
            "$null = Microsoft.PowerShell.Core\\ForEach-Object { $ExecutionContext.SessionState.Drive.New("
            + "[Management.Automation.PSDriveInfo]::new('models', $ExecutionContext.SessionState.Provider.GetOne('FileSystem'), $cases, '', $null), 'Global') }"
            + "; Read-Fairseq2Checkpoint models:/fs2");

        Assert.Equal(Repository.Case("fs2"), checkpoint.Path);
    }

    [Theory]
    [InlineData("[IO.DirectoryInfo]::new(\"$cases/fs2\")")]
    [InlineData("[IO.FileInfo]::new(\"$cases/fs2/model.pt\")")]
    [InlineData("[psobject]::AsPSObject([IO.DirectoryInfo]::new(\"$cases/fs2\")) | ForEach-Object {"
        + " $_.PSObject.Properties.Add([psnoteproperty]::new('PSPath', \"Microsoft.PowerShell.Core\\FileSystem::$_\")); $_ }")]
    [InlineData("[pscustomobject]@{ PSPath = \"FileSystem::$cases/fs2\" }")]
    [InlineData("[pscustomobject]@{ LiteralPath = \"$cases/fs2\" }")]
    [InlineData("[pscustomobject]@{ LiteralPath = \"$cases/fs2\"; Path = 'nowhere' }")]
    public void Reads_from_objects_in_the_pipeline(string objects)
    {
        Assert.Equal("fs2", _session.RunOne<Fairseq2Checkpoint>($"{objects} | Read-Fairseq2Checkpoint").Name);
    }

    [Fact]
    public void Takes_the_path_of_a_provider_item_for_a_literal_one()
    {
        // As Get-Item gives it. By value the folder would be a string, and its brackets a wildcard.
        _session["folder"] = new DirectoryInfo(CheckpointFolder.Copy("fs2", _folder["run[1]"]));

        Assert.Equal("run[1]", _session.RunOne<Fairseq2Checkpoint>("$ExecutionContext.InvokeProvider.Item.Get(@($folder.FullName), $true, $true) | Read-Fairseq2Checkpoint").Name);
    }

    [Fact]
    public void Reads_each_of_several_objects_in_the_pipeline()
    {
        var outcome = _session.RunOn(
            "'fs2', 'tied' | ForEach-Object { \"$cases/$_\" } | Read-Fairseq2Checkpoint; [IO.DirectoryInfo]::new($cases).GetDirectories('tp2-llama*') | Read-Fairseq2Checkpoint");

        Assert.Empty(outcome.Errors);
        Assert.Equal(["fs2", "tied"], outcome.Names[..2]);
        Assert.Equal(["tp2-llama2", "tp2-llama3"], outcome.Names[2..].Order());
    }

    [Fact]
    public void Reports_a_path_that_does_not_exist()
    {
        var error = _session.RunForError("Read-Fairseq2Checkpoint ./no-such-thing");

        Assert.StartsWith("CheckpointNotFound,", error.FullyQualifiedErrorId, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("-Path ./no-such-thing", "no-such-thing")]
    [InlineData("-LiteralPath ./no-such-thing", "no-such-thing")]
    [InlineData("-Path ./no-such-*", "no-such-*")]
    [InlineData("-Path 'run[1'", "run[1")]
    [InlineData("-Path NoSuchDrive:/run", "NoSuchDrive")]
    [InlineData("-LiteralPath NoSuchDrive:/run", "NoSuchDrive")]
    [InlineData("-Path NoSuchProvider::/run", "NoSuchProvider")]
    [InlineData("-LiteralPath NoSuchProvider::/run", "NoSuchProvider")]
    [InlineData("-Path Env:PATH", "Environment provider", "file system")]
    [InlineData("-LiteralPath Env:PATH", "Environment provider", "file system")]
    [InlineData("-Path Variable:cases", "Variable provider", "file system")]
    [InlineData("-Path 'Function:*'", "Function provider", "file system")]
    public void Reports_a_path_that_leads_to_no_file(string arguments, params string[] words)
    {
        var outcome = _session.RunOn($"Read-Fairseq2Checkpoint {arguments}");

        var error = Assert.Single(outcome.Errors);
        ErrorAssert.Is(CheckpointErrorCode.CheckpointNotFound, error, words);
        Assert.Equal(ErrorCategory.ObjectNotFound, error.CategoryInfo.Category);
        Assert.IsType<string>(error.TargetObject);
        Assert.Empty(outcome.Output);
    }

    [Theory]
    [InlineData("Read-Fairseq2Checkpoint -Path @()")]
    [InlineData("Read-Fairseq2Checkpoint -LiteralPath @()")]
    [InlineData("Read-Fairseq2Checkpoint -Path ''", "CannotConvertArgument")]
    [InlineData("Read-Fairseq2Checkpoint -Path $null")]
    [InlineData("Read-Fairseq2Checkpoint -LiteralPath $cases, ''")]
    [InlineData("Get-CheckpointTensor ''", "CannotConvertArgument")]
    public void Refuses_an_argument_without_a_path(string script, string id = "ParameterArgumentValidationError")
    {
        var error = _session.RunForTerminatingError(script);

        Assert.StartsWith(id, error.FullyQualifiedErrorId, StringComparison.Ordinal);
    }

    [Fact]
    public void Does_nothing_with_an_empty_pipeline() => Assert.Empty(_session.Run("@() | Read-Fairseq2Checkpoint"));

    [Fact]
    public void Refuses_a_path_and_a_literal_path_at_once()
    {
        var error = _session.RunForTerminatingError("Read-Fairseq2Checkpoint -Path $cases/fs2 -LiteralPath $cases/fs2");

        Assert.StartsWith("AmbiguousParameterSet", error.FullyQualifiedErrorId, StringComparison.Ordinal);
    }

    [Fact]
    public void Goes_on_after_bad_paths_in_one_argument()
    {
        var outcome = _session.RunOn("Read-Fairseq2Checkpoint $cases/fs2, $cases/nowhere, Env:PATH, $cases/tp-gap, $cases/tied");

        Assert.Equal(["fs2", "tied"], outcome.Names);
        Assert.Equal(["CheckpointNotFound", "CheckpointNotFound", "MissingShard"], outcome.ErrorIds);
    }

    [Fact]
    public void Goes_on_after_bad_paths_in_the_pipeline()
    {
        var outcome = _session.RunOn("'both', 'fs2', 'nowhere', 'tied' | ForEach-Object { \"$cases/$_\" } | Read-Fairseq2Checkpoint");

        Assert.Equal(["fs2", "tied"], outcome.Names);
        Assert.Equal(["ShardMismatch", "CheckpointNotFound"], outcome.ErrorIds);
    }

    [Fact]
    public void Goes_on_after_bad_folders_that_a_wildcard_matches()
    {
        var outcome = _session.RunOn("Read-Fairseq2Checkpoint $cases/t*");

        Assert.Equal(["tied", "tied-absent", "tied-view", "tp2-llama2", "tp2-llama3"], outcome.Names);
        Assert.Equal(["MissingShard", "ShardMismatch"], outcome.ErrorIds);
    }

    [Fact]
    public void Stops_at_the_first_bad_path_when_asked_to()
    {
        using var pipeline = _session.Pipeline("Read-Fairseq2Checkpoint $cases/fs2, $cases/nowhere, $cases/tied -ErrorAction Stop -OutVariable global:read");

        var error = Assert.ThrowsAny<RuntimeException>(() => pipeline.Invoke());

        ErrorAssert.Is(CheckpointErrorCode.CheckpointNotFound, error.ErrorRecord, "nowhere");
        Assert.Equal(["fs2"], _session.Run("$global:read").Select(item => item.ToString()));
    }

    [Fact]
    public void Collects_errors_in_a_variable()
    {
        var outcome = _session.RunOn("Read-Fairseq2Checkpoint $cases/nowhere, $cases/tp-gap -ErrorAction SilentlyContinue -ErrorVariable failed; $failed.FullyQualifiedErrorId");

        Assert.Empty(outcome.Errors);
        Assert.Equal(
            ["CheckpointNotFound,Fairseq2Llama.Cmdlets.ReadFairseq2CheckpointCommand", "MissingShard,Fairseq2Llama.Cmdlets.ReadFairseq2CheckpointCommand"],
            outcome.Names);
    }

    [Fact]
    public void Stops_quietly_where_the_next_command_has_enough()
    {
        var outcome = _session.RunOn("do { Read-Fairseq2Checkpoint $cases/tied*, $cases/nowhere | ForEach-Object { $_; break } } while ($false)");

        Assert.Equal(["tied"], outcome.Names);
        Assert.Empty(outcome.Errors);
    }

    [Fact]
    public void Follows_a_link_to_a_checkpoint()
    {
        SymbolicLink.ToFolder(_folder["latest"], Repository.Case("fs2"));
        _session["path"] = _folder["latest"];

        Assert.Equal("latest", _session.RunOne<Fairseq2Checkpoint>("Read-Fairseq2Checkpoint $path").Name);
    }

    [Fact]
    public void Reports_a_link_that_leads_nowhere()
    {
        SymbolicLink.ToFile(_folder["model.pt"], _folder["gone.pt"]);
        _session["path"] = _folder["model.pt"];

        Assert.Single(_session.RunOn("Read-Fairseq2Checkpoint -LiteralPath $path").Errors);
    }

    [Fact]
    public void Tells_which_files_it_reads_when_verbose()
    {
        var outcome = _session.RunOn("Read-Fairseq2Checkpoint $cases/tp2-llama2 -Verbose");

        var line = Assert.Single(outcome.Verbose);
        Assert.Contains("21 tensors", line, StringComparison.Ordinal);
        Assert.Contains("model.0.pt", line, StringComparison.Ordinal);
        Assert.Contains("model.1.pt", line, StringComparison.Ordinal);
    }

    [Fact]
    public void Takes_the_path_of_a_raw_folder_object_for_a_literal_one()
    {
        _session["folder"] = CheckpointFolder.Copy("fs2", _folder["run [1]"]);

        Assert.Equal("run [1]", _session.RunOne<Fairseq2Checkpoint>("[IO.DirectoryInfo]::new($folder) | Read-Fairseq2Checkpoint").Name);
    }

    [Fact]
    public void Goes_on_after_a_malformed_wildcard()
    {
        var outcome = _session.RunOn("Read-Fairseq2Checkpoint 'a[', $cases/fs2; Get-LlamaArchitecture 'a[', 7b");

        Assert.Equal(["fs2", "7b"], outcome.Names);
        Assert.Equal(2, outcome.Errors.Count);
    }

    [Fact]
    public void Says_what_it_gives_and_what_its_parameters_take()
    {
        var command = (CmdletInfo)Assert.Single(_session.Run("Get-Command Read-Fairseq2Checkpoint")).BaseObject;

        Assert.Equal([typeof(Fairseq2Checkpoint)], command.OutputType.Select(type => type.Type));
        Assert.Equal("Path", command.DefaultParameterSet);
        Assert.Equal(["PSPath", "FullName"], command.Parameters["LiteralPath"].Aliases);
        Assert.Contains(command.Parameters["Path"].Attributes, attribute => attribute is SupportsWildcardsAttribute);
        Assert.DoesNotContain(command.Parameters["LiteralPath"].Attributes, attribute => attribute is SupportsWildcardsAttribute);
    }
}
