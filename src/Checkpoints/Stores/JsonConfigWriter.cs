using System.Buffers;
using System.Globalization;
using System.Text.Encodings.Web;
using System.Text.Json;

namespace Fairseq2Llama.Stores;

/// <summary>Writes JSON files for programs in Python, the same bytes on every system.</summary>
internal static class JsonConfigWriter
{
    /// <param name="write">Writes the object.</param>
    /// <param name="encoder">What is escaped in texts; null for all but ASCII.</param>
    public static byte[] Write(Action<Utf8JsonWriter> write, JavaScriptEncoder? encoder = null)
    {
        var buffer = new ArrayBufferWriter<byte>();

        using (var json = new Utf8JsonWriter(buffer, new JsonWriterOptions { Indented = true, Encoder = encoder }))
        {
            write(json);
        }

        buffer.Write("\n"u8);
        var bytes = buffer.WrittenSpan.ToArray();

        // The line ends of Windows can't be had otherwise before .NET 9. Those in texts are escaped.
        return OperatingSystem.IsWindows() ? Array.FindAll(bytes, value => value != '\r') : bytes;
    }

    /// <summary>Python reads 10000 as an int and 10000.0 as a float; the readers' dataclasses say float.</summary>
    public static void WriteFloat(this Utf8JsonWriter json, string name, double value)
    {
        json.WritePropertyName(name);
        json.WriteRawValue(FloatOf(value));
    }

    /// <summary>A number with a point or an exponent in it.</summary>
    public static string FloatOf(double value)
    {
        var digits = value.ToString("R", CultureInfo.InvariantCulture).Replace('E', 'e');
        return digits.AsSpan().IndexOfAny('.', 'e') < 0 ? digits + ".0" : digits;
    }
}
