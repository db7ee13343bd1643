using System.Text.Json;
using Fairseq2Llama.Signing;
using Fairseq2Llama.Tests.Support;

namespace Fairseq2Llama.Tests.Signing;

/// <summary>What model_signing signed is verified, where model_signing itself is not there.</summary>
public sealed class RecordedSignatureTests
{
    [Theory]
    [InlineData("p256")]
    [InlineData("p384")]
    [InlineData("p521")]
    public void With_a_key(string curve)
    {
        EllipticKeys.Require();
        var verified = SignatureVerifier.WithPublicKey(RecordedSignatures.File($"{curve}.pub")).Verify(RecordedSignatures.Bundle($"{curve}.sig"));

        AssertSame(verified);
        Assert.Equal(RecordedSignatures.Bundle($"{curve}.sig").Material.KeyHint, verified.Signer.KeyFingerprint);
    }

    [Fact]
    public void With_a_certificate()
    {
        EllipticKeys.Require();
        var verifier = SignatureVerifier.WithTrustedRoots([RecordedSignatures.File("root.pem")], RecordedSignatures.Time);

        AssertSame(verifier.Verify(RecordedSignatures.Bundle("certificate.sig")));
    }

    /// <summary>Programs that read bundles strictly, as model_signing does, accept no other keys.</summary>
    [Theory]
    [InlineData("p256.sig")]
    [InlineData("certificate.sig")]
    public void Has_the_keys_that_are_written_here(string name)
    {
        var recorded = RecordedSignatures.Bundle(name);

        Assert.Equal(KeysOf(File.ReadAllBytes(Repository.Data($"signatures/{name}"))), KeysOf(recorded.Write()));

        var statement = ModelSignature.Of("model", RecordedSignatures.ResourcesOf(RecordedSignatures.Model), [ModelSignature.FileName]).ToStatement();
        Assert.Equal(KeysOf(recorded.Envelope.Payload), KeysOf(statement));
    }

    private static void AssertSame(VerifiedStatement verified)
    {
        var signature = ModelSignature.Read(verified);

        Assert.Equal("model", signature.ModelName);
        Assert.Equal(RecordedSignatures.ResourcesOf(RecordedSignatures.Model).ToHashSet(), signature.Resources.ToHashSet());
        Assert.Equal([".git", ".gitattributes", ".github", ".gitignore", "model.sig"], signature.IgnoredPaths);
    }

    private static SortedSet<string> KeysOf(byte[] json)
    {
        using var document = JsonDocument.Parse(json);
        return [.. KeysOf(document.RootElement, "")];
    }

    private static IEnumerable<string> KeysOf(JsonElement value, string path) => value.ValueKind switch
    {
        JsonValueKind.Object => value.EnumerateObject().SelectMany(property => KeysOf(property.Value, $"{path}.{property.Name}")).Append($"{path}{{}}"),
        JsonValueKind.Array => value.EnumerateArray().SelectMany(item => KeysOf(item, $"{path}[]")).Append($"{path}[]"),
        _ => [$"{path}: {value.ValueKind}"],
    };
}
