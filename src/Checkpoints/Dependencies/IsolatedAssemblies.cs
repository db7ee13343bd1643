using System.Reflection;
using System.Runtime.ExceptionServices;
using System.Runtime.Loader;

namespace Fairseq2Llama.Dependencies;

/// <summary>
/// Finds the assemblies that reference third-party packages. Inside the module they lie in <c>dependencies/</c> beside this assembly and
/// are loaded, with everything that lies there, into a load context of our own: a PowerShell session in which another module has loaded
/// another version of the same package neither disturbs us nor is disturbed. A .NET program that references them in the ordinary way has
/// no such folder and gets them from its own default context.
/// </summary>
internal static class IsolatedAssemblies
{
    private static readonly string Folder = Path.Combine(
        Path.GetDirectoryName(typeof(IsolatedAssemblies).Assembly.Location) ?? "", "dependencies");

    private static readonly Lazy<AssemblyLoadContext> Context = new(() => new IsolatedContext());

    /// <summary>Makes an object of a type that can't be referenced from here.</summary>
    /// <param name="assembly">The assembly's name.</param>
    /// <param name="type">The full name of a type with a constructor without parameters.</param>
    public static T Create<T>(string assembly, string type)
    {
        var loaded = File.Exists(Path.Combine(Folder, assembly + ".dll"))
            ? Context.Value.LoadFromAssemblyName(new AssemblyName(assembly))
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

    private sealed class IsolatedContext() : AssemblyLoadContext("Fairseq2Llama")
    {
        protected override Assembly? Load(AssemblyName assemblyName)
        {
            var self = typeof(IsolatedAssemblies).Assembly;

            if (assemblyName.Name == self.GetName().Name)
            {
                // The seam's types must be the very same on both sides.
                return self;
            }

            var path = Path.Combine(Folder, assemblyName.Name + ".dll");
            return File.Exists(path) ? LoadFromAssemblyPath(path) : null;
        }
    }
}
