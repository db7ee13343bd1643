using System.Text;
using Fairseq2Llama.Signing;
using Fairseq2Llama.Tests.Support;

namespace Fairseq2Llama.Tests.Signing;

/// <summary>What a signature states of a model.</summary>
public sealed class ModelSignatureTests
{
    /// <summary>The root digest in the test vectors of the specification (test-vectors/v1.0/valid).</summary>
    private const string Root = "92745110b1ab4368471cbe31664e10174e954b113a3df333db860317b2c6dec4";

    private static readonly string Hash = TestKeys.HashOf("x");

    [Fact]
    public void Is_read_as_it_was_written()
    {
        var written = ModelSignature.Of("llama", TestKeys.Resources.Reverse(), ["model.sig", "cache"], allowsLinks: true);

        var read = Read(written.ToStatement());

        Assert.Equal("llama", read.ModelName);
        Assert.Equal(TestKeys.Resources, read.Resources);
        Assert.Equal([".git", ".gitattributes", ".github", ".gitignore", "cache", "model.sig"], read.IgnoredPaths);
        Assert.Equal(written.RootDigest, read.RootDigest);
        Assert.True(read.AllowsLinks);
        Assert.False(Read(ModelSignature.Of("llama", TestKeys.Resources, []).ToStatement()).AllowsLinks);
    }

    [Theory]
    [InlineData("model.sig", true)]
    [InlineData("cache/a/b", true)]
    [InlineData(".git/HEAD", true)]
    [InlineData(".gitmodules", false)]
    [InlineData("sub/.git/HEAD", false)]
    [InlineData("sub/model.sig", false)]
    [InlineData("cached", false)]
    public void Ignores_only_what_it_says(string name, bool isIgnored) =>
        Assert.Equal(isIgnored, ModelSignature.Of("llama", TestKeys.Resources, ["model.sig", "cache"]).Ignores(name));

    /// <summary>As in the specification; UTF-16 would have the last two the other way round.</summary>
    [Fact]
    public void Lists_files_in_the_order_of_code_points()
    {
        string[] names = [".hidden", "B", "a.txt", "a/b", "ab", "é", "\uffef", "\U0001f600"];

        var signature = ModelSignature.Of("m", names.Reverse().Select(name => new ModelResource(name, Hash)), []);

        Assert.Equal(names, signature.Resources.Select(resource => resource.Name));
        Assert.Equal(names, Read(signature.ToStatement()).Resources.Select(resource => resource.Name));
    }

    /// <summary>model_signing compares paths part by part, so that it writes another order than the specification.</summary>
    [Fact]
    public void Is_read_in_any_order()
    {
        var (first, second) = (new ModelResource("a/b", Hash), new ModelResource("a.txt", TestKeys.HashOf("y")));
        var statement = StatementOf([first, second], ModelSignature.Of("m", [first], []).RootDigest);

        // The root digest is that of the files in the order in which they stand there.
        ErrorAssert.Throws(CheckpointErrorCode.SignatureInvalid, () => Read(statement), "contradicts itself");

        var root = Convert.ToHexStringLower(System.Security.Cryptography.SHA256.HashData([.. Convert.FromHexString(first.Sha256), .. Convert.FromHexString(second.Sha256)]));
        Assert.Equal([first, second], Read(StatementOf([first, second], root)).Resources);
    }

    /// <summary>model_signing 1.0 did not ignore what is of Git.</summary>
    [Fact]
    public void Is_read_if_it_lists_what_others_ignore()
    {
        ModelResource[] resources = [new(".git/HEAD", Hash)];

        Assert.Equal(resources, Read(StatementOf(resources, ModelSignature.Of("m", [new("a", Hash)], []).RootDigest)).Resources);
    }

    [Theory]
    [InlineData("../evil")]
    [InlineData("a/../../evil")]
    [InlineData("a/..")]
    [InlineData("/etc/passwd")]
    [InlineData("C:/evil")]
    [InlineData("c:evil")]
    [InlineData("a\\b")]
    [InlineData("a//b")]
    [InlineData("a/")]
    [InlineData("./a")]
    [InlineData("")]
    [InlineData(".")]
    public void Is_refused_if_a_name_leads_out_of_the_folder(string name)
    {
        Refuse(new ModelResource(name, Hash), "not a path within the folder");
        ErrorAssert.Throws(CheckpointErrorCode.SignatureInvalid, () => ModelSignature.Of("m", [new(name, Hash)], []), "can't be signed", "not a path within the folder");
    }

    [Fact]
    public void Is_refused_if_what_it_lists_makes_no_sense()
    {
        Refuse(new ModelResource("a\u001b[2Jb", Hash), "can't be shown");
        Refuse(new ModelResource("a\u202eb", Hash), "can't be shown");
        Refuse(new ModelResource("a", "xx"), "no SHA-256");
        Refuse(new ModelResource("a", Hash[..62]), "no SHA-256");
        ErrorAssert.Throws(CheckpointErrorCode.SignatureInvalid, () => ModelSignature.Of("m", [new("cache/a", Hash)], ["cache"]), "'cache/a'", "verifiers ignore it");
        ErrorAssert.Throws(CheckpointErrorCode.SignatureInvalid, () => ModelSignature.Of("m", [new("a", Hash), new("a", Hash)], []), "'a' is listed twice");
        ErrorAssert.Throws(CheckpointErrorCode.SignatureInvalid, () => ModelSignature.Of("m", [], []), "no file");
        ErrorAssert.Throws(CheckpointErrorCode.SignatureInvalid, () => Read(StatementOf([], Root)), "no file");
    }

    [Theory]
    [InlineData("\"files\"", "\"shards\"", "'shards'")]
    [InlineData("\"hash_type\":\"sha256\"", "\"hash_type\":\"blake3\"", "'blake3'")]
    [InlineData("\"algorithm\":\"sha256\"", "\"algorithm\":\"blake3\"", "another hash")]
    [InlineData("\"allow_symlinks\":false", "\"allow_symlinks\":\"false\"", "'allow_symlinks'")]
    [InlineData("/Statement/v1", "/Statement/v0.1", "Statement/v0.1")]
    [InlineData("model_signing/signature/v1.0", "model_signing/Digests/v0.1", "Digests/v0.1")]
    [InlineData("\"subject\":[", "\"subject\":[{\"name\":\"x\"},", "2 subjects")]
    [InlineData("\"resources\":", "\"resources\":[],\"resources\":", "'resources' twice")]
    public void Is_refused_if_it_is_of_another_kind(string part, string other, string expected)
    {
        var statement = Encoding.UTF8.GetString(ModelSignature.Of("llama", TestKeys.Resources, []).ToStatement());
        Assert.Contains(part, statement, StringComparison.Ordinal);

        ErrorAssert.Throws(CheckpointErrorCode.SignatureInvalid, () => Read(Encoding.UTF8.GetBytes(statement.Replace(part, other, StringComparison.Ordinal))), "'model.sig'", expected);
    }

    [Fact]
    public void Has_the_root_digest_that_the_test_vectors_have()
    {
        ModelResource[] resources =
        [
            new("signme-1", "bc9a717db6064a32cbe9eae6fc40651dd6d36ef1757183f590eff2b1765d7ebc"), new("signme-2", "32dcb1f8e1ae52d5963e56a6ba06ab58b424c15ed2a6b70d2feca1d089370028"),
        ];

        Assert.Equal(Root, ModelSignature.Of("my-model", resources, []).RootDigest);
    }

    private static void Refuse(ModelResource resource, string expected) => ErrorAssert.Throws(CheckpointErrorCode.SignatureInvalid, () => Read(StatementOf([resource], Root)), "'model.sig'", expected);

    private static ModelSignature Read(byte[] statement) => ModelSignature.Read(new VerifiedStatement(InTotoStatement.Read(statement, "model.sig"), new Signer("")));

    private static byte[] StatementOf(ModelResource[] resources, string root) => System.Text.Json.JsonSerializer.SerializeToUtf8Bytes(new
    {
        _type = InTotoStatement.Type,
        subject = (object[])[new { name = "m", digest = new { sha256 = root } }],
        predicateType = ModelSignature.PredicateType,
        predicate = new
        {
            serialization = new { method = "files", hash_type = "sha256", allow_symlinks = false },
            resources = resources.Select(resource => new { name = resource.Name, algorithm = "sha256", digest = resource.Sha256 }),
        },
    });
}
