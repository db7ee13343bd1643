using System.Reflection;
using Fairseq2Llama.Tests;
using Xunit.Sdk;
using Xunit.v3;

[assembly: TestFramework(typeof(FastUnlessMarked))]

namespace Fairseq2Llama.Tests;

/// <summary>Why a test is not among the fast ones, which are all that have no such mark.</summary>
[AttributeUsage(AttributeTargets.Class | AttributeTargets.Method)]
public abstract class CategoryAttribute(string name) : Attribute, ITraitAttribute
{
    private const string Trait = "Category";

    public IReadOnlyCollection<KeyValuePair<string, string>> GetTraits() => [new(Trait, name)];

    /// <summary>Fails a test that has no mark, so that none is forgotten. Whoever starts a process for a test asks this first.</summary>
    internal static void Require()
    {
        var context = TestContext.Current;
        var traits = context.TestCase?.Traits ?? context.TestClass?.Traits;
        var isMarked = traits is null || (traits.TryGetValue(Trait, out var names) && !names.Contains(FastUnlessMarked.Name));
        Assert.True(isMarked, "a test that needs another program is marked [External], or [Lossless]");
    }

    /// <returns>The traits of a test that has these.</returns>
    internal static void AddIfUnmarked(IDictionary<string, HashSet<string>> traits) => traits.TryAdd(Trait, [FastUnlessMarked.Name]);
}

/// <summary>Asks another program: PyTorch, the safetensors library, Chromium, Azurite, Ceph, Slurm, PowerShell, strace, mount.</summary>
public sealed class ExternalAttribute() : CategoryAttribute("External");

/// <summary>Kills, disturbs or watches real processes, to see that nothing is lost.</summary>
public sealed class LosslessAttribute() : CategoryAttribute("Lossless");

/// <summary>Tries thousands of inputs.</summary>
public sealed class FuzzAttribute() : CategoryAttribute("Fuzz");

/// <summary>Gives tests without a mark the trait <c>Category=Fast</c>.</summary>
public sealed class FastUnlessMarked : XunitTestFramework
{
    internal const string Name = "Fast";

    protected override ITestFrameworkDiscoverer CreateDiscoverer(Assembly assembly) =>
        new Discoverer(new XunitTestAssembly(assembly, configFilePath: null, assemblyName: null));

    private sealed class Discoverer(IXunitTestAssembly assembly) : XunitTestFrameworkDiscoverer(assembly)
    {
        protected override ValueTask<bool> FindTestsForMethod(
            IXunitTestMethod testMethod, ITestFrameworkDiscoveryOptions discoveryOptions, Func<ITestCase, ValueTask<bool>> discoveryCallback) =>
            base.FindTestsForMethod(testMethod, discoveryOptions, testCase =>
            {
                CategoryAttribute.AddIfUnmarked(((XunitTestCase)testCase).Traits);
                return discoveryCallback(testCase);
            });
    }
}
