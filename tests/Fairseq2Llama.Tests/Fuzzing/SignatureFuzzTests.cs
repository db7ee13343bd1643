using System.Text;
using Fairseq2Llama.Signing;
using Fairseq2Llama.Tests.Signing;
using Fairseq2Llama.Tests.Support;

namespace Fairseq2Llama.Tests.Fuzzing;

/// <summary>Whatever a signature holds, it is verified, or refused with a documented error.</summary>
[Fuzz]
public sealed class SignatureFuzzTests
{
    [Theory]
    [InlineData("p256.sig", 4000)]
    [InlineData("certificate.sig", 1500)]
    public void Bundles_that_were_damaged(string name, int inputs)
    {
        var bundle = File.ReadAllBytes(Repository.Data($"signatures/{name}"));
        Fuzzer.Run(inputs, random => Bytes.Mutate((byte[])bundle.Clone(), random), Verify);
    }

    /// <summary>Its bytes are signed, so that this shows what whoever signs can do.</summary>
    [Fact]
    public void Statements_that_were_changed()
    {
        var statement = Encoding.UTF8.GetString(SigstoreBundle.Read(File.ReadAllBytes(Repository.Data("signatures/p256.sig")), "model.sig").Envelope.Payload);

        Fuzzer.Run(4000, random => JsonFiles.Change(statement, random), bytes => Try(() =>
            ModelSignature.Read(new VerifiedStatement(InTotoStatement.Read(bytes, "model.sig"), new Signer("")))));
    }

    [Fact]
    public void Keys_that_were_damaged()
    {
        var (key, publicKey) = TestKeys.Make();
        using var password = TestKeys.Secure("secret");
        var text = Encoding.ASCII.GetBytes($"{publicKey.Text}\n{File.ReadAllText(Repository.Data("signatures/root.pem"))}\n{key.Text}");

        Fuzzer.Run(2000, random => Bytes.Mutate((byte[])text.Clone(), random), bytes => Try(() =>
        {
            var file = new PemFile("k", Encoding.Latin1.GetString(bytes));
            EcPublicKey.Read(file);
            CertificateFile.Read(file);
            SigningKey.Read(file, password).Dispose();
        }));
    }

    private static void Verify(byte[] bytes) => Try(() =>
    {
        var bundle = SigstoreBundle.Read(bytes, "model.sig");
        var verifier = bundle.Material.Certificates.IsEmpty
            ? SignatureVerifier.WithPublicKey(RecordedSignatures.File("p256.pub"))
            : SignatureVerifier.WithTrustedRoots([RecordedSignatures.File("root.pem")], RecordedSignatures.Time);

        ModelSignature.Read(verifier.Verify(bundle));
    });

    private static void Try(Action work)
    {
        try
        {
            work();
        }
        catch (CheckpointException e)
        {
            FolderFuzzTests.AssertPrintable([e.Message]);
            throw;
        }
    }
}
