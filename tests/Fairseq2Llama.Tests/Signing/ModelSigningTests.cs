using Fairseq2Llama.Signing;
using Fairseq2Llama.Tests.Support;

namespace Fairseq2Llama.Tests.Signing;

/// <summary>model_signing verifies what is signed here, and its signatures are verified here.</summary>
[External]
public sealed class ModelSigningTests : IDisposable
{
    private readonly TempFolder _folder = new();
    private readonly DateTimeOffset _now = Authority.Start.AddMonths(1);

    public ModelSigningTests()
    {
        foreach (var (name, content) in (ReadOnlySpan<(string, string)>)[
            ("config.json", "{}"), ("model.safetensors", "weights"), ("a.txt", "1"), ("a/b", "2"), (".hidden", "3"), ("é \U0001f600.json", "4"), (".git/HEAD", "5"), ("sub/.gitignore", "6")])
        {
            Directory.CreateDirectory(Path.GetDirectoryName(_folder[$"model/{name}"])!);
            File.WriteAllText(_folder[$"model/{name}"], content);
        }
    }

    private string Model => _folder["model"];

    private string Signature => _folder["model/model.sig"];

    public void Dispose() => _folder.Dispose();

    [Theory]
    [MemberData(nameof(TestKeys.Curves), MemberType = typeof(TestKeys))]
    public void Verifies_what_is_signed_here_with_a_key(string curve)
    {
        var (key, publicKey) = TestKeys.Make(curve);
        using (var signingKey = SigningKey.Read(key))
        {
            Sign(signingKey);
        }

        string[] command = ["verify", "key", Model, "--signature", Signature, "--public_key", Write(publicKey)];
        Succeed(command);

        Fail("Key mismatch", ["verify", "key", Model, "--signature", Signature, "--public_key", Write(TestKeys.Make(curve).Public)]);
        Write(publicKey);
        File.WriteAllText(_folder["model/added"], "");
        Fail("Extra files", command);
        File.Delete(_folder["model/added"]);
        File.WriteAllText(_folder["model/config.json"], "{ }");
        Fail("Hash mismatch", command);
    }

    [Fact]
    public void Verifies_what_is_signed_here_with_a_certificate()
    {
        using var authority = new Authority();
        using var other = new Authority("Other");
        var (keyFile, certificate) = authority.Issue();
        using (var key = SigningKey.Read(keyFile, null, [certificate, authority.Intermediate], _now))
        {
            Sign(key);
        }

        Succeed("verify", "certificate", Model, "--signature", Signature, "--certificate_chain", Write(authority.Root));
        Fail("", "verify", "certificate", Model, "--signature", Signature, "--certificate_chain", Write(other.Root));
    }

    [Theory]
    [MemberData(nameof(TestKeys.Curves), MemberType = typeof(TestKeys))]
    public void Signs_what_is_verified_here_with_a_key(string curve)
    {
        var (key, publicKey) = TestKeys.Make(curve);
        Succeed("sign", "key", Model, "--signature", Signature, "--private_key", Write(key));

        AssertSame(SignatureVerifier.WithPublicKey(publicKey));
    }

    [Fact]
    public void Signs_what_is_verified_here_with_a_certificate()
    {
        using var authority = new Authority();
        var (key, certificate) = authority.Issue();
        Succeed(
            "sign", "certificate", Model, "--signature", Signature, "--private_key", Write(key),
            "--signing_certificate", Write(certificate), "--certificate_chain", Write(authority.Intermediate));

        AssertSame(SignatureVerifier.WithTrustedRoots([authority.Root], _now));
    }

    private static void Succeed(params string[] arguments)
    {
        var (succeeded, output) = ModelSigning.Run(arguments);
        Assert.True(succeeded, output);
    }

    private static void Fail(string expected, params string[] arguments)
    {
        var (succeeded, output) = ModelSigning.Run(arguments);
        Assert.False(succeeded, output);
        Assert.Contains(expected, output, StringComparison.Ordinal);
    }

    private static IEnumerable<ModelResource> SignedOf(string folder) =>
        RecordedSignatures.ResourcesOf(folder).Where(resource => !resource.Name.StartsWith(".git/", StringComparison.Ordinal) && resource.Name != ModelSignature.FileName);

    private void Sign(SigningKey key) =>
        File.WriteAllBytes(Signature, SigstoreBundle.Sign(ModelSignature.Of("model", SignedOf(Model), [ModelSignature.FileName]).ToStatement(), key));

    private void AssertSame(SignatureVerifier verifier)
    {
        var signature = ModelSignature.Read(verifier.Verify(SigstoreBundle.Read(File.ReadAllBytes(Signature), Signature)));

        Assert.Equal(SignedOf(Model).ToHashSet(), signature.Resources.ToHashSet());
        Assert.True(signature.Ignores(".git/HEAD") && signature.Ignores("model.sig"));
    }

    private string Write(PemFile file)
    {
        File.WriteAllText(_folder[file.Name], file.Text);
        return _folder[file.Name];
    }
}
