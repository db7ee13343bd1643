using System.Runtime.InteropServices;
using System.Runtime.Loader;

namespace Fairseq2Llama.OtherRuntime;

/// <summary>Does the main job with the staged module and says in which runtime: <c>OtherRuntime REPOSITORY DESTINATION S3-ENDPOINT [libtorch]</c>.</summary>
internal static class Program
{
    private static void Main(string[] arguments)
    {
        AssemblyLoadContext.Default.Resolving += (context, name) =>
        {
            var path = Path.Combine(Path.GetFullPath(arguments[0]), "output", "Fairseq2Llama", $"{name.Name}.dll");
            return File.Exists(path) ? context.LoadFromAssemblyPath(path) : null;
        };

        // A class of its own, since the module is looked for as soon as a method that names its types is compiled.
        var count = new MainJob(arguments[0], arguments[1], new Uri(arguments[2]), arguments.Contains("libtorch")).Run();

        Console.WriteLine($"{RuntimeInformation.FrameworkDescription} on {RuntimeInformation.RuntimeIdentifier} wrote {count} files.");
    }
}
