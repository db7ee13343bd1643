using System.Text.Json;
using Fairseq2Llama.Tests.Support;

namespace Fairseq2Llama.Tests.Examples;

/// <summary>The job that the example for Azure Batch writes, its tasks run as on a node.</summary>
[External]
public sealed class AzureBatchExampleTests : IDisposable
{
    private readonly Worker _worker = new();

    public void Dispose() => _worker.Dispose();

    [Fact]
    public void Tasks_make_one_export()
    {
        var (job, tasks) = Write(shardCount: 2);
        var common = job.GetProperty("commonEnvironmentSettings").EnumerateArray().Select(variable => (Get(variable, "name"), Get(variable, "value"))).ToArray();

        // One of them twice: a task that is tried again.
        foreach (var task in new[] { tasks[1], tasks[0], tasks[0], tasks[2] })
        {
            // On a node, no shell expands anything; here, one takes the quotes off.
            _worker.RunSuccessfully(["sh", "-c", Get(task, "commandLine")], [.. common, ("AZ_BATCH_TASK_ID", Get(task, "id"))]);
        }

        _worker.AssertEqualsWholeExport("out", new ReferenceExportOptions { ShardCount = 2 });
    }

    [Fact]
    public void The_last_task_depends_on_all_others()
    {
        var (job, tasks) = Write(shardCount: 12);

        Assert.Equal([.. Enumerable.Range(0, 12).Select(index => $"{index}"), "complete"], tasks.Select(task => Get(task, "id")));
        Assert.All(tasks[..^1], task => Assert.False(task.TryGetProperty("dependsOn", out _)));
        Assert.True(job.GetProperty("usesTaskDependencies").GetBoolean());

        var range = Assert.Single(tasks[^1].GetProperty("dependsOn").GetProperty("taskIdRanges").EnumerateArray());
        Assert.Equal((0, 11), (range.GetProperty("start").GetInt32(), range.GetProperty("end").GetInt32()));
    }

    private (JsonElement Job, JsonElement[] Tasks) Write(int shardCount)
    {
        _worker.RunSuccessfully(
        [
            "pwsh", "-NoProfile", "-File", Path.Combine(Repository.Root, "examples", "azure-batch", "Write-ExportJob.ps1"),
            "run", "out", "-ShardCount", $"{shardCount}", "-PoolId", "pool", "-Image", "image", "-IdentityClientId", $"{Guid.NewGuid()}",
        ]);

        return (Read("job.json"), [.. Read("tasks.json").EnumerateArray()]);
    }

    private JsonElement Read(string file)
    {
        using var document = JsonDocument.Parse(File.ReadAllText(_worker[file]));
        return document.RootElement.Clone();
    }

    private static string Get(JsonElement element, string property) => element.GetProperty(property).GetString()!;
}
