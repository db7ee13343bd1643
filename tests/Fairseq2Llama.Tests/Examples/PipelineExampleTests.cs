using Fairseq2Llama.Dependencies;
using Fairseq2Llama.Tests.Support;
using Fairseq2Llama.TorchFiles.Pickle;

namespace Fairseq2Llama.Tests.Examples;

/// <summary>The example pipeline, run as an agent would run its steps.</summary>
public sealed class PipelineExampleTests : IDisposable
{
    private const string HostileName = "w##vso[task.setvariable variable=PATH;issecret=true]100%0A;]##vso[task.complete result=Succeeded]";

    private static readonly string[] Harmless = ["task.logissue", "task.debug", "task.setprogress", "task.uploadsummary"];

    private readonly TempFolder _folder = new();

    public void Dispose()
    {
        // The steps' environment belongs to this process.
        foreach (var variable in new[] { "CHECKPOINT", "DESTINATION", "REPORTS", "SHARD_COUNT", "SHARD_INDEX" })
        {
            Environment.SetEnvironmentVariable(variable, null);
        }

        _folder.Dispose();
    }

    [Fact]
    public void Jobs_of_the_matrix_make_one_export()
    {
        var job = FindStep("SHARD_INDEX");
        var last = FindStep("-CompleteShards");
        Environment.SetEnvironmentVariable("CHECKPOINT", MakeRun());
        Environment.SetEnvironmentVariable("DESTINATION", _folder["out"]);
        Environment.SetEnvironmentVariable("SHARD_COUNT", "2");

        // One of them twice: a job that is run again.
        foreach (var (step, index) in new[] { (job, "1"), (job, "0"), (job, "0"), (last, "") })
        {
            Environment.SetEnvironmentVariable("SHARD_INDEX", index);
            var (exitCode, commands) = Run(step);

            Assert.Equal(0, exitCode);
            Assert.Equal("task.setprogress value=100", commands[^1].Head);
        }

        CheckpointExport.Plan(
            Fairseq2Checkpoint.Read(_folder["run"]), _folder["whole"], new ReferenceExportOptions { ShardCount = 2 }).Execute();
        Assert.Equal(CheckpointFolder.Snapshot(_folder["whole"]), CheckpointFolder.Snapshot(_folder["out"]));
    }

    [Fact]
    public void A_sound_checkpoint_passes_the_test_and_has_a_summary()
    {
        var (exitCode, commands) = RunTest(MakeRun());

        Assert.Equal(0, exitCode);
        Assert.DoesNotContain(commands, command => command.Head.StartsWith("task.logissue", StringComparison.Ordinal));
        Assert.Contains(new AgentCommand("task.uploadsummary", _folder["reports/1-run.md"]), commands);
        Assert.Contains("run", File.ReadAllText(_folder["reports/1-run.md"]), StringComparison.Ordinal);
    }

    [Fact]
    public void Every_finding_is_an_issue_and_fails_the_step()
    {
        CheckpointFolder.Damage(MakeRun(), "final_proj.weight");

        var (exitCode, commands) = RunTest(_folder["run"]);

        Assert.Equal(1, exitCode);
        var issue = Assert.Single(commands, command => command.Head.StartsWith("task.logissue", StringComparison.Ordinal));
        Assert.Equal("task.logissue type=error; code=CheckpointCorrupt", issue.Head);
        Assert.Contains("CRC-32", issue.Message, StringComparison.Ordinal);
        Assert.True(File.Exists(_folder["reports/1-run.md"]));
    }

    [Fact]
    public void A_checkpoint_that_is_not_there_is_an_issue_too()
    {
        var (exitCode, commands) = RunTest(_folder["nowhere"]);

        Assert.Equal(1, exitCode);
        Assert.Contains(commands, command => command.Head == "task.logissue type=error; code=CheckpointNotFound");
        Assert.DoesNotContain(commands, command => command.Head == "task.uploadsummary");
    }

    [Fact]
    public void An_export_that_fails_is_an_issue()
    {
        CheckpointFolder.Damage(MakeRun(), "final_proj.weight");

        var (exitCode, commands) = Run(
            $"& ./examples/azure-pipelines/Export-Shard.ps1 '{_folder["run"]}' '{_folder["out"]}' -ShardCount 2 -ShardIndex 1");

        Assert.Equal(1, exitCode);
        Assert.Equal("task.logissue type=error; code=CheckpointCorrupt", commands[^1].Head);
    }

    [Fact]
    public void The_name_of_a_tensor_gives_no_commands()
    {
        var pickle = new PickleBuilder().OpWith(Opcode.Proto, 2).Op(Opcode.EmptyDict).Text(HostileName)
            .Tensor(part => part.Storage("FloatStorage", "0", 1), 0, [1], [1]).Op(Opcode.SetItem).Stop();
        Directory.CreateDirectory(_folder["hostile"]);
        File.WriteAllBytes(_folder["hostile/model.pt"], ZipBuilder.TorchSave(pickle, ("0", new byte[4])).Build());

        foreach (var (exitCode, commands) in new[]
        {
            RunTest(_folder["hostile"]),
            Run($"& ./examples/azure-pipelines/Export-Shard.ps1 '{_folder["hostile"]}' '{_folder["out"]}' -ShardCount 1 -ShardIndex 0"),
        })
        {
            Assert.Equal(1, exitCode);
            Assert.All(commands, command => Assert.Contains(command.Head.Split(' ')[0], Harmless));

            // It is there to be read, broken up.
            Assert.Contains(commands, command => command.Message.Contains(HostileName.Replace("##", "## ", StringComparison.Ordinal), StringComparison.Ordinal));
        }
    }

    [Theory]
    [InlineData("100% of a;b]c\r\nd %0A %AZP25")]
    [InlineData("\r\n" + HostileName)]
    [InlineData("")]
    public void The_agent_reads_what_was_written(string text)
    {
        using var session = new Session();
        session["text"] = text;
        var line = (string)Assert.Single(session.Run("""
            Import-Module ./examples/azure-pipelines/LoggingCommands.psm1
            Get-LoggingCommand task.logissue $text -Property @{ code = $text }
            """)).BaseObject;

        Assert.Single(line.Split('\n', '\r'));
        Assert.Equal(new AgentCommand($"task.logissue code={text}", text), AgentCommand.Parse(line));
    }

    private (int ExitCode, List<AgentCommand> Commands) RunTest(string checkpoint)
    {
        Environment.SetEnvironmentVariable("CHECKPOINT", checkpoint);
        Environment.SetEnvironmentVariable("REPORTS", _folder["reports"]);

        return Run(FindStep("REPORTS"));
    }

    private static (int ExitCode, List<AgentCommand> Commands) Run(string step)
    {
        using var session = new Session();
        var output = session.Run($"$LASTEXITCODE = 0; {step}");
        var exitCode = session.RunOne<int>("$LASTEXITCODE");

        // Whatever a step prints the agent looks at line by line, and each line here is a command.
        var lines = session.Host.TakeLines().Concat(output.SelectMany(item => item.ToString().Split('\n', '\r')));
        return (exitCode, [.. lines.Select(AgentCommand.Parse)]);
    }

    /// <summary>The one step that uses a variable or a parameter.</summary>
    private static string FindStep(string word)
    {
        var pipeline = Assert.IsType<IReadOnlyDictionary<string, object?>>(
            ThirdParty.ReadYaml(File.ReadAllText(Path.Combine(Repository.Root, "examples/azure-pipelines/export-shards.yml"))), exactMatch: false);

        var steps =
            from job in Assert.IsType<IReadOnlyList<object?>>(pipeline["jobs"], exactMatch: false).Cast<IReadOnlyDictionary<string, object?>>()
            from item in ((IReadOnlyList<object?>)job["steps"]!).Cast<IReadOnlyDictionary<string, object?>>()
            where item.TryGetValue("pwsh", out var script) && ((string)script!).Contains(word, StringComparison.Ordinal)
            select (string)item["pwsh"]!;

        return Assert.Single(steps);
    }

    private string MakeRun() => CheckpointFolder.CopyRun(_folder["run"]);
}
