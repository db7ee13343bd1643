using System.Runtime.InteropServices;
using TorchSharp;

namespace Fairseq2Llama.Torch;

/// <summary>A folder that may hold libtorch, and where the library is that TorchSharp calls it through.</summary>
/// <param name="Origin">Why it is looked at, for messages.</param>
/// <param name="Folder">The folder.</param>
/// <param name="BridgeFolders">Where the bridge may be if it is not in the folder itself.</param>
internal sealed record LibTorchLocation(string Origin, string Folder, IReadOnlyList<string> BridgeFolders)
{
    public const string Variable = "FAIRSEQ2LLAMA_LIBTORCH";

    /// <summary>The version that TorchSharp was made for. It says so itself, but only once it is loaded.</summary>
    public const string Version = "2.10.0";

    private const string Bridge = "LibTorchSharp";

    /// <summary>In the order in which they must be loaded, so that the dependencies of each are already loaded.</summary>
    private static readonly string[] Libraries = ["c10", "torch_cpu", "torch"];

    /// <summary>.NET's name for this system and processor, as packages have it: <c>linux-x64</c>.</summary>
    public static string RuntimeIdentifier { get; } =
        (OperatingSystem.IsWindows() ? "win" : OperatingSystem.IsMacOS() ? "osx" : "linux")
        + "-" + RuntimeInformation.ProcessArchitecture.ToString().ToLowerInvariant();

    /// <summary>The package that has libtorch for this system.</summary>
    public static string Package { get; } = $"libtorch-cpu-{RuntimeIdentifier}";

    /// <summary>Where a user can put libtorch once and for all.</summary>
    public static string ModuleFolder { get; } = NativeIn(ModuleRoot());

    /// <summary>The libraries in the order in which they have to be loaded, under the names by which TorchSharp asks for them.</summary>
    public IEnumerable<(string Name, string Path)> Files => Libraries
        .Select(name => (name, Path.Combine(Folder, FileName(name))))
        .Append((Bridge, FindBridge()!));

    /// <summary>All locations to try, in order. If the user names a folder, no other is tried.</summary>
    public static IEnumerable<LibTorchLocation> All()
    {
        var packages = PackageFolder();
        string[] bridges = [ModuleFolder, NativeIn(Path.Combine(packages, "torchsharp", TorchSharpVersion()))];

        return Environment.GetEnvironmentVariable(Variable) is { Length: > 0 } named
            ? [new($"the folder of {Variable}", named, bridges)]
            :
            [
                new("the module's folder", ModuleFolder, bridges),
                new("the folder of the NuGet package", NativeIn(Path.Combine(packages, Package, Version)), bridges),
            ];
    }

    /// <summary>The first of its files that is not there.</summary>
    public string? FindMissing() =>
        Libraries.Select(FileName).FirstOrDefault(file => !File.Exists(Path.Combine(Folder, file)))
        ?? (FindBridge() is null ? FileName(Bridge) : null);

    private static string FileName(string name) =>
        OperatingSystem.IsWindows() ? name + ".dll" : OperatingSystem.IsMacOS() ? $"lib{name}.dylib" : $"lib{name}.so";

    private static string NativeIn(string root) => Path.Combine(root, "runtimes", RuntimeIdentifier, "native");

    private string? FindBridge() =>
        BridgeFolders.Prepend(Folder).Select(folder => Path.Combine(folder, FileName(Bridge))).FirstOrDefault(File.Exists);

    /// <summary>In the module this assembly lies in a folder of it.</summary>
    private static string ModuleRoot()
    {
        var folder = Path.GetDirectoryName(typeof(LibTorchLocation).Assembly.Location)!;
        return Path.GetFileName(folder) == "dependencies" ? Path.GetDirectoryName(folder)! : folder;
    }

    private static string PackageFolder() => Environment.GetEnvironmentVariable("NUGET_PACKAGES") is { Length: > 0 } folder
        ? folder
        : Path.Combine(Environment.GetFolderPath(Environment.SpecialFolder.UserProfile), ".nuget", "packages");

    private static string TorchSharpVersion() => typeof(torch).Assembly.GetName().Version!.ToString(3);
}
