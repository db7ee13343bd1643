using System.Buffers;
using System.Globalization;
using System.Text.Json;

namespace Fairseq2Llama.Stores;

/// <summary>Writes small JSON files of settings for programs in Python.</summary>
internal static class JsonConfigWriter
{
    private static readonly JsonWriterOptions Options = new() { Indented = true };

    /// <param name="write">Writes the object.</param>
    public static byte[] Write(Action<Utf8JsonWriter> write)
    {
        var buffer = new ArrayBufferWriter<byte>();

        using (var json = new Utf8JsonWriter(buffer, Options))
        {
            write(json);
        }

        buffer.Write("\n"u8);
        return buffer.WrittenSpan.ToArray();
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
