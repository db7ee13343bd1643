using System.Reflection;
using System.Reflection.Metadata;
using System.Reflection.PortableExecutable;
using Fairseq2Llama.Tests.Support;

namespace Fairseq2Llama.Tests.StagedModule;

/// <summary>PowerShell 7.4 runs on .NET 8, which loads nothing that was compiled against a newer framework.</summary>
public sealed class FrameworkVersionTests : IDisposable
{
    private static readonly Version Oldest = new(8, 0, 0, 0);

    /// <summary>PowerShell has the first. TorchSharp needs the others for TensorBoard and downloaded datasets only.</summary>
    private static readonly string[] Elsewhere = ["System.Management.Automation", "Google.Protobuf", "ICSharpCode.SharpZipLib", "SkiaSharp"];

    private readonly TempFolder _folder = new();

    public void Dispose() => _folder.Dispose();

    [Fact]
    public void Everything_referenced_is_in_the_module_or_in_NET_8()
    {
        var module = Path.GetDirectoryName(Repository.StagedModule)!;

        Assert.NotEmpty(References(module));
        Assert.Empty(Missing(module));
    }

    /// <summary>The test would find it if there were one.</summary>
    [Fact]
    public void A_newer_framework_is_found()
    {
        Copy(typeof(FrameworkVersionTests).Assembly.Location);

        Assert.Contains(Missing(_folder.Path), line => line.StartsWith("Fairseq2Llama.Tests.dll needs System.Runtime 10.", StringComparison.Ordinal));
    }

    [Fact]
    public void An_assembly_that_is_older_than_the_reference_is_found()
    {
        Copy(Path.Combine(Path.GetDirectoryName(Repository.StagedModule)!, "dependencies", "Fairseq2Llama.Adapters.dll"));
        Copy(Repository.OtherHashing);

        Assert.Contains(Missing(_folder.Path), line => line.StartsWith("Fairseq2Llama.Adapters.dll needs System.IO.Hashing 10.", StringComparison.Ordinal));
    }

    private static IEnumerable<string> Missing(string module) =>
        from reference in References(module)
        where !Elsewhere.Contains(reference.Needed.Name) && !IsThere(module, reference.File, reference.Needed)
        select $"{Path.GetRelativePath(module, reference.File)} needs {reference.Needed.Name} {reference.Needed.Version}";

    private static IEnumerable<(string File, AssemblyName Needed)> References(string module)
    {
        foreach (var file in Directory.EnumerateFiles(module, "*.dll", SearchOption.AllDirectories))
        {
            using var image = new PEReader(File.OpenRead(file));

            // The native libraries in runtimes/ have none.
            if (image.HasMetadata)
            {
                var metadata = image.GetMetadataReader();

                foreach (var handle in metadata.AssemblyReferences)
                {
                    yield return (file, metadata.GetAssemblyReference(handle).GetAssemblyName());
                }
            }
        }
    }

    /// <summary>What lies beside an assembly comes before the framework, and the assembly of all seams lies in the module's root.</summary>
    private static bool IsThere(string module, string file, AssemblyName needed)
    {
        var carried = new[] { Path.GetDirectoryName(file)!, module }.Select(folder => Path.Combine(folder, $"{needed.Name}.dll")).FirstOrDefault(File.Exists);

        // An assembly that is new in a later framework than .NET 8 has that one's version.
        return carried is not null
            ? needed.Version <= AssemblyName.GetAssemblyName(carried).Version
            : needed.Version <= Oldest && File.Exists(Path.Combine(Path.GetDirectoryName(typeof(object).Assembly.Location)!, $"{needed.Name}.dll"));
    }

    private void Copy(string file) => File.Copy(file, _folder[Path.GetFileName(file)]);
}
