using System.Text;
using Fairseq2Llama.SafeTensors;
using Fairseq2Llama.Tests.Support;

namespace Fairseq2Llama.Tests.SafeTensors;

/// <summary>The rules of the format, each held by the files that it allows and broken by one that it forbids.</summary>
public class HeaderRulesTests
{
    private const string X = """ "x":{"dtype":"F32","shape":[1],"data_offsets":[0,4]} """;

    /// <summary>All of them are read by the reference implementation, too.</summary>
    private static readonly Dictionary<string, string> Allowed = new()
    {
        ["nothing special"] = $"{{{X}}}",
        ["spaces after it"] = $"{{{X}}}        ",
        ["other white space after it"] = $"{{{X}}}\r\n\t",
        ["fields in another order"] = """{"x":{"data_offsets":[0,4],"shape":[1],"dtype":"F32"}}""",
        ["a field that nobody knows"] = """{"x":{"dtype":"F32","note":[1,{"a":null}],"shape":[1],"data_offsets":[0,4]}}""",
        ["a scalar"] = """{"x":{"dtype":"F32","shape":[],"data_offsets":[0,4]}}""",
        ["64 dimensions"] = $$$"""{"x":{"dtype":"F32","shape":[{{{Ones(64)}}}],"data_offsets":[0,4]}}""",
        ["an empty tensor in front"] = $$$"""{{{{X}}},"y":{"dtype":"F32","shape":[0],"data_offsets":[0,0]}}""",
        ["an empty tensor behind"] = $$$"""{{{{X}}},"y":{"dtype":"F32","shape":[3,0],"data_offsets":[4,4]}}""",
        ["metadata"] = $$$"""{"__metadata__":{"format":"pt","":"\n"},{{{X}}}}""",
        ["metadata without keys"] = $$$"""{{{{X}}},"__metadata__":{}}""",
        ["a key of the metadata that is a tensor's name, too"] = $$$"""{"__metadata__":{"x":"x"},{{{X}}}}""",
        ["escapes in a name"] = """{"\u00fc\"\\\ud83e\udd99":{"dtype":"F32","shape":[1],"data_offsets":[0,4]}}""",
        ["a name of no characters"] = """{"":{"dtype":"F32","shape":[1],"data_offsets":[0,4]}}""",
    };

    private static readonly Dictionary<string, (string Header, string What)> Damaged = new()
    {
        ["no end"] = ($"{{{X}", "not valid JSON"),
        ["a bare word"] = ("{x}", "not valid JSON"),
        ["a trailing comma"] = ($"{{{X},}}", "not valid JSON"),
        ["a comment"] = ($"{{{X}/**/}}", "not valid JSON"),
        ["two values"] = ($"{{{X}}}{{}}", "not valid JSON"),
        ["zeros after it"] = ($"{{{X}}}\0\0", "not valid JSON"),
        ["a control character in a text"] = ("{\"__metadata__\":{\"a\":\"\n\"}}", "not valid JSON"),
        ["lists in lists without end"] = ($$$"""{"x":{"note":{{{new string('[', 1000)}}}""", "not valid JSON"),
        ["half a surrogate pair"] = ("""{"\ud800":{"dtype":"F32","shape":[1],"data_offsets":[0,4]}}""", "surrogate"),
        ["a name twice"] = ($"{{{X},{X}}}", "'x' twice"),
        ["a name twice, once escaped"] = ($$$"""{{{{X}}},"\u0078":{"dtype":"F32","shape":[1],"data_offsets":[4,8]}}""", "'x' twice"),
        ["metadata twice"] = ($$$"""{"__metadata__":{},"__metadata__":{},{{{X}}}}""", "'__metadata__' twice"),
        ["a key of the metadata twice"] = ($$$"""{"__metadata__":{"k":"1","k":"1"},{{{X}}}}""", "'k' of '__metadata__' twice"),
        ["metadata that is a text"] = ("""{"__metadata__":"pt"}""", "the text \"pt\" for '__metadata__'; expected an object"),
        ["metadata that is null"] = ("""{"__metadata__":null}""", "null for '__metadata__'"),
        ["a number in the metadata"] = ("""{"__metadata__":{"k":1}}""", "1 for 'k' of '__metadata__'; expected a text"),
        ["an object in the metadata"] = ("""{"__metadata__":{"k":{}}}""", "an object for 'k'"),
        ["a tensor that is a list"] = ("""{"x":["F32",[1],[0,4]]}""", "a list for 'x'; expected an object"),
        ["a tensor without fields"] = ("""{"x":{}}""", "no 'dtype' for 'x'"),
        ["no shape"] = ("""{"x":{"dtype":"F32","data_offsets":[0,4]}}""", "no 'shape' for 'x'"),
        ["no data_offsets"] = ("""{"x":{"dtype":"F32","shape":[1]}}""", "no 'data_offsets' for 'x'"),
        ["a field twice"] = ("""{"x":{"dtype":"F32","shape":[1],"shape":[1],"data_offsets":[0,4]}}""", "'shape' of 'x' twice"),
        ["a dtype that is a number"] = ("""{"x":{"dtype":32,"shape":[1],"data_offsets":[0,4]}}""", "32 for 'dtype' of 'x'"),
        ["a shape that is a number"] = ("""{"x":{"dtype":"F32","shape":1,"data_offsets":[0,4]}}""", "1 for 'shape' of 'x'; expected a list"),
        ["a size that is a text"] = ("""{"x":{"dtype":"F32","shape":["1"],"data_offsets":[0,4]}}""", "\"1\" for 'shape' of 'x'; expected a whole number"),
        ["a negative size"] = ("""{"x":{"dtype":"F32","shape":[-1],"data_offsets":[0,4]}}""", "-1 for 'shape' of 'x'"),
        ["a negative zero"] = ("""{"x":{"dtype":"F32","shape":[1],"data_offsets":[-0,4]}}""", "-0 for 'data_offsets' of 'x'"),
        ["a size with a decimal point"] = ("""{"x":{"dtype":"F32","shape":[1.0],"data_offsets":[0,4]}}""", "1.0 for 'shape'"),
        ["a size with an exponent"] = ("""{"x":{"dtype":"F32","shape":[1e0],"data_offsets":[0,4]}}""", "1e0 for 'shape'"),
        ["a size beyond 63 bits"] = ("""{"x":{"dtype":"F32","shape":[9223372036854775808],"data_offsets":[0,4]}}""", "9223372036854775808 for 'shape'"),
        ["more elements than 63 bits count"] = ("""{"x":{"dtype":"F32","shape":[4294967296,4294967296],"data_offsets":[0,4]}}""", "can't exist"),
        ["strides beyond 63 bits"] = ("""{"x":{"dtype":"F32","shape":[0,4294967296,4294967296],"data_offsets":[0,0]}}""", "can't exist"),
        ["more bytes than 63 bits count"] = ("""{"x":{"dtype":"F32","shape":[4611686018427387905],"data_offsets":[0,4]}}""", "takes 18446744073709551620"),
        ["one offset"] = ("""{"x":{"dtype":"F32","shape":[1],"data_offsets":[0]}}""", "1 'data_offsets' for 'x'"),
        ["three offsets"] = ("""{"x":{"dtype":"F32","shape":[1],"data_offsets":[0,4,8]}}""", "3 'data_offsets' for 'x'"),
        ["an end before the begin"] = ("""{"x":{"dtype":"F32","shape":[1],"data_offsets":[4,0]}}""", "begins at 4 and ends before that, at 0"),
        ["less data than the shape takes"] = ("""{"x":{"dtype":"F64","shape":[1],"data_offsets":[0,4]}}""", "has 4 bytes, but float64 of the shape 1 takes 8"),
        ["more data than the shape takes"] = ("""{"x":{"dtype":"F16","shape":[],"data_offsets":[0,4]}}""", "has 4 bytes, but float16 of the shape scalar takes 2"),
        ["data of an empty tensor"] = ("""{"x":{"dtype":"F32","shape":[0],"data_offsets":[0,4]}}""", "takes 0"),
        ["tensors on the same data"] = ($$$"""{{{{X}}},"y":{"dtype":"F32","shape":[1],"data_offsets":[0,4]}}""", "'y' begins at 0, within that of another tensor, which ends at 4"),
        ["tensors that overlap"] = ($$$"""{{{{X}}},"y":{"dtype":"U8","shape":[1],"data_offsets":[3,4]}}""", "'y' begins at 3, within"),
        ["an empty tensor within another"] = ($$$"""{{{{X}}},"y":{"dtype":"U8","shape":[0],"data_offsets":[2,2]}}""", "'y' begins at 2, within"),
        ["unused data in front"] = ("""{"x":{"dtype":"U8","shape":[1],"data_offsets":[3,4]}}""", "from 0 to 3, before 'x', belongs to no tensor"),
        ["unused data at the end"] = ("""{"x":{"dtype":"U8","shape":[1],"data_offsets":[0,1]}}""", "take 1 bytes and 4 follow the header: the rest belongs to no tensor"),
        ["data and no tensors"] = ("{}", "take 0 bytes and 4 follow"),
        ["a tensor behind the end"] = ($$$"""{{{{X}}},"y":{"dtype":"U8","shape":[1],"data_offsets":[4,5]}}""", "take 5 bytes and 4 follow the header: it was cut off"),
        ["a tensor of 63 bits"] = ("""{"x":{"dtype":"U8","shape":[9223372036854775807],"data_offsets":[0,9223372036854775807]}}""", "cut off"),
        ["a name that runs the other way"] = ("""{"x\u202egnp":{"dtype":"F32","shape":[1],"data_offsets":[0,4]}}""", "invisible characters"),
        ["a name with a soft hyphen"] = ("""{"x\u00ady":{"dtype":"F32","shape":[1],"data_offsets":[0,4]}}""", "invisible characters"),
        ["control characters in a name"] = ("""{"x\u001b[2J":{"dtype":"F32","shape":[1],"data_offsets":[0,4]}}""", "control characters"),
        ["a name of 1025 characters"] = ($$$"""{"{{{new string('x', 1025)}}}":{}}""", "1025 characters"),
    };

    public static TheoryData<string> AllowedKinds => [.. Allowed.Keys];

    public static TheoryData<string> DamagedKinds => [.. Damaged.Keys];

    [Theory]
    [MemberData(nameof(AllowedKinds))]
    public void Allows_a_header_with(string what) => Assert.NotEmpty(Open(SafeTensorsBuilder.Build(Allowed[what], new byte[4])).Tensors);

    [Theory]
    [MemberData(nameof(DamagedKinds))]
    public void Calls_damaged_a_header_with(string what) => ErrorAssert.Throws(
        CheckpointErrorCode.CheckpointCorrupt, () => Open(SafeTensorsBuilder.Build(Damaged[what].Header, new byte[4])), Damaged[what].What, "memory.pt");

    [Fact]
    public void Calls_damaged_a_header_that_is_not_UTF_8() => ErrorAssert.Throws(
        CheckpointErrorCode.CheckpointCorrupt, () => Open(SafeTensorsBuilder.Build(Encoding.Latin1.GetBytes("{\"ü\":{}}"), [])), "not UTF-8", "memory.pt");

    [Theory]
    [InlineData("F4")]
    [InlineData("F6_E2M3")]
    [InlineData("F6_E3M2")]
    [InlineData("F8_E8M0")]
    [InlineData("F8_E4M3FNUZ")]
    [InlineData("F8_E5M2FNUZ")]
    [InlineData("f32")]
    [InlineData("C128")]
    [InlineData("")]
    public void Refuses_by_name_a_dtype_that_is_none_of_ours(string dtype) => ErrorAssert.Throws(
        CheckpointErrorCode.UnsupportedTensor,
        () => Open(SafeTensorsBuilder.Build($"{{{SafeTensorsBuilder.Entry("x", dtype, "8", 0, 4)}}}", new byte[4])),
        "memory.pt", $"'x' as {dtype}.", "BF16");

    [Fact]
    public void Refuses_more_dimensions_than_PyTorch_has() => ErrorAssert.Throws(
        CheckpointErrorCode.UnsupportedTensor,
        () => Open(SafeTensorsBuilder.Build($"{{{SafeTensorsBuilder.Entry("x", "F32", Ones(65), 0, 4)}}}", new byte[4])),
        "memory.pt", "'x' with 65 dimensions", "64");

    private static SafeTensorsFile Open(byte[] file) => SafeTensorsFile.Open(new MemorySource(file));

    private static string Ones(int count) => string.Join(',', Enumerable.Repeat(1, count));
}
