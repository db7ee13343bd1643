using System.Text;

namespace Fairseq2Llama.Tests.Fuzzing;

/// <summary>The JSON files beside weights, with lines and values changed.</summary>
internal static class JsonFiles
{
    private static readonly string[] Values =
    [
        "NaN", "1e400", "5e-324", "-1", "0", "1", "4", "16", "2147483647", "99999999999999999999", "16.0", "16.5", "null", "true", "[]", "{}", "[[[[1]]]]",
        "\"llama3\"", "\"\\u001b[2J\"", "\"\\u0000\"", "\"../model.safetensors\"", "\"model-00001-of-00002.safetensors\"", "{\"rope_type\": \"llama3\", \"factor\": 1e300}",
    ];

    public static byte[] Change(string text, Random random)
    {
        var lines = text.Split('\n').ToList();

        for (var changes = random.Next(4); changes > 0; changes--)
        {
            var place = random.Next(lines.Count);

            switch (random.Next(6))
            {
                case 0 when lines.Count > 1:
                    lines.RemoveAt(place);
                    break;
                case 1:
                    lines.Insert(random.Next(lines.Count), lines[place]);
                    break;
                default:
                    lines[place] = $"{lines[place].Split(':')[0]}: {(random.Next(4) == 0 ? Bytes.Number(random) : Values[random.Next(Values.Length)])},";
                    break;
            }
        }

        var bytes = Encoding.UTF8.GetBytes(string.Join('\n', lines));
        return random.Next(4) == 0 ? Bytes.Mutate(bytes, random) : bytes;
    }
}
