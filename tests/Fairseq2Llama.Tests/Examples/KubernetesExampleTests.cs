using System.Globalization;
using Fairseq2Llama.Tests.Support;
using k8s;
using k8s.Models;
using YamlDotNet.Core;

namespace Fairseq2Llama.Tests.Examples;

/// <summary>The manifests of the example for Kubernetes, read as its API defines them, and their commands run as in the containers.</summary>
[External]
public sealed class KubernetesExampleTests
{
    private static readonly V1Job Export = Read<V1Job>("export-job.yaml");
    private static readonly V1Job Complete = Read<V1Job>("complete-job.yaml");
    private static readonly V1ConfigMap Settings = Read<V1ConfigMap>("settings.yaml");

    /// <summary>Settings for folders instead of stores, in files of which four are needed.</summary>
    private static readonly Dictionary<string, string> Local = new() { ["CHECKPOINT"] = "run", ["DESTINATION"] = "out", ["MAX_SHARD_SIZE"] = "10KB" };

    [Fact]
    public void Pods_of_both_jobs_make_one_export()
    {
        using var worker = new Worker();
        // One of them twice: a pod that was replaced.
        foreach (var index in new[] { 3, 1, 0, 2, 2 })
        {
            Run(worker, Export, ("JOB_COMPLETION_INDEX", index.ToString(CultureInfo.InvariantCulture)));
        }

        Run(worker, Complete);

        worker.AssertEqualsWholeExport("out", new HuggingFaceExportOptions { MaxShardSize = 10 << 10 });
    }

    [Fact]
    public void A_pod_with_an_index_too_many_fails()
    {
        using var worker = new Worker();
        var (exitCode, _, error) = worker.Run(CommandOf(Export), [.. EnvironmentOf(Export, worker), ("JOB_COMPLETION_INDEX", "4")]);

        Assert.Equal(1, exitCode);
        Assert.Contains("The 4 indexes are 0 to 3", error, StringComparison.Ordinal);
    }

    /// <summary>The API server refuses a job that counts failures for each index, unless it is one of these.</summary>
    [Fact]
    public void Failures_are_counted_for_each_index()
    {
        Assert.Equal(("Indexed", "Never"), (Export.Spec.CompletionMode, Export.Spec.Template.Spec.RestartPolicy));
        Assert.NotNull(Export.Spec.BackoffLimitPerIndex);
        Assert.True(Export.Spec.Parallelism <= Export.Spec.Completions);
    }

    [Fact]
    public void The_last_step_differs_only_in_its_command()
    {
        var (export, complete) = (Read<V1Job>("export-job.yaml"), Read<V1Job>("complete-job.yaml"));
        export.Spec.Template.Spec.Containers.Single().Args = complete.Spec.Template.Spec.Containers.Single().Args;

        Assert.Equal(KubernetesYaml.Serialize(export.Spec.Template), KubernetesYaml.Serialize(complete.Spec.Template));
    }

    [Theory]
    [InlineData("completionMode:", "completionsMode:")]
    [InlineData("runAsNonRoot: true", "runAsNonRoot: sometimes")]
    [InlineData("envFrom:", "envSource:")]
    public void Mistakes_are_found(string right, string wrong)
    {
        var text = RepositoryFiles.Read("examples/kubernetes/export-job.yaml");
        Assert.Contains(right, text, StringComparison.Ordinal);

        Assert.ThrowsAny<YamlException>(() => KubernetesYaml.Deserialize<V1Job>(text.Replace(right, wrong, StringComparison.Ordinal), strict: true));
    }

    private static void Run(Worker worker, V1Job job, params (string Name, string Value)[] environment) =>
        worker.RunSuccessfully(CommandOf(job), [.. EnvironmentOf(job, worker), .. environment]);

    private static IEnumerable<string> CommandOf(V1Job job) =>
        job.Spec.Template.Spec.Containers.Single() is var container ? [.. container.Command, .. container.Args] : [];

    private static IEnumerable<(string Name, string Value)> EnvironmentOf(V1Job job, Worker worker)
    {
        var container = job.Spec.Template.Spec.Containers.Single();
        Assert.Equal(Settings.Metadata.Name, Assert.Single(container.EnvFrom).ConfigMapRef.Name);

        // The volume for temporary files is a folder of the worker.
        var temporary = Assert.Single(container.VolumeMounts).MountPath;

        return Settings.Data.Keys.Select(name => (name, Local[name]))
            .Concat(container.Env.Select(variable => (variable.Name, variable.Value.Replace(temporary, worker["tmp"], StringComparison.Ordinal))));
    }

    /// <summary>Fails for fields that the API does not have, and for values that a field can't have.</summary>
    private static T Read<T>(string file) =>
        KubernetesYaml.Deserialize<T>(RepositoryFiles.Read($"examples/kubernetes/{file}"), strict: true);
}
