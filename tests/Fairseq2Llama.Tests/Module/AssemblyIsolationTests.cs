using System.Reflection;
using Fairseq2Llama.Tests.Support;

namespace Fairseq2Llama.Tests.StagedModule;

/// <summary>
/// Another module of the session may have brought System.IO.Hashing in another version, before ours or after. Neither may notice.
/// What is loaded is the matter of a whole process, so each test runs one.
/// </summary>
[External]
public sealed class AssemblyIsolationTests : IDisposable
{
    private const string Parameters = "param($Module, $Other, $Case, $Destination)\n";

    private const string LoadOther = "$null = [Reflection.Assembly]::LoadFrom($Other)\n";

    private const string Export = """
        Import-Module $Module
        $tiny = New-LlamaArchitecture tiny -ModelDim 16 -NumLayers 2 -NumAttnHeads 4 -NumKeyValueHeads 2 -VocabSize 40 -FfnInnerDimMultipleOf 8
        $null = Read-Fairseq2Checkpoint -LiteralPath $Case | Export-LlamaReferenceCheckpoint $Destination -Architecture $tiny -ErrorAction Stop

        """;

    // The type is taken from the default context, as another module's code would.
    private const string UseOther = """
        $hash = [Type]::GetType('System.IO.Hashing.Crc32, System.IO.Hashing, Version=8.0.0.0', $true)
        "used $($hash.Assembly.GetName().Version)"

        """;

    private const string Report = """
        foreach ($assembly in [AppDomain]::CurrentDomain.GetAssemblies()) {
            $name = $assembly.GetName()
            if ($name.Name -in 'System.IO.Hashing', 'Fairseq2Llama.Adapters', 'Fairseq2Llama.Checkpoints') {
                "$($name.Name) $($name.Version) in $([Runtime.Loader.AssemblyLoadContext]::GetLoadContext($assembly).Name)"
            }
        }

        """;

    private readonly TempFolder _folder = new();

    public void Dispose() => _folder.Dispose();

    [Fact]
    public void Exports_after_another_version_was_loaded_and_leaves_that_alone() => AssertIsolated(Run(LoadOther + Export + UseOther + Report));

    [Fact]
    public void Lets_another_version_be_loaded_after_it_has_exported() => AssertIsolated(Run(Export + LoadOther + UseOther + Report));

    [Theory]
    [InlineData("$null = Get-LlamaArchitecture", new string[0])]
    [InlineData("$null = Read-Fairseq2Checkpoint -LiteralPath $Case", new[] { "Fairseq2Llama.Adapters.dll", "System.IO.Hashing.dll" })]
    public void Loads_its_dependencies_only_when_they_are_needed(string script, string[] expected)
    {
        var dependencies = Path.Combine(Path.GetDirectoryName(Repository.StagedModule)!, "dependencies");

        var loaded = Run($"Import-Module $Module\n{script}\n[AppDomain]::CurrentDomain.GetAssemblies().Location")
            .Where(path => path.StartsWith(dependencies, StringComparison.Ordinal)).Select(Path.GetFileName);

        Assert.Equal(expected, loaded.Order(StringComparer.Ordinal));
        Assert.True(File.Exists(Path.Combine(dependencies, "YamlDotNet.dll")));
    }

    /// <summary>Each SDK is in a folder and a context of its own. None of the other store's is loaded, and none in the context of the session.</summary>
    [Theory]
    [InlineData("s3://bucket/run -ProfileName nobody", "S3")]
    [InlineData("http://127.0.0.1:1/account/container/run -EndpointUrl http://127.0.0.1:1/account", "AzureBlobs")]
    public void Loads_the_SDK_of_a_store_when_an_address_needs_it(string arguments, string store)
    {
        var lines = Run(
            $$"""
            Import-Module $Module
            Read-LlamaCheckpoint {{arguments}} -ErrorAction Ignore
            foreach ($assembly in [AppDomain]::CurrentDomain.GetAssemblies()) {
                if ($assembly.GetName().Name -match '^AWSSDK|^Azure|^Fairseq2Llama.(S3|Azure)') {
                    "$([IO.Path]::GetDirectoryName($assembly.Location)) in $([Runtime.Loader.AssemblyLoadContext]::GetLoadContext($assembly).Name)"
                }
            }

            """);

        var folder = Path.Combine(Path.GetDirectoryName(Repository.StagedModule)!, "dependencies", store);
        Assert.Equal([$"{folder} in Fairseq2Llama.{store}"], lines.Distinct());
        Assert.True(lines.Count > 1);
    }

    [Fact]
    public void Keeps_TorchSharp_to_itself_and_its_other_packages_out()
    {
        LibTorch.Require();

        var lines = Run(
            """
            Import-Module $Module
            $null = Read-Fairseq2Checkpoint -LiteralPath $Case | Get-CheckpointTensor | ConvertTo-TorchTensor -ErrorAction Stop
            foreach ($assembly in [AppDomain]::CurrentDomain.GetAssemblies()) {
                if ($assembly.GetName().Name -match 'Torch|Protobuf|Skia|SharpZip') {
                    "$($assembly.GetName().Name) in $([Runtime.Loader.AssemblyLoadContext]::GetLoadContext($assembly).Name)"
                }
            }

            """);

        Assert.Equal(["Fairseq2Llama.Torch in Fairseq2Llama", "TorchSharp in Fairseq2Llama"], lines.Order(StringComparer.Ordinal));
        Assert.Equal(
            ["Fairseq2Llama.Adapters.dll", "Fairseq2Llama.Torch.dll", "System.IO.Hashing.dll", "System.Numerics.Tensors.dll", "TorchSharp.dll", "YamlDotNet.dll"],
            Directory.EnumerateFiles(Path.Combine(Path.GetDirectoryName(Repository.StagedModule)!, "dependencies"), "*.dll").Select(Path.GetFileName).Order(StringComparer.Ordinal));
    }

    private void AssertIsolated(IReadOnlyList<string> lines)
    {
        Assert.Contains("used 8.0.0.0", lines);

        var loaded = lines.Where(line => line.StartsWith("System.IO.Hashing ", StringComparison.Ordinal)).Order(StringComparer.Ordinal);
        Assert.Equal([$"System.IO.Hashing {OwnVersion} in Fairseq2Llama", "System.IO.Hashing 8.0.0.0 in Default"], loaded);
        Assert.Contains(lines, line => line.StartsWith("Fairseq2Llama.Adapters ", StringComparison.Ordinal) && line.EndsWith(" in Fairseq2Llama", StringComparison.Ordinal));

        // One copy, or the types that both sides exchange would not be the same.
        Assert.Single(lines, line => line.StartsWith("Fairseq2Llama.Checkpoints ", StringComparison.Ordinal));
        Assert.Equal(["consolidated.00.pth", "params.json"], _folder.Content);
    }

    private static Version OwnVersion =>
        AssemblyName.GetAssemblyName(Path.Combine(Path.GetDirectoryName(Repository.StagedModule)!, "dependencies", "System.IO.Hashing.dll")).Version!;

    private IReadOnlyList<string> Run(string script) =>
        ScriptProcess.Run(Parameters + script, Repository.StagedModule, Repository.OtherHashing, Repository.Case("fs2"), _folder.Path);
}
