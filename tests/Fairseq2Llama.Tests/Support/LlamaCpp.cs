using System.Numerics.Tensors;
using System.Runtime.InteropServices;
using System.Text;
using LLama;
using LLama.Common;
using LLama.Native;

namespace Fairseq2Llama.Tests.Support;

/// <summary>A GGUF file as llama.cpp reads it. It computes with float32 where the file leaves the choice, so that F32 files can be compared with other forward passes.</summary>
internal sealed class LlamaCpp : IDisposable
{
    private static readonly string Library = FindLibrary("llama");

    /// <summary>What llama.cpp says while it loads a file, on the thread that loads it.</summary>
    [ThreadStatic]
    private static StringBuilder? _log;

    private readonly ModelParams _parameters;
    private readonly LLamaWeights _weights;

    static LlamaCpp() => NativeLibraryConfig.All.WithLibrary(Library, FindLibrary("mtmd")).WithLogCallback((_, message) => _log?.Append(message));

    private LlamaCpp(ModelParams parameters, LLamaWeights weights)
    {
        _parameters = parameters;
        _weights = weights;
    }

    /// <summary>What the file says of the model, without arrays.</summary>
    public IReadOnlyDictionary<string, string> Metadata => _weights.Metadata;

    /// <summary>The token that a text begins with.</summary>
    public int Bos => (int)_weights.Vocab.BOS!.Value;

    /// <summary>Fails, with what llama.cpp says, where it can't load the file.</summary>
    public static LlamaCpp Load(string path)
    {
        Require();
        _log = new StringBuilder();

        try
        {
            var parameters = new ModelParams(path)
            {
                FlashAttention = false,
                GpuLayerCount = 0,
                Threads = 1,
                BatchThreads = 1,
                TypeK = GGMLType.GGML_TYPE_F32,
                TypeV = GGMLType.GGML_TYPE_F32,
            };

            return new LlamaCpp(parameters, LLamaWeights.LoadFromFile(parameters));
        }
        catch (LLama.Exceptions.LoadWeightsFailedException)
        {
            Assert.Fail($"llama.cpp can't load '{path}':\n{_log}");
            throw;
        }
        finally
        {
            _log = null;
        }
    }

    /// <summary>Where llama.cpp itself can't be loaded, its tests are skipped, except in CI, where it must.</summary>
    public static void Require()
    {
        try
        {
            NativeApi.llama_empty_call();
        }
        catch (TypeInitializationException) when (Environment.GetEnvironmentVariable("CI") is null)
        {
            Assert.Skip($"needs llama.cpp, but '{Library}' can't be loaded; on Linux it needs libgomp.so.1");
        }
    }

    /// <summary>How likely it finds each token of the vocabulary (second index) to follow on each of these (first index).</summary>
    public float[][] Logits(IReadOnlyList<int> tokens)
    {
        using var context = NewContext(tokens.Count);
        Decode(context, tokens, 0);
        return [.. Enumerable.Range(0, tokens.Count).Select(index => context.NativeHandle.GetLogitsIth(index).ToArray())];
    }

    /// <summary>The tokens that follow when the likeliest is taken each time.</summary>
    public int[] Greedy(IReadOnlyList<int> tokens, int count)
    {
        using var context = NewContext(tokens.Count + count);
        var last = tokens;
        List<int> all = [.. tokens];

        while (all.Count < tokens.Count + count)
        {
            Decode(context, last, all.Count - last.Count);
            last = [TensorPrimitives.IndexOfMax(context.NativeHandle.GetLogitsIth(last.Count - 1))];
            all.AddRange(last);
        }

        return [.. all.Skip(tokens.Count)];
    }

    /// <summary>A text in tokens, with those that the file says are added at its beginning and end.</summary>
    public int[] Tokenize(string text) =>
        Array.ConvertAll(_weights.Tokenize(text, add_bos: true, special: false, Encoding.UTF8), token => (int)token);

    public void Dispose() => _weights.Dispose();

    /// <summary>For x64 there is a build for each generation of processors. The oldest computes the same on all.</summary>
    private static string FindLibrary(string name)
    {
        var (system, prefix, extension) = OperatingSystem.IsWindows() ? ("win", "", "dll") : OperatingSystem.IsMacOS() ? ("osx", "lib", "dylib") : ("linux", "lib", "so");
        var folder = Path.Combine(Repository.LlamaCpp, $"{system}-{RuntimeInformation.ProcessArchitecture}".ToLowerInvariant(), "native");
        var oldest = Path.Combine(folder, "noavx");

        return Path.Combine(Directory.Exists(oldest) ? oldest : folder, $"{prefix}{name}.{extension}");
    }

    private static void Decode(LLamaContext context, IReadOnlyList<int> tokens, int position)
    {
        var batch = new LLamaBatch();

        foreach (var token in tokens)
        {
            batch.Add(token, position++, LLamaSeqId.Zero, logits: true);
        }

        Assert.Equal(DecodeResult.Ok, context.Decode(batch));
    }

    private LLamaContext NewContext(int size)
    {
        var parameters = _parameters with { ContextSize = (uint)size };
        return _weights.CreateContext(parameters);
    }
}
