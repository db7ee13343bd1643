using System.Text;
using Fairseq2Llama.Signing;
using Fairseq2Llama.Tests.Support;

namespace Fairseq2Llama.Tests.Signing;

/// <summary>What is read as a bundle, and that nothing in it can be read in two ways.</summary>
public sealed class SigstoreBundleTests
{
    private const string Statement = "eyJhIjoxfQ==";

    private const string Bundle =
        $$$"""
        {"mediaType": "application/vnd.dev.sigstore.bundle.v0.3+json", "verificationMaterial": {"publicKey": {"hint": "abc"}, "tlogEntries": []},
         "dsseEnvelope": {"payload": "{{{Statement}}}", "payloadType": "application/vnd.in-toto+json", "signatures": [{"sig": "AQID", "keyid": ""}]}}
        """;

    [Theory]
    [InlineData("", "")]
    [InlineData(", \"tlogEntries\": []", "")]
    [InlineData("\"keyid\": \"\"", "\"keyid\": null")]
    [InlineData(", \"keyid\": \"\"", "")]
    [InlineData("bundle.v0.3+json", "bundle+json;version=0.3")]
    [InlineData("bundle.v0.3+json", "bundle+json;version=0.1")]
    [InlineData("{\"mediaType\"", "{\"added\": [1, {\"x\": 2}], \"certificate\": null, \"mediaType\"")]
    public void Is_read_as_other_programs_write_it(string part, string other)
    {
        var bundle = Read(part.Length == 0 ? Bundle : Bundle.Replace(part, other, StringComparison.Ordinal));

        Assert.Equal("""{"a":1}""", Encoding.UTF8.GetString(bundle.Envelope.Payload));
        Assert.Equal([1, 2, 3], bundle.Envelope.Signature);
        Assert.Equal("abc", bundle.Material.KeyHint);
    }

    [Theory]
    [InlineData("bundle.v0.3+json", "bundle.v0.4+json", "bundle.v0.4+json")]
    [InlineData("\"mediaType\"", "\"mediatype\"", "no 'mediaType'")]
    [InlineData("\"publicKey\"", "\"certificate\": {\"rawBytes\": \"AA==\"}, \"publicKey\"", "model_signing verify sigstore")]
    [InlineData("\"publicKey\"", "\"x509CertificateChain\": {\"certificates\": [{\"rawBytes\": \"AA==\"}]}, \"publicKey\"", "either")]
    [InlineData("\"publicKey\": {\"hint\": \"abc\"}", "\"x509CertificateChain\": {\"certificates\": []}", "is empty")]
    [InlineData("\"publicKey\": {\"hint\": \"abc\"}, ", "", "either")]
    [InlineData("\"publicKey\": {\"hint\": \"abc\"}", "\"publicKey\": [\"abc\"]", "'publicKey' of the bundle is of the wrong type")]
    [InlineData("\"dsseEnvelope\"", "\"messageSignature\": {}, \"dsseEnvelope\"", "a single file")]
    [InlineData("[{\"sig\": \"AQID\", \"keyid\": \"\"}]", "[]", "0 signatures")]
    [InlineData("[{\"sig\"", "[{\"sig\": \"AAAA\"}, {\"sig\"", "2 signatures")]
    [InlineData("\"sig\"", "\"sig\": \"AAAA\", \"sig\"", "'sig' twice")]
    [InlineData("\"sig\"", "\"s\\u0069g\": \"AAAA\", \"sig\"", "'sig' twice")]
    [InlineData("\"sig\": \"AQID\"", "\"sig\": 3", "'sig' of the bundle is of the wrong type")]
    [InlineData("\"sig\": \"AQID\"", "\"sig\": \"\\ud800\"", "not valid Unicode")]
    [InlineData("\"sig\"", "\"\\ud800\": 1, \"sig\"", "not valid Unicode")]
    [InlineData("application/vnd.in-toto+json", "text/plain", "text/plain")]
    [InlineData("{\"mediaType\"", "[{\"mediaType\"", "not valid JSON")]
    public void Is_refused(string part, string other, string expected)
    {
        Assert.Contains(part, Bundle, StringComparison.Ordinal);
        Refuse(() => Read(Bundle.Replace(part, other, StringComparison.Ordinal)), "'model.sig'", expected);
    }

    [Theory]
    [InlineData("eyJhIjoxfQ")]
    [InlineData("eyJh IjoxfQ==")]
    [InlineData("eyJhIjoxfQ==\\n")]
    [InlineData("eyJhIjoxfR==")]
    [InlineData("eyJhIjoxfQ==eyJh")]
    [InlineData("eyJhIjox*Q==")]
    public void Is_refused_if_its_Base64_can_be_read_in_two_ways(string text) =>
        Refuse(() => Read(Bundle.Replace(Statement, text, StringComparison.Ordinal)), "'payload' of the bundle is not Base64");

    [Fact]
    public void May_have_Base64_for_URLs() =>
        Assert.Equal([0xfb, 0xff, 0xfe], Read(Bundle.Replace("AQID", "-__-", StringComparison.Ordinal)).Envelope.Signature);

    [Fact]
    public void Is_refused_if_it_is_large_or_deep_or_no_text()
    {
        Refuse(() => SigstoreBundle.Read(new byte[(64 << 20) + 1], "model.sig"), "67108865 bytes");
        Refuse(() => Read($"{{\"a\": {new string('[', 100)}{new string(']', 100)}}}"), "nested deeper than 32");
        Refuse(() => SigstoreBundle.Read(new byte[] { (byte)'"', 0xff, (byte)'"' }, "model.sig"), "not UTF-8");
        Refuse(() => Read("[]"), "not a JSON object");
        Refuse(() => Read(""), "not valid JSON");
        Refuse(() => Read(string.Concat(Bundle, Bundle)), "not valid JSON");
    }

    [Fact]
    public void Has_at_most_16_certificates()
    {
        var chain = string.Join(", ", Enumerable.Repeat("{\"rawBytes\": \"AA==\"}", 17));

        Refuse(() => Read(Bundle.Replace("\"publicKey\": {\"hint\": \"abc\"}", $"\"x509CertificateChain\": {{\"certificates\": [{chain}]}}", StringComparison.Ordinal)), "17 certificates");
    }

    private static SigstoreBundle Read(string text) => SigstoreBundle.Read(Encoding.UTF8.GetBytes(text), "model.sig");

    private static void Refuse(Action work, params ReadOnlySpan<string> words) => ErrorAssert.Throws(CheckpointErrorCode.SignatureInvalid, work, words);
}
