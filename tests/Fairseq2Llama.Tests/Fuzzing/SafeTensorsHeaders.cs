using System.Text;
using Fairseq2Llama.Tests.Support;

namespace Fairseq2Llama.Tests.Fuzzing;

/// <summary>Safetensors files whose headers are mostly what they should be.</summary>
internal static class SafeTensorsHeaders
{
    private const int MaxCount = 1 << 12;

    private static readonly string[] DTypes = ["F64", "F32", "F16", "BF16", "F8_E4M3", "I64", "U8", "BOOL", "C64", "F4", "F6_E2M3", "f32", ""];

    private static readonly string[] Names = ["x", "y", "__metadata__", "", "\\u0078", "\\ud800", "\\u001b[2J", "layers.0.weight", "dtype"];

    private static readonly string[] Values = ["null", "true", "0", "-0", "1.5", "1e999", "\"\"", "[]", "{}", "[[]]", "\"\\ud800\"", "9223372036854775808", "[0,0]", "\"F32\""];

    /// <summary>A few tensors in a row, some of whose fields lie.</summary>
    public static byte[] Make(Random random)
    {
        var entries = new List<string>();
        var data = 0L;

        for (var count = random.Next(5); count > 0; count--)
        {
            var name = random.Next(4) == 0 ? Names[random.Next(Names.Length)] : $"t{count}";
            var (rows, columns) = (random.Next(4), random.Next(4));
            var end = data + (2L * rows * columns);
            entries.Add(MakeEntry(name, $"{rows},{columns}", data, end, random));
            data = end;
        }

        if (random.Next(3) == 0)
        {
            var value = random.Next(4) == 0 ? Values[random.Next(Values.Length)] : "\"pt\"";
            entries.Add($"\"__metadata__\":{{\"format\":{value}}}");
        }

        var shuffled = entries.ToArray();
        random.Shuffle(shuffled);
        return SafeTensorsBuilder.Build($"{{{string.Join(',', shuffled)}}}{new string(' ', random.Next(8))}", new byte[random.Next(12) == 0 ? random.Next(100) : data]);
    }

    /// <summary>Of everything that a header can hold more than once, as often as some 100 KB can.</summary>
    public static byte[] MakeLarge(Random random)
    {
        var count = random.Next(1, MaxCount);
        var numbers = string.Join(',', Enumerable.Repeat(random.Next(2), count));

        var header = random.Next(7) switch
        {
            0 => string.Join(',', Enumerable.Range(0, count).Select(i => SafeTensorsBuilder.Entry($"t{i}", "F32", "0", 0, 0))),
            1 => $"\"__metadata__\":{{{string.Join(',', Enumerable.Range(0, count).Select(i => $"\"{i}\":\"\""))}}}",
            2 => SafeTensorsBuilder.Entry("x", "F32", numbers, 0, 0),
            3 => SafeTensorsBuilder.Entry(new string('x', count), "F32", "0", 0, 0),
            4 => SafeTensorsBuilder.Entry("x", new string('F', count), "0", 0, 0),
            5 => $"\"x\":{{\"data_offsets\":[{numbers}],\"dtype\":\"F32\",\"shape\":[0]}}",
            _ => $"\"x\":{{\"note\":{new string('[', count)}{new string(']', count)},\"data_offsets\":[0,0],\"dtype\":\"F32\",\"shape\":[0]}}",
        };

        return SafeTensorsBuilder.Build(Encoding.UTF8.GetBytes($"{{{header}}}"), []);
    }

    private static string MakeEntry(string name, string shape, long begin, long end, Random random)
    {
        if (random.Next(3) > 0)
        {
            return SafeTensorsBuilder.Entry(name, "F16", shape, begin, end);
        }

        return random.Next(5) switch
        {
            0 => SafeTensorsBuilder.Entry(name, DTypes[random.Next(DTypes.Length)], shape, begin, end),
            1 => SafeTensorsBuilder.Entry(name, "F16", $"{shape},{Bytes.Number(random)}", begin, end),
            2 => SafeTensorsBuilder.Entry(name, "F16", shape, Bytes.Number(random), end),
            3 => SafeTensorsBuilder.Entry(name, "F16", shape, begin, Bytes.Number(random)),
            _ => $"\"{name}\":{Values[random.Next(Values.Length)]}",
        };
    }
}
