using System.Collections.Concurrent;
using System.Diagnostics;
using System.Text.Json;

namespace Fairseq2Llama.Tests.Support;

/// <summary>
/// The first Python on this machine that can import what is asked of it. Importing takes longer than what most tests ask, so it is done once for
/// each thread that asks: every script runs in a process of its own, forked from one that has imported and does nothing else.
/// </summary>
/// <param name="imports">What a script says to import it.</param>
internal sealed class Python(string imports)
{
    /// <summary>Answers each line with one; both are JSON. Only Linux can be relied on to fork a process that has loaded as much.</summary>
    private const string Server =
        """
        import json, os, subprocess, sys, tempfile, traceback, types
        IMPORTS

        def run(script, arguments, out, err):
            os.dup2(os.open(os.devnull, os.O_RDONLY), 0)
            os.dup2(out.fileno(), 1)
            os.dup2(err.fileno(), 2)
            sys.argv = ['-c', *arguments]
            main = sys.modules['__main__'] = types.ModuleType('__main__')
            code = 0
            try:
                exec(compile(script, '<string>', 'exec'), main.__dict__)
            except SystemExit as e:
                code = e.code if isinstance(e.code, int) else int(e.code is not None)
                if code and code is not e.code: print(e.code, file=sys.stderr)
            except BaseException:
                code = 1
                traceback.print_exc()
            sys.stdout.flush()
            sys.stderr.flush()
            os._exit(code)

        print('ready', flush=True)
        for line in sys.stdin.buffer:
            script, arguments = json.loads(line)
            with tempfile.TemporaryFile() as out, tempfile.TemporaryFile() as err:
                if sys.platform == 'linux':
                    child = os.fork()
                    if not child: run(script, arguments, out, err)
                    code = os.waitstatus_to_exitcode(os.waitpid(child, 0)[1])
                else:
                    code = subprocess.run([sys.executable, '-c', script, *arguments], stdin=subprocess.DEVNULL, stdout=out, stderr=err).returncode
                out.seek(0)
                err.seek(0)
                print(json.dumps([code, out.read().decode(errors='replace'), err.read().decode(errors='replace')]), flush=True)
        """;

    private readonly ConcurrentBag<Process> _idle = [];
    private readonly Lock _search = new();
    private string? _interpreter;
    private bool _isSearched;

    public bool IsInstalled
    {
        get
        {
            lock (_search)
            {
                if (!_isSearched)
                {
                    _isSearched = true;
                    _interpreter = new[] { Environment.GetEnvironmentVariable("FAIRSEQ2LLAMA_PYTHON"), "/usr/bin/python3", "python3" }
                        .FirstOrDefault(candidate => !string.IsNullOrEmpty(candidate) && Start(candidate) is { } process && Keep(process));
                }

                return _interpreter is not null;
            }
        }
    }

    /// <summary>Runs a script; its arguments are in sys.argv[1:].</summary>
    /// <returns>What it printed.</returns>
    public string Ask(string script, params string[] arguments)
    {
        CategoryAttribute.Require();
        Assert.True(IsInstalled);

        var process = _idle.TryTake(out var idle) ? idle : Start(_interpreter!);
        Assert.NotNull(process);
        process.StandardInput.WriteLine(JsonSerializer.Serialize<object[]>([script, arguments]));
        process.StandardInput.Flush();
        var line = process.StandardOutput.ReadLine();
        Assert.NotNull(line);
        Keep(process);

        var answer = JsonSerializer.Deserialize<JsonElement[]>(line)!;
        Assert.True(answer[0].GetInt32() == 0, answer[2].GetString());
        return answer[1].GetString()!.Trim();
    }

    private bool Keep(Process process)
    {
        _idle.Add(process);
        return true;
    }

    /// <returns>One that has imported, which ends when this process does; null where that fails.</returns>
    private Process? Start(string interpreter)
    {
        try
        {
            var process = Process.Start(new ProcessStartInfo(interpreter, ["-c", Server.Replace("IMPORTS", imports, StringComparison.Ordinal)])
            {
                RedirectStandardInput = true,
                RedirectStandardOutput = true,
                RedirectStandardError = true,
            })!;

            process.BeginErrorReadLine();

            if (process.StandardOutput.ReadLine() == "ready")
            {
                return process;
            }

            process.Dispose();
        }
        catch (System.ComponentModel.Win32Exception)
        {
        }

        return null;
    }
}
