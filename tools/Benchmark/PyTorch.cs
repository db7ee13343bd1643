using Fairseq2Llama.Benchmark.Contestants;

namespace Fairseq2Llama.Benchmark;

/// <summary>PyTorch's load-rename-save, where PyTorch is installed.</summary>
internal sealed class PyTorch
{
    /// <summary>It takes many times as long as everything else.</summary>
    private const int MaxRounds = 2;

    private static readonly Version FirstWithMmap = new(2, 1);

    private readonly string[] _interpreter;
    private readonly string? _version;
    private readonly bool _seesCheckpoint;

    /// <param name="checkpoint">What it will have to load.</param>
    public PyTorch(MadeCheckpoint checkpoint)
    {
        var commandLine = Environment.GetEnvironmentVariable("FAIRSEQ2LLAMA_PYTHON");

        // It need not be just a program: one in a container or a chroot has others before it.
        _interpreter = string.IsNullOrWhiteSpace(commandLine) ? ["/usr/bin/python3"] : commandLine.Split(' ', StringSplitOptions.RemoveEmptyEntries);

        var answer = ChildProcess.Ask([.. _interpreter, "-c", "import os, sys, torch; print(torch.__version__, os.path.exists(sys.argv[1]))", checkpoint.Files[0]]);
        var words = answer?.Split('\n')[^1].Split(' ');

        _version = words?[0];
        _seesCheckpoint = words?[^1] == "True";
    }

    /// <summary>Its version, and what of it is not timed and why.</summary>
    public string Description => this switch
    {
        { _version: null } => "not installed",
        { _seesCheckpoint: false } => $"{_version}, not timed: it does not see the checkpoint; give --folder one that it sees",
        { CanMap: false } => $"{_version}; mmap=True needs {FirstWithMmap}",
        _ => _version,
    };

    private bool CanMap => _version is not null && Version.Parse(string.Join('.', _version.Split('.')[..2])) >= FirstWithMmap;

    public IEnumerable<IContestant> Contestants(MadeCheckpoint checkpoint)
    {
        if (_version is not null && _seesCheckpoint)
        {
            yield return Contestant(ContestantNames.TorchDefault, checkpoint, "default");

            if (CanMap)
            {
                yield return Contestant(ContestantNames.TorchMapped, checkpoint, "mmap");
            }
        }
    }

    private FreshProcess Contestant(string name, MadeCheckpoint checkpoint, string mode)
    {
        var script = File.ReadAllText(Path.Combine(AppContext.BaseDirectory, "Scripts", "rename.py"));

        return new FreshProcess(name, destination => [.. _interpreter, "-c", script, checkpoint.Files[0], destination, mode]) { MaxRounds = MaxRounds };
    }
}
