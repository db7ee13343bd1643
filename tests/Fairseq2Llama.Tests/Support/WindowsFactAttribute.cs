using System.Runtime.CompilerServices;

namespace Fairseq2Llama.Tests.Support;

/// <summary>A test of what only Windows has.</summary>
[AttributeUsage(AttributeTargets.Method)]
internal sealed class WindowsFactAttribute : FactAttribute
{
    public const string Reason = "needs Windows, or Wine as in .ci/run";

    public WindowsFactAttribute([CallerFilePath] string? path = null, [CallerLineNumber] int line = -1)
        : base(path, line) => (Skip, SkipType, SkipUnless) = (Reason, typeof(OperatingSystemFacts), nameof(OperatingSystemFacts.IsWindows));
}
