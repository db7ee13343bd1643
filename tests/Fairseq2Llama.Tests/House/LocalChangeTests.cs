using System.Text.RegularExpressions;
using Fairseq2Llama.Tests.Support;

namespace Fairseq2Llama.Tests.House;

/// <summary>Whoever moves or deletes a file by .NET's own methods fails on Windows whenever a virus scanner looks at it.</summary>
public sealed partial class LocalChangeTests
{
    [Fact]
    public void Files_are_moved_and_deleted_in_one_place()
    {
        var stores = Path.Combine(Repository.Root, "src", "Checkpoints", "Stores");
        var callers = Directory.EnumerateFiles(stores, "*.cs", SearchOption.AllDirectories).Where(file => Call().IsMatch(File.ReadAllText(file)));

        Assert.Equal(["LocalChange.cs"], callers.Select(Path.GetFileName));
    }

    [GeneratedRegex(@"\b(File|Directory)\.(Move|Delete|Replace)\(", RegexOptions.CultureInvariant)]
    private static partial Regex Call();
}
