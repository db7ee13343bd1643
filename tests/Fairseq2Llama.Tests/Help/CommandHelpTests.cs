using System.Management.Automation;
using System.Xml.Linq;
using Fairseq2Llama.Tests.Support;

namespace Fairseq2Llama.Tests.Help;

/// <summary>Help of every command, held against the command.</summary>
public sealed class CommandHelpTests : IDisposable
{
    private readonly Session _session = new();

    public static TheoryData<string> Names => HelpFile.Names;

    public void Dispose() => _session.Dispose();

    [Fact]
    public void Is_there_for_every_command_and_for_nothing_else()
    {
        var exported = _session.RunOne<PSModuleInfo>("Get-Module Fairseq2Llama").ExportedCmdlets.Keys.Order(StringComparer.Ordinal);

        Assert.Equal(exported, HelpFile.Commands.Keys);
    }

    [Theory]
    [MemberData(nameof(Names))]
    public void Is_found_by_PowerShell(string name)
    {
        dynamic help = Assert.Single(_session.Run($"Get-Help {name} -Full"));

        Assert.Equal(HelpFile.Describe(HelpFile.Commands[name].Element(HelpFile.Command + "details")!), ((string)help.Synopsis).Trim());
        Assert.DoesNotContain("[<CommonParameters>]", (string)help.Synopsis, StringComparison.Ordinal);
    }

    [Theory]
    [MemberData(nameof(Names))]
    public void Says_all_that_there_is_to_say(string name)
    {
        var command = HelpFile.Commands[name];

        Assert.NotEmpty(HelpFile.Describe(command));
        Assert.True(HelpFile.Examples(name).Length >= 2, "fewer than two examples");
        Assert.All(HelpFile.Examples(name), code => Assert.False(string.IsNullOrWhiteSpace(code)));
        Assert.All(command.Descendants(HelpFile.Maml + "description"), description => Assert.All(description.Elements(), para => Assert.NotEmpty(para.Value)));
        Assert.All(command.Descendants(HelpFile.Dev + "remarks"), remarks => Assert.NotEmpty(remarks.Value.Trim()));
        Assert.NotEmpty(command.Descendants(HelpFile.Command + "inputType"));
        Assert.NotEmpty(command.Descendants(HelpFile.Maml + "navigationLink"));
    }

    [Theory]
    [MemberData(nameof(Names))]
    public void Describes_every_parameter_as_it_is(string name)
    {
        var command = Command(name);
        var expected = DocumentedParameter.Of(command, Activator.CreateInstance(command.ImplementingType)!).OrderBy(parameter => parameter.Name, StringComparer.Ordinal);
        var described = HelpFile.Parameters(name);

        Assert.Equal(expected, described.Values.Select(Read).OrderBy(parameter => parameter.Name, StringComparer.Ordinal));
        Assert.All(described.Values, parameter => Assert.NotEmpty(HelpFile.Describe(parameter)));
    }

    [Theory]
    [MemberData(nameof(Names))]
    public void Has_the_syntax_of_every_parameter_set(string name)
    {
        var sets = Command(name).ParameterSets.Select(set => set.ToString());
        var items = HelpFile.Commands[name].Element(HelpFile.Command + "syntax")!.Elements(HelpFile.Command + "syntaxItem").Select(WriteSyntax);

        // Which of the named ones comes first is a matter of taste.
        Assert.Equal(sets.Select(Sort).Order(StringComparer.Ordinal), items.Select(Sort).Order(StringComparer.Ordinal));

        static string Sort(string syntax) => string.Join('\n', syntax.Replace(" [<CommonParameters>]", "", StringComparison.Ordinal)
            .Replace(" [-", "\n[-", StringComparison.Ordinal).Replace(" -", "\n-", StringComparison.Ordinal).Replace(" [[", "\n[[", StringComparison.Ordinal)
            .Split('\n').Order(StringComparer.Ordinal));
    }

    [Theory]
    [MemberData(nameof(Names))]
    public void Lists_the_values_that_a_parameter_takes(string name)
    {
        var parameters = Command(name).Parameters;

        Assert.All(HelpFile.Commands[name].Descendants(HelpFile.Command + "syntaxItem").Elements(HelpFile.Command + "parameter"), item =>
        {
            var parameter = parameters[item.Element(HelpFile.Maml + "name")!.Value];
            var type = Nullable.GetUnderlyingType(parameter.ParameterType) ?? parameter.ParameterType;
            var values = parameter.Attributes.OfType<ValidateSetAttribute>().SingleOrDefault()?.ValidValues ?? (type.IsEnum ? Enum.GetNames(type) : []);

            Assert.Equal(values, item.Elements(HelpFile.Command + "parameterValueGroup").Elements().Select(value => value.Value));
        });
    }

    [Theory]
    [MemberData(nameof(Names))]
    public void Names_the_types_that_come_in_and_go_out(string name)
    {
        var command = Command(name);
        Assert.Equal(command.OutputType.Select(type => type.Name), HelpFile.Commands[name].Descendants(HelpFile.Command + "returnValue").Select(TypeOf));

        var piped = command.Parameters.Values.Where(parameter => parameter.ParameterSets.Values.Any(set => set.ValueFromPipeline))
            .Select(parameter => parameter.ParameterType.GetElementType() ?? parameter.ParameterType)
            .SelectMany(type => type.Name switch
            {
                "ArchitectureArgument" => [typeof(LlamaArchitecture)],
                "CheckpointArgument" => (IEnumerable<Type>)[typeof(LlamaCheckpoint), typeof(string), typeof(FileSystemInfo)],
                "PathArgument" => [typeof(string), typeof(FileSystemInfo)],
                _ => [type],
            })
            .Select(type => type.FullName);
        Assert.Subset(HelpFile.Commands[name].Descendants(HelpFile.Command + "inputType").Select(TypeOf).ToHashSet(), piped.Select(type => type!).ToHashSet());

        static string TypeOf(XElement element) => element.Element(HelpFile.Dev + "type")!.Value.Trim();
    }

    [Theory]
    [MemberData(nameof(Names))]
    public void Leads_only_to_what_there_is(string name) =>
        Assert.All(HelpFile.Commands[name].Descendants(HelpFile.Maml + "linkText"), link => Assert.True(
            HelpFile.Commands.ContainsKey(link.Value) || File.Exists(Path.Combine(HelpFile.Folder, $"{link.Value}.help.txt")), link.Value));

    [Fact]
    public void Says_the_same_of_what_exports_of_checkpoints_have_in_common()
    {
        // A GGUF file is a file and not a folder, and can be quantized.
        const string Gguf = "Export-LlamaGgufCheckpoint";
        string[] different = ["DestinationPath", "DType", "Force"];

        var exports = HelpFile.Commands.Keys.Where(name => name.StartsWith("Export-", StringComparison.Ordinal) && name.EndsWith("Checkpoint", StringComparison.Ordinal)).ToArray();

        var common = HelpFile.Parameters(exports[0]).Keys.Where(name => exports.All(export => HelpFile.Parameters(export).ContainsKey(name))).ToArray();
        Assert.Contains("DestinationPath", common);
        Assert.All(common, name => Assert.Single(
            exports.Where(export => export != Gguf || !different.Contains(name)).Select(export => HelpFile.Parameters(export)[name].ToString()).Distinct()));
    }

    private CmdletInfo Command(string name) => _session.RunOne<CmdletInfo>($"Get-Command {name}");

    private static DocumentedParameter Read(XElement parameter) => new(
        parameter.Element(HelpFile.Maml + "name")!.Value,
        parameter.Element(HelpFile.Dev + "type")!.Value.Trim(),
        parameter.Attribute("required")!.Value,
        parameter.Attribute("position")!.Value,
        parameter.Attribute("pipelineInput")!.Value,
        parameter.Attribute("globbing")!.Value,
        parameter.Attribute("variableLength")!.Value,
        parameter.Attribute("aliases")!.Value,
        parameter.Element(HelpFile.Dev + "defaultValue")!.Value);

    /// <summary>A syntax as PowerShell writes it by itself, but for the values that a parameter takes.</summary>
    private static string WriteSyntax(XElement item) => string.Join(' ', item.Elements(HelpFile.Command + "parameter").Select(parameter =>
    {
        var name = $"-{parameter.Element(HelpFile.Maml + "name")!.Value}";
        var type = parameter.Element(HelpFile.Command + "parameterValue")?.Value
            ?? (parameter.Element(HelpFile.Command + "parameterValueGroup") is null ? null : HelpFile.Parameters(item.Element(HelpFile.Maml + "name")!.Value)[name[1..]].Element(HelpFile.Dev + "type")!.Value);
        var isNamed = parameter.Attribute("position")!.Value == "named";
        var text = (isNamed ? name : $"[{name}]") + (type is null ? "" : $" <{type}>");

        return parameter.Attribute("required")!.Value == "true" ? text : $"[{text}]";
    }));
}
