using Fairseq2Llama.Dependencies;
using Fairseq2Llama.Tests.Support;

namespace Fairseq2Llama.Tests.Examples;

/// <summary>The example pipeline, run as an agent would run its step.</summary>
public sealed class PipelineExampleTests : IDisposable
{
    private readonly TempFolder _folder = new();

    public void Dispose()
    {
        // The step's environment belongs to this process.
        foreach (var variable in new[] { "CHECKPOINT", "DESTINATION", "SHARD_COUNT", "SHARD_INDEX" })
        {
            Environment.SetEnvironmentVariable(variable, null);
        }

        _folder.Dispose();
    }

    [Fact]
    public void Jobs_of_the_matrix_make_one_export()
    {
        var step = FindStep("SHARD_INDEX");
        Environment.SetEnvironmentVariable("CHECKPOINT", MakeRun());
        Environment.SetEnvironmentVariable("DESTINATION", _folder["out"]);
        Environment.SetEnvironmentVariable("SHARD_COUNT", "2");

        // The last one twice: a job that is run again.
        foreach (var index in new[] { "1", "0", "0" })
        {
            using var session = new Session();
            Environment.SetEnvironmentVariable("SHARD_INDEX", index);
            session.Run(step);
        }

        CheckpointExport.Plan(
            Fairseq2Checkpoint.Read(_folder["run"]), _folder["whole"], new ReferenceExportOptions { ShardCount = 2 }).Execute();
        Assert.Equal(CheckpointFolder.Snapshot(_folder["whole"]), CheckpointFolder.Snapshot(_folder["out"]));
    }

    private static string FindStep(string variable)
    {
        var pipeline = Assert.IsType<IReadOnlyDictionary<string, object?>>(
            ThirdParty.ReadYaml(File.ReadAllText(Path.Combine(Repository.Root, "examples/azure-pipelines/export-shards.yml"))), exactMatch: false);

        var steps =
            from job in Assert.IsType<IReadOnlyList<object?>>(pipeline["jobs"], exactMatch: false).Cast<IReadOnlyDictionary<string, object?>>()
            from item in ((IReadOnlyList<object?>)job["steps"]!).Cast<IReadOnlyDictionary<string, object?>>()
            where item.TryGetValue("env", out var env) && ((IReadOnlyDictionary<string, object?>)env!).ContainsKey(variable)
            select (string)item["pwsh"]!;

        return Assert.Single(steps);
    }

    private string MakeRun()
    {
        CheckpointFolder.Copy("fs2", _folder["run"]);
        File.WriteAllText(
            _folder["run/model.yaml"],
            "model_config: {model_dim: 16, vocab_size: 40, num_layers: 2, num_attn_heads: 4, num_key_value_heads: 2, ffn_inner_dim: 64, ffn_inner_dim_multiple_of: 8}");
        return _folder["run"];
    }
}
