using System.Reflection;
using System.Runtime.Loader;

namespace Fairseq2Llama.Dependencies;

/// <summary>
/// Finds Fairseq2Llama.Adapters. Inside the module it lies in <c>dependencies/</c> beside this assembly and is loaded,
/// with everything that lies there, into a load context of its own: a PowerShell session in which another module has loaded
/// another version of the same package neither disturbs us nor is disturbed. A .NET program that references the
/// adapters in the ordinary way has no such folder and gets them from its own default context.
/// </summary>
internal static class ThirdParty
{
    private const string AdaptersName = "Fairseq2Llama.Adapters";

    private static readonly Lazy<IThirdParty> Loaded = new(Load);

    public static IChecksum CreateCrc32() => Loaded.Value.CreateCrc32();

    /// <inheritdoc cref="IThirdParty.ReadYaml"/>
    public static object? ReadYaml(string text) => Loaded.Value.ReadYaml(text);

    private static IThirdParty Load()
    {
        var folder = Path.Combine(Path.GetDirectoryName(typeof(ThirdParty).Assembly.Location) ?? "", "dependencies");
        var adapters = File.Exists(Path.Combine(folder, AdaptersName + ".dll"))
            ? new IsolatedContext(folder).LoadFromAssemblyName(new AssemblyName(AdaptersName))
            : Assembly.Load(AdaptersName);

        return (IThirdParty)Activator.CreateInstance(adapters.GetType(AdaptersName + ".ThirdPartyAdapters", throwOnError: true)!)!;
    }

    private sealed class IsolatedContext(string folder) : AssemblyLoadContext("Fairseq2Llama")
    {
        protected override Assembly? Load(AssemblyName assemblyName)
        {
            var self = typeof(ThirdParty).Assembly;

            if (assemblyName.Name == self.GetName().Name)
            {
                // The seam's types must be the very same on both sides.
                return self;
            }

            var path = Path.Combine(folder, assemblyName.Name + ".dll");
            return File.Exists(path) ? LoadFromAssemblyPath(path) : null;
        }
    }
}
