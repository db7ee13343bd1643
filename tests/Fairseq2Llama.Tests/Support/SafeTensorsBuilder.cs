using System.Text;

namespace Fairseq2Llama.Tests.Support;

/// <summary>Makes safetensors files from the text of their header, which can be anything.</summary>
internal static class SafeTensorsBuilder
{
    public static byte[] Build(string header, params ReadOnlySpan<byte> data) => Build(Encoding.UTF8.GetBytes(header), data);

    public static byte[] Build(ReadOnlySpan<byte> header, ReadOnlySpan<byte> data) => Build((ulong)header.Length, header, data);

    /// <param name="length">What the file claims as the length of its header.</param>
    /// <param name="header">Its header.</param>
    /// <param name="data">What follows.</param>
    public static byte[] Build(ulong length, ReadOnlySpan<byte> header, ReadOnlySpan<byte> data) => [.. BitConverter.GetBytes(length), .. header, .. data];

    /// <summary>One entry of a header: a key and what belongs to it.</summary>
    /// <param name="name">As it stands between the quotation marks.</param>
    /// <param name="dtype">Such as F32.</param>
    /// <param name="shape">Sizes with commas between them.</param>
    /// <param name="begin">The first byte of its data.</param>
    /// <param name="end">The one behind the last.</param>
    public static string Entry(string name, string dtype, string shape, long begin, long end) =>
        $$"""
        "{{name}}":{"dtype":"{{dtype}}","shape":[{{shape}}],"data_offsets":[{{begin}},{{end}}]}
        """;
}
