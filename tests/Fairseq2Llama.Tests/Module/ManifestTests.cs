using System.Management.Automation;
using System.Reflection;
using Fairseq2Llama.Tests.Support;

namespace Fairseq2Llama.Tests.StagedModule;

public sealed class ManifestTests : IDisposable
{
    private readonly Session _session = new();

    public void Dispose() => _session.Dispose();

    [Fact]
    public void Exports_every_cmdlet_of_the_assembly_and_nothing_else()
    {
        var module = Module();

        var cmdlets = Assembly.LoadFrom(Path.Combine(Path.GetDirectoryName(Repository.StagedModule)!, "Fairseq2Llama.dll")).GetExportedTypes()
            .Select(type => type.GetCustomAttributesData().SingleOrDefault(attribute => attribute.AttributeType.Name == nameof(CmdletAttribute)))
            .OfType<CustomAttributeData>()
            .Select(attribute => $"{attribute.ConstructorArguments[0].Value}-{attribute.ConstructorArguments[1].Value}")
            .Order(StringComparer.Ordinal)
            .ToArray();

        Assert.NotEmpty(cmdlets);
        Assert.Equal(cmdlets, module.ExportedCmdlets.Keys.Order(StringComparer.Ordinal));
        Assert.Empty(module.ExportedFunctions);
        Assert.Equal(["Test-Fairseq2Checkpoint"], module.ExportedAliases.Keys);
        Assert.Empty(module.ExportedVariables);
    }

    [Fact]
    public void Lists_its_exports_by_name_so_that_nothing_need_be_loaded_to_find_a_command() =>
        Assert.DoesNotContain('*', File.ReadAllText(Repository.StagedModule));

    [Fact]
    public void Has_the_version_of_the_assemblies()
    {
        var version = Module().Version.ToString();
        var prerelease = _session.Run("(Get-Module Fairseq2Llama).PrivateData.PSData.Prerelease").Single()?.ToString();
        var assembly = typeof(Fairseq2Checkpoint).Assembly;

        Assert.Equal(version, assembly.GetName().Version!.ToString(3));
        Assert.Equal(
            string.IsNullOrEmpty(prerelease) ? version : $"{version}-{prerelease}",
            assembly.GetCustomAttribute<AssemblyInformationalVersionAttribute>()!.InformationalVersion.Split('+')[0]);
    }

    [Fact]
    public void Names_only_files_that_are_there()
    {
        var module = Module();

        Assert.NotEmpty(module.ExportedFormatFiles);
        Assert.All(module.ExportedFormatFiles, file => Assert.True(File.Exists(file), file));

        // Type files of two copies of a module in one session collide, and the second can't be imported.
        Assert.Empty(module.ExportedTypeFiles);
    }

    [Fact]
    public void Says_of_every_command_what_it_gives()
    {
        Assert.All(Module().ExportedCmdlets.Values, command => Assert.NotEmpty(command.OutputType));
    }

    [Fact]
    public void Gives_no_parameter_the_name_or_alias_of_a_common_one()
    {
        var common = Cmdlet.CommonParameters.Concat(Cmdlet.OptionalCommonParameters).ToHashSet(StringComparer.OrdinalIgnoreCase);

        Assert.All(Module().ExportedCmdlets.Values, command =>
        {
            var own = command.Parameters.Values.Where(parameter => !common.Contains(parameter.Name));
            Assert.DoesNotContain(own.SelectMany(parameter => parameter.Aliases), common.Contains);
        });
    }

    [Fact]
    public void Keeps_third_party_assemblies_out_of_the_folder_that_PowerShell_loads_from()
    {
        var folder = Path.GetDirectoryName(Repository.StagedModule)!;

        Assert.All(Directory.EnumerateFiles(folder, "*.dll"), file => Assert.StartsWith("Fairseq2Llama", Path.GetFileName(file), StringComparison.Ordinal));
        Assert.True(File.Exists(Path.Combine(folder, "dependencies", "System.IO.Hashing.dll")));
        Assert.False(File.Exists(Path.Combine(folder, "dependencies", "Fairseq2Llama.Checkpoints.dll")), "its types must be the very same on both sides");
    }

    private PSModuleInfo Module() => _session.RunOne<PSModuleInfo>("Get-Module Fairseq2Llama");
}
