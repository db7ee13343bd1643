using System.Management.Automation;

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

    /// <summary>The error must be of that code, say something that contains each of the words, and be fit for a person to read.</summary>
    public static void Is(CheckpointErrorCode code, ErrorRecord error, params ReadOnlySpan<string> words)
    {
        var message = error.ToString();
        Assert.True(error.FullyQualifiedErrorId.StartsWith($"{code},", StringComparison.Ordinal), $"expected {code}, got {error.FullyQualifiedErrorId}: {message}");

        foreach (var word in words)
        {
            Assert.Contains(word, message, StringComparison.Ordinal);
        }

        Assert.DoesNotContain("Exception", message, StringComparison.Ordinal);
        Assert.DoesNotContain("   at ", message, StringComparison.Ordinal);
    }
}
