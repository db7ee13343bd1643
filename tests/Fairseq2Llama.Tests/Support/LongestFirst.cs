using Fairseq2Llama.Tests.House;
using Fairseq2Llama.Tests.Lossless;
using Xunit.Sdk;
using Xunit.v3;

namespace Fairseq2Llama.Tests.Support;

/// <summary>Begins with the classes that take longest, so that all others are done beside them and none of them is left over at the end.</summary>
public sealed class LongestFirst : ITestCollectionOrderer
{
    private static readonly string[] Long = [typeof(FailingCallTests).FullName!, typeof(FloorTests).FullName!, typeof(KilledExportTests).FullName!];

    public IReadOnlyCollection<TTestCollection> OrderTestCollections<TTestCollection>(IReadOnlyCollection<TTestCollection> testCollections)
        where TTestCollection : ITestCollection =>
        [.. testCollections.OrderBy(collection => !Long.Any(name => collection.TestCollectionDisplayName.Contains($" {name} ", StringComparison.Ordinal)))];
}
