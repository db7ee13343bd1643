using System.CommandLine;
using Fairseq2Llama.Benchmark.Stores;

namespace Fairseq2Llama.Benchmark;

/// <summary>The entry point: what can be chosen, and in which order things happen.</summary>
internal static class Program
{
    private static readonly Option<string?> Architecture = new("--architecture")
    {
        Description = "The model, as Get-LlamaArchitecture names it; llama3_2_1b by default, and with --stores one layer of llama2_7b.",
    };

    private static readonly Option<int?> Layers = new("--layers")
    {
        Description = "How many layers it has, to make it smaller or larger.",
    };

    private static readonly Option<int> Rounds = new("--rounds")
    {
        Description = "How often everything runs in turn.",
        DefaultValueFactory = _ => 5,
    };

    private static readonly Option<string> Folder = new("--folder")
    {
        Description = "Where checkpoints are made: a folder on the file system to be measured.",
        DefaultValueFactory = _ => Path.GetTempPath(),
    };

    private static readonly Option<double[]> Scaling = new("--scaling")
    {
        Description = "Also makes tables over sizes and over numbers of tensors. The sizes in GB; 0.3, 3 and 12 when none are given.",
        Arity = ArgumentArity.ZeroOrMore,
        AllowMultipleArgumentsPerToken = true,
    };

    private static readonly Option<bool> Stores = new("--stores")
    {
        Description = "Measures checkpoints in stores, instead of all else, against servers on this machine.",
    };

    private static readonly Option<bool> Keep = new("--keep")
    {
        Description = "Leaves the checkpoints where they are.",
    };

    private static readonly Option<string?> ReportPath = new("--report")
    {
        Description = "The Markdown file to write; docs/benchmarks.md by default, and docs/benchmarks-stores.md with --stores.",
    };

    private static async Task<int> Main(string[] args)
    {
        var command = new RootCommand("Times the module beside cp and PyTorch, and writes a report.")
        {
            Architecture, Layers, Rounds, Folder, Scaling, Stores, Keep, ReportPath,
        };

        Rounds.Validators.Add(result =>
        {
            if (result.GetValueOrDefault<int>() < 1)
            {
                result.AddError("--rounds must be at least 1.");
            }
        });
        command.SetAction((options, cancellationToken) => Task.Run(() => Run(options, cancellationToken), CancellationToken.None));

        // After Ctrl+C gigabytes are taken away.
        var configuration = new InvocationConfiguration { ProcessTerminationTimeout = TimeSpan.FromMinutes(1) };
        return await command.Parse(args).InvokeAsync(configuration);
    }

    private static int Run(ParseResult options, CancellationToken cancellationToken)
    {
        try
        {
            var hasStores = options.GetValue(Stores);
            var architecture = options.GetValue(Architecture) is { } name
                ? LlamaArchitectures.Find(name)
                : hasStores ? StoreRace.Usual : LlamaArchitectures.Find("llama3_2_1b");
            architecture = architecture with { NumLayers = options.GetValue(Layers) ?? architecture.NumLayers };
            architecture.Validate();

            var text = hasStores
                ? StoreReport.Render(MeasureStores(options, architecture, cancellationToken))
                : Report.Render(Measure(options, architecture, cancellationToken));
            var path = Path.GetFullPath(
                options.GetValue(ReportPath) ?? Path.Combine(Repository.Root, "docs", hasStores ? "benchmarks-stores.md" : "benchmarks.md"));

            Directory.CreateDirectory(Path.GetDirectoryName(path)!);
            File.WriteAllText(path, text);
            Console.WriteLine(text);
            Console.Error.WriteLine($"Written to {path}.");
            return 0;
        }
        catch (Exception e) when (e is BenchmarkException or CheckpointException or IOException or UnauthorizedAccessException)
        {
            Console.Error.WriteLine(e.Message);
            return 1;
        }
        catch (OperationCanceledException)
        {
            return 130; // 128 + SIGINT, as a shell reports it
        }
    }

    private static Results Measure(ParseResult options, LlamaArchitecture architecture, CancellationToken cancellationToken)
    {
        var rounds = options.GetValue(Rounds);
        Results results;

        // By itself, so that the room that its checkpoints take is there for what comes then.
        using (var workspace = OpenWorkspace(options))
        {
            results = new Race(workspace, architecture, rounds, cancellationToken).Run();
        }

        if (options.GetResult(Scaling) is null)
        {
            return results;
        }

        using (var workspace = OpenWorkspace(options))
        {
            var scaling = new Scaling(workspace, rounds, cancellationToken);
            return results with
            {
                Sizes = [.. scaling.BySize(options.GetValue(Scaling) is { Length: > 0 } sizes ? sizes : [0.3, 3, 12])],
                TensorCounts = [.. scaling.ByTensorCount()],
            };
        }
    }

    private static StoreResults MeasureStores(ParseResult options, LlamaArchitecture architecture, CancellationToken cancellationToken)
    {
        using var workspace = OpenWorkspace(options);
        return new StoreRace(workspace, architecture, options.GetValue(Rounds), cancellationToken).Run();
    }

    private static Workspace OpenWorkspace(ParseResult options) => new(options.GetRequiredValue(Folder), options.GetValue(Keep));
}
