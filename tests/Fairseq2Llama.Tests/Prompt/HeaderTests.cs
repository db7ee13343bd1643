using System.Reflection;
using System.Xml.Linq;
using Fairseq2Llama.Tests.Support;

namespace Fairseq2Llama.Tests.Prompt;

/// <summary>What views call something is a property of that name: by any other, Sort-Object would sort nothing and not say so.</summary>
public sealed class HeaderTests
{
    private static readonly Assembly Library = typeof(LlamaCheckpoint).Assembly;

    public static TheoryData<string> Tables => [.. Views("TableControl").Select(view => view.Element("Name")!.Value)];

    public static TheoryData<string> Lists => [.. Views("ListControl").Select(view => view.Element("Name")!.Value)];

    [Theory]
    [MemberData(nameof(Tables))]
    public void Every_header_of_a_table_is_a_property(string name)
    {
        var view = Find(name);
        var headers = view.Descendants("TableColumnHeader").Select(header => header.Element("Label")?.Value).ToArray();
        var items = view.Descendants("TableColumnItem").Select(item => item.Element("PropertyName")?.Value).ToArray();

        Assert.NotEmpty(headers);
        Assert.Equal(headers.Length, items.Length);
        Assert.All(headers.Zip(items), column => Assert.NotNull(FindProperty(view, column.First ?? column.Second!)));

        // And a column that shows a property shows the one that it is called by.
        Assert.All(headers.Zip(items), column => Assert.Equal(ValueOf(view, column.First ?? column.Second!), ValueOf(view, column.Second ?? column.First!)));
    }

    [Theory]
    [MemberData(nameof(Lists))]
    public void Every_label_of_a_list_is_a_property(string name)
    {
        var view = Find(name);

        Assert.All(
            view.Descendants("ListItem"),
            item => Assert.NotNull(FindProperty(view, item.Element("Label")?.Value ?? item.Element("PropertyName")!.Value)));
    }

    [Fact]
    public void Shapes_sort_by_what_they_hold_and_not_as_text()
    {
        TensorShape[] shapes = [new(4096, 16), new(1024, 16), new(64, 16), new(16, 64), new(2048), new()];

        Assert.Equal(["scalar", "16x64", "64x16", "2048", "1024x16", "4096x16"], shapes.Order().Select(shape => shape.ToString()));
        Assert.True(shapes[0].CompareTo(null) > 0);
        Assert.Equal(0, new TensorShape(2, 3).CompareTo(new TensorShape(2, 3)));
        Assert.Throws<ArgumentException>(() => shapes[0].CompareTo("4096x16"));
    }

    [Fact]
    public void Properties_that_tables_have_short_names_for_are_the_same_under_both()
    {
        var checkpoint = Fairseq2Checkpoint.Read(Repository.Case("tp2-llama3"));

        Assert.Equal((checkpoint.ElementCount, checkpoint.SizeInBytes, checkpoint.ShardCount), (checkpoint.Elements, checkpoint.Size, checkpoint.Shards));
        Assert.All(checkpoint.Tensors, tensor => Assert.Equal(tensor.SizeInBytes, tensor.Size));
        Assert.All(
            LlamaArchitectures.All,
            architecture => Assert.Equal(
                (architecture.ParameterCount, architecture.NumLayers, architecture.NumAttnHeads), (architecture.Parameters, architecture.Layers, architecture.Heads)));
    }

    [Fact]
    public void A_test_counts_its_errors_and_warnings()
    {
        var finding = new CheckpointFinding(FindingSeverity.Error, CheckpointErrorCode.MissingTensor, "one");
        var result = new CheckpointTestResult(
            "name", "path", null, [finding, finding with { Severity = FindingSeverity.Warning }, finding, finding with { Severity = FindingSeverity.Information }]);

        Assert.Equal((2, 1), (result.Errors, result.Warnings));
    }

    private static IEnumerable<XElement> Views(string control) =>
        from file in Directory.EnumerateFiles(Path.Combine(Path.GetDirectoryName(Repository.StagedModule)!, "Views"), "*.ps1xml").Order(StringComparer.Ordinal)
        from view in XDocument.Load(file).Descendants("View")
        where view.Element(control) is not null
        select view;

    private static XElement Find(string name) =>
        Assert.Single(Views("TableControl").Concat(Views("ListControl")), view => view.Element("Name")!.Value == name);

    /// <summary>Only some checkpoints have what a list shows of them; a table shows what all have.</summary>
    private static PropertyInfo? FindProperty(XElement view, string name)
    {
        var type = TypeOf(view);
        var types = view.Element("ListControl") is null ? [type] : Library.GetExportedTypes().Where(type.IsAssignableFrom);

        return types.Select(candidate => candidate.GetProperty(name)).FirstOrDefault(property => property is not null);
    }

    private static Type TypeOf(XElement view) => Library.GetType(Assert.Single(view.Descendants("TypeName")).Value, throwOnError: true)!;

    /// <summary>What a property is of something of the type, where one can be made for that.</summary>
    private static object? ValueOf(XElement view, string name) => TypeOf(view) is { } type && Examples.FirstOrDefault(type.IsInstanceOfType) is { } example
        ? FindProperty(view, name)!.GetValue(example)
        : null;

    private static object[] Examples { get; } = [Fairseq2Checkpoint.Read(Repository.Case("tp2-llama3")), TinyModel.Architecture];
}
