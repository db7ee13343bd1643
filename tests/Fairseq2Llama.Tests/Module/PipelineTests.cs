using System.Management.Automation.Language;
using System.Text.RegularExpressions;
using Fairseq2Llama.Tests.Support;
using YamlDotNet.RepresentationModel;

namespace Fairseq2Llama.Tests.StagedModule;

/// <summary>What can be known of azure-pipelines.yml without an agent: that it is YAML, and that its scripts are scripts and call what there is.</summary>
public sealed partial class PipelineTests
{
    private static readonly string BuildScript = Path.Combine(Repository.Root, "build.ps1");

    private static readonly YamlMappingNode Pipeline = Load();

    [Fact]
    public void Has_scripts_that_PowerShell_can_parse() => Assert.All(Scripts(), script =>
    {
        Parser.ParseInput(script, out _, out var errors);
        Assert.Empty(errors);
    });

    [Fact]
    public void Calls_build_with_tasks_and_parameters_that_it_has()
    {
        var build = Parser.ParseFile(BuildScript, out _, out var errors);
        Assert.Empty(errors);
        var parameters = build.ParamBlock.Parameters.Select(parameter => parameter.Name.VariablePath.UserPath).ToArray();
        var functions = build.FindAll(node => node is FunctionDefinitionAst, false).Cast<FunctionDefinitionAst>().Select(function => function.Name).ToArray();

        var calls = Scripts().SelectMany(script => BuildCall().Matches(script).Select(match => match.Groups[1].Value)).ToArray();

        Assert.NotEmpty(calls);
        Assert.All(calls, call => Assert.Contains(TaskArgument().Match(call).Groups[1].Value, functions));
        Assert.All(calls.SelectMany(call => Parameter().Matches(call).Select(match => match.Groups[1].Value)), name => Assert.Contains(name, parameters));
    }

    private static List<string> Scripts()
    {
        var scripts = Nodes(Pipeline).OfType<YamlMappingNode>()
            .SelectMany(node => node.Children)
            .Where(pair => pair.Key.ToString() == "pwsh")
            .Select(pair => MacroInScript().Replace(pair.Value.ToString(), "macro"))
            .ToList();
        Assert.NotEmpty(scripts);
        return scripts;
    }

    private static IEnumerable<YamlNode> Nodes(YamlNode node) => node switch
    {
        YamlMappingNode mapping => mapping.Children.Values.SelectMany(Nodes).Prepend(node),
        YamlSequenceNode sequence => sequence.SelectMany(Nodes).Prepend(node),
        _ => [node],
    };

    private static YamlMappingNode Load()
    {
        using var reader = File.OpenText(Path.Combine(Repository.Root, "azure-pipelines.yml"));
        var yaml = new YamlStream();
        yaml.Load(reader);
        return (YamlMappingNode)Assert.Single(yaml.Documents).RootNode;
    }

    // The agent puts values in their place before PowerShell sees them.
    [GeneratedRegex(@"\$\([A-Za-z.]+\)", RegexOptions.CultureInvariant)]
    private static partial Regex MacroInScript();

    [GeneratedRegex(@"\./build\.ps1(.*)$", RegexOptions.CultureInvariant | RegexOptions.Multiline)]
    private static partial Regex BuildCall();

    [GeneratedRegex(@" -Task (\w+)", RegexOptions.CultureInvariant)]
    private static partial Regex TaskArgument();

    [GeneratedRegex(@" -(\w+)", RegexOptions.CultureInvariant)]
    private static partial Regex Parameter();
}
