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

    [Fact]
    public void Calls_scripts_of_tools_and_functions_in_them()
    {
        var files = Directory.GetFiles(Path.Combine(Repository.Root, "tools"), "*.ps1");
        var functions = files
            .SelectMany(file => Parser.ParseFile(file, out _, out _).FindAll(node => node is FunctionDefinitionAst, true))
            .Select(node => ((FunctionDefinitionAst)node).Name).ToArray();
        string[] ofPowerShell =
        [
            "Copy-Item", "Get-AuthenticodeSignature", "Get-ChildItem", "Get-FileHash", "Get-Item", "Group-Object", "Install-PSResource", "Remove-Item", "Select-Object",
            "Test-Path", "Where-Object", "Write-Host",
        ];
        string[] ofArtifactSigning = ["Invoke-ArtifactSigning"];

        var commands = Scripts()
            .SelectMany(script => Parser.ParseInput(script, out _, out _).FindAll(node => node is CommandAst, true))
            .Select(node => ((CommandAst)node).GetCommandName()).OfType<string>().Distinct().ToArray();

        Assert.Subset(files.Select(file => $"./tools/{Path.GetFileName(file)}").ToHashSet(), commands.Where(name => name.StartsWith("./tools/", StringComparison.Ordinal)).ToHashSet());
        Assert.Contains("Get-SignableFile", commands);
        Assert.Empty(commands.Where(name => VerbAndNoun().IsMatch(name)).Except([.. functions, .. ofPowerShell, .. ofArtifactSigning]));
    }

    [Fact]
    public void Signs_and_says_where_packages_were_built_before_it_publishes_them()
    {
        var jobs = Nodes(Pipeline).OfType<YamlMappingNode>().Where(node => node.Children.ContainsKey("job")).ToDictionary(node => node["job"].ToString());
        string[] Steps(string job) => [.. Nodes(jobs[job]["steps"]).OfType<YamlMappingNode>().SelectMany(node => node.Children)
            .Where(pair => pair.Key.ToString() is "pwsh" or "task" or "artifact").Select(pair => pair.Value.ToString())];

        foreach (var (job, artifact) in new[] { ("package", "module"), ("sign", "signed") })
        {
            var steps = Steps(job);
            var pack = Array.FindLastIndex(steps, step => step.Contains("./build.ps1 -Task Package", StringComparison.Ordinal));
            var provenance = Array.FindIndex(steps, step => step.Contains("./tools/Write-Provenance.ps1", StringComparison.Ordinal));
            Assert.InRange(provenance, pack + 1, Array.IndexOf(steps, artifact) - 1);
        }

        var signing = Steps("sign");
        Assert.InRange(Array.IndexOf(signing, "AzureCLI@2"), 0, Array.FindIndex(signing, step => step.Contains("-ModulePath", StringComparison.Ordinal)) - 1);
    }

    [Fact]
    public void Asks_for_a_service_connection_only_where_one_is_named()
    {
        YamlNode[] Connections(YamlNode node) => [.. Nodes(node).OfType<YamlMappingNode>().Where(mapping => mapping.Children.ContainsKey("azureSubscription"))];
        var conditional = Nodes(Pipeline).OfType<YamlMappingNode>().SelectMany(node => node.Children)
            .Where(pair => pair.Key.ToString().StartsWith("${{ if and(ne(parameters.signingConnection, 'none')", StringComparison.Ordinal));

        Assert.NotEmpty(Connections(Pipeline));
        Assert.Equal(Connections(Pipeline), conditional.SelectMany(pair => Connections(pair.Value)));
    }

    [Fact]
    public void Gives_secrets_to_scripts_only_through_their_environment()
    {
        string[] secrets = ["$(GalleryApiKey)", "$(ProvenanceKey)"];
        var holders = Nodes(Pipeline).OfType<YamlMappingNode>().SelectMany(node => node.Children).Where(pair => pair.Value is YamlScalarNode);
        var environments = Nodes(Pipeline).OfType<YamlMappingNode>().Where(node => node.Children.ContainsKey("env")).SelectMany(node => ((YamlMappingNode)node["env"]).Children);

        var uses = holders.Where(pair => secrets.Any(secret => pair.Value.ToString().Contains(secret, StringComparison.Ordinal))).ToArray();

        Assert.Equal(secrets, uses.Select(pair => pair.Value.ToString()).Distinct().Order());
        Assert.Subset(environments.Select(pair => pair.Key.ToString()).ToHashSet(), uses.Select(pair => pair.Key.ToString()).ToHashSet());
    }

    private static List<string> Scripts()
    {
        var scripts = Nodes(Pipeline).OfType<YamlMappingNode>()
            .SelectMany(node => node.Children)
            .Where(pair => pair.Key.ToString() is "pwsh" or "inlineScript")
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

    [GeneratedRegex(@"^\w+-\w+$", RegexOptions.CultureInvariant)]
    private static partial Regex VerbAndNoun();
}
