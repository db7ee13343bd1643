namespace Fairseq2Llama.Tests.Support;

internal static class ErrorAssert
{
    /// <summary>The work must fail with that code and say something that contains each of the words.</summary>
    public static CheckpointException Throws(CheckpointErrorCode code, Action work, params ReadOnlySpan<string> words)
    {
        var error = Assert.Throws<CheckpointException>(work);
        Assert.True(code == error.Code, $"expected {code}, got {error.Code}: {error.Message}");

        foreach (var word in words)
        {
            Assert.Contains(word, error.Message, StringComparison.Ordinal);
        }

        return error;
    }
}
