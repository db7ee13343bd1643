using System.Collections.Concurrent;
using System.Reflection;
using System.Runtime.ExceptionServices;
using System.Runtime.Loader;

namespace Fairseq2Llama.Isolation;

/// <summary>
/// Finds the assemblies that reference third-party packages. Inside the module they lie in <c>dependencies/</c> beside this assembly and
/// are loaded, with everything that lies there, into a load context of their own: a PowerShell session in which another module has loaded
/// another version of the same package neither disturbs us nor is disturbed. A .NET program that references them in the ordinary way has
/// no such folder and gets them from its own default context.
/// </summary>
internal static class IsolatedAssemblies
{
    private static readonly string Folder = Path.Combine(
        Path.GetDirectoryName(typeof(IsolatedAssemblies).Assembly.Location) ?? "", "dependencies");

    private static readonly ConcurrentDictionary<string, AssemblyLoadContext> Contexts = new(StringComparer.Ordinal);

    /// <summary>Makes an object of a type that can't be referenced from here.</summary>
    /// <param name="assembly">The assembly's name.</param>
    /// <param name="type">The full name of a type with a constructor without parameters.</param>
    /// <param name="folder">The folder in <c>dependencies/</c>, which has a context of its own; by default, that folder itself.</param>
    public static T Create<T>(string assembly, string type, string folder = "")
    {
        var path = Path.Combine(Folder, folder);
        var loaded = File.Exists(Path.Combine(path, assembly + ".dll"))
            ? Contexts.GetOrAdd(folder, _ => new IsolatedContext(folder.Length == 0 ? "Fairseq2Llama" : $"Fairseq2Llama.{folder}", path)).LoadFromAssemblyName(new AssemblyName(assembly))
            : Assembly.Load(assembly);

        try
        {
            return (T)Activator.CreateInstance(loaded.GetType(type, throwOnError: true)!)!;
        }
        catch (TargetInvocationException e) when (e.InnerException is not null)
        {
            ExceptionDispatchInfo.Throw(e.InnerException);
            throw;
        }
    }

    private sealed class IsolatedContext(string name, string folder) : AssemblyLoadContext(name)
    {
        protected override Assembly? Load(AssemblyName assemblyName)
        {
            var self = typeof(IsolatedAssemblies).Assembly;

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
