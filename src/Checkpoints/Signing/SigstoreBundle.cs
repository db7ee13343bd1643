using System.Buffers;
using System.Collections.Immutable;
using System.Text.Encodings.Web;
using System.Text.Json;

namespace Fairseq2Llama.Signing;

/// <summary>A bundle of Sigstore: a signed statement with what is needed to verify it, as model.sig is one.</summary>
/// <param name="File">The path of the file that it is in, for messages.</param>
/// <param name="Material">What it says of who signed.</param>
/// <param name="Envelope">The statement and its signature.</param>
internal sealed record SigstoreBundle(string File, VerificationMaterial Material, DsseEnvelope Envelope)
{
    private const string MediaType = "application/vnd.dev.sigstore.bundle.v0.3+json";
    private const string MediaTypeKey = "mediaType", MaterialKey = "verificationMaterial", EnvelopeKey = "dsseEnvelope", MessageKey = "messageSignature";

    /// <summary>Those that verifiers must read, too. Versions before 0.3 differ in what they require of transparency logs only.</summary>
    private static readonly ImmutableArray<string> MediaTypes =
    [
        MediaType, .. from version in (string[])["0.1", "0.2", "0.3"] select $"application/vnd.dev.sigstore.bundle+json;version={version}",
    ];

    /// <summary>Some programs find out what a file is by looking for its media type, which has a plus.</summary>
    private static readonly JsonWriterOptions Options = new() { Encoder = JavaScriptEncoder.UnsafeRelaxedJsonEscaping };

    /// <summary>Signs a statement of in-toto.</summary>
    /// <param name="statement">The statement in JSON.</param>
    /// <param name="key">The key to sign with.</param>
    /// <returns>The bytes of a bundle.</returns>
    /// <exception cref="CheckpointException">It is not such a statement.</exception>
    public static byte[] Sign(byte[] statement, SigningKey key)
    {
        _ = InTotoStatement.Read(statement, "statement");
        return new SigstoreBundle("bundle", VerificationMaterial.Of(key), DsseEnvelope.Sign(statement, key)).Write();
    }

    /// <summary>Reads a bundle, and verifies nothing.</summary>
    /// <param name="json">All of the file.</param>
    /// <param name="file">Its path, for messages.</param>
    /// <exception cref="CheckpointException">It is no such bundle, or of a kind that can't be verified here.</exception>
    public static SigstoreBundle Read(ReadOnlyMemory<byte> json, string file)
    {
        var bundle = StrictJson.Parse(json, file, "the bundle");

        if (bundle.Text(MediaTypeKey) is var type && !MediaTypes.Contains(type))
        {
            throw bundle.Unsupported($"it is of the type '{type}'; expected '{MediaType}'.");
        }

        if (bundle.Has(MessageKey))
        {
            throw bundle.Unsupported("it signs a single file, not a statement about a model. 'cosign verify-blob' verifies it.");
        }

        return new SigstoreBundle(file, VerificationMaterial.Read(bundle.Object(MaterialKey)), DsseEnvelope.Read(bundle.Object(EnvelopeKey)));
    }

    public byte[] Write()
    {
        var buffer = new ArrayBufferWriter<byte>();

        using (var json = new Utf8JsonWriter(buffer, Options))
        {
            json.WriteStartObject();
            json.WriteString(MediaTypeKey, MediaType);
            json.WritePropertyName(MaterialKey);
            Material.Write(json);
            json.WritePropertyName(EnvelopeKey);
            Envelope.Write(json);
            json.WriteEndObject();
        }

        return buffer.WrittenSpan.ToArray();
    }
}
