using System.Globalization;

namespace Fairseq2Llama;

/// <summary>Numbers of things in text.</summary>
internal static class Quantity
{
    /// <summary>A number of things: <c>1 file</c>, <c>1,200 files</c>.</summary>
    public static string Of(long count, string one) => string.Create(CultureInfo.InvariantCulture, $"{count:N0} {one}{(count == 1 ? "" : "s")}");
}
