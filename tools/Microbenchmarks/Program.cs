using System.Reflection;
using BenchmarkDotNet.Configs;
using BenchmarkDotNet.Running;

namespace Fairseq2Llama.Microbenchmarks;

/// <summary>The entry point; arguments are those of BenchmarkDotNet.</summary>
internal static class Program
{
    /// <summary>BenchmarkDotNet would build a project of its own for each run. What is measured here is the same without, and is there in no time.</summary>
    private const string InProcess = "--inProcess";

    private static int Main(string[] args)
    {
        var root = typeof(Program).Assembly.GetCustomAttributes<AssemblyMetadataAttribute>().Single(attribute => attribute.Key == "RepositoryRoot").Value!;
        var config = ManualConfig.Create(DefaultConfig.Instance).WithArtifactsPath(Path.Combine(root, "output", "microbenchmarks"));
#if DEBUG
        // Then figures are worth nothing, and all that can be seen is that everything runs.
        config.WithOption(ConfigOptions.DisableOptimizationsValidator, true);
#endif

        var summaries = BenchmarkSwitcher.FromAssembly(typeof(Program).Assembly).Run([.. args.Append(InProcess).Distinct()], config).ToArray();
        return summaries.Length > 0 && summaries.All(summary => !summary.HasCriticalValidationErrors && summary.Reports.All(report => report.Success)) ? 0 : 1;
    }
}
