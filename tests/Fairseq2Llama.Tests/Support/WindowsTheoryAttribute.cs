using System.Runtime.CompilerServices;

namespace Fairseq2Llama.Tests.Support;

/// <summary>As <see cref="WindowsFactAttribute"/>, for tests with data.</summary>
[AttributeUsage(AttributeTargets.Method)]
internal sealed class WindowsTheoryAttribute : TheoryAttribute
{
    public WindowsTheoryAttribute([CallerFilePath] string? path = null, [CallerLineNumber] int line = -1)
        : base(path, line) => (Skip, SkipType, SkipUnless) = (WindowsFactAttribute.Reason, typeof(OperatingSystemFacts), nameof(OperatingSystemFacts.IsWindows));
}
