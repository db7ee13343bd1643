namespace Fairseq2Llama.Tests.Support;

/// <summary>Calls back on the thread that reports, unlike .NET's own.</summary>
internal sealed class ProgressTo(Action<ByteProgress> report) : IProgress<ByteProgress>
{
    public void Report(ByteProgress value) => report(value);
}
