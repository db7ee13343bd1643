using System.Runtime.InteropServices;
using System.Runtime.Loader;
using TorchSharp;

namespace Fairseq2Llama.Torch;

/// <summary>
/// Loads the native libraries by their full paths. Left to itself TorchSharp looks for them by name, copies 460 MB into the module's
/// folder, and writes to the console when it fails.
/// </summary>
internal static class LibTorch
{
    /// <exception cref="CheckpointException">They are not there, or can't be loaded; the message says what was tried.</exception>
    public static void Load()
    {
        var attempts = new List<string>();

        foreach (var location in LibTorchLocation.All())
        {
            if (location.FindMissing() is { } missing)
            {
                attempts.Add($"{location.Origin} '{location.Folder}' holds no {missing}");
                continue;
            }

            try
            {
                Load(location);
                return;
            }
            catch (DllNotFoundException e)
            {
                attempts.Add($"the files in {location.Origin} '{location.Folder}' can't be loaded: {LibTorchFailure.Explain(e.Message)}");
            }
        }

        throw LibTorchFailure.Of(attempts);
    }

    private static void Load(LibTorchLocation location)
    {
        var libraries = location.Files.ToDictionary(file => file.Name, file => Load(file.Path), StringComparer.Ordinal);
        var torchSharp = typeof(torch).Assembly;

        // It looks for them by name twice: with NativeLibrary.TryLoad when it starts, which asks the context, and whenever it calls them,
        // which asks the resolver first.
        AssemblyLoadContext.GetLoadContext(torchSharp)!.ResolvingUnmanagedDll += (_, name) => Find(name);
        NativeLibrary.SetDllImportResolver(torchSharp, (name, _, _) => Find(name));

        IntPtr Find(string name) => libraries.GetValueOrDefault(name);
    }

    private static IntPtr Load(string path)
    {
        try
        {
            return NativeLibrary.Load(path);
        }
        catch (BadImageFormatException e)
        {
            // Windows does not say which.
            throw new DllNotFoundException($"'{path}': {e.Message}", e);
        }
    }
}
