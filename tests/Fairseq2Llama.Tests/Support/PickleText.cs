using System.Globalization;
using System.Text;
using Fairseq2Llama.TorchFiles.Pickle;

namespace Fairseq2Llama.Tests.Support;

/// <summary>What a pickle held as a line of text, to be compared with the same line from Python.</summary>
internal static class PickleText
{
    /// <summary>Objects may hold themselves; deeper than this nothing is shown.</summary>
    private const int MaxDepth = 6;

    /// <summary>The function <c>show</c> that does the same in Python.</summary>
    public const string PythonShow =
        """
        import struct

        def show(value, depth=0):
            if depth > 6:
                return "…"
            def inner(items):
                return ",".join(show(item, depth + 1) for item in items)
            if value is None or isinstance(value, (bool, int)):
                return str(value)
            if isinstance(value, float):
                return "float:" + struct.pack(">d", value).hex()
            if isinstance(value, str):
                return "str:" + value.encode().hex()
            if isinstance(value, (bytes, bytearray)):
                return "bytes:" + value.hex()
            if isinstance(value, tuple):
                return "(" + inner(value) + ")"
            if isinstance(value, (list, set, frozenset)):
                return {list: "", set: "set", frozenset: "frozenset"}[type(value)] + "[" + inner(value) + "]"
            if isinstance(value, dict):
                return "{" + ",".join(show(k, depth + 1) + "=" + show(v, depth + 1) for k, v in value.items()) + "}"
            return "opaque"
        """;

    public static string Show(object? value, int depth = 0)
    {
        if (depth > MaxDepth)
        {
            return "…";
        }

        return value switch
        {
            null => "None",
            string text => "str:" + Convert.ToHexStringLower(Encoding.UTF8.GetBytes(text)),
            double number => "float:" + BitConverter.DoubleToInt64Bits(number).ToString("x16", CultureInfo.InvariantCulture),
            byte[] bytes => "bytes:" + Convert.ToHexStringLower(bytes),
            PickleTuple tuple => "(" + Inner(tuple.Items) + ")",
            PickleList list => "[" + Inner(list.Items) + "]",
            PickleSet set => (set.IsFrozen ? "frozenset[" : "set[") + Inner(set.Items) + "]",
            PickleDict dict => "{" + string.Join(",", dict.Entries.Select(Pair)) + "}",
            PickleOpaque => "opaque",
            _ => Convert.ToString(value, CultureInfo.InvariantCulture)!,
        };

        string Pair(KeyValuePair<object?, object?> entry) => Show(entry.Key, depth + 1) + "=" + Show(entry.Value, depth + 1);

        string Inner(IEnumerable<object?> items) => string.Join(",", items.Select(item => Show(item, depth + 1)));
    }
}
