using System.Globalization;
using System.Text;
using System.Text.Json;

namespace Fairseq2Llama.Signing;

/// <summary>A signed statement in a Dead Simple Signing Envelope (secure-systems-lab/dsse).</summary>
/// <param name="Payload">The bytes of the statement; whoever reads it must read just these.</param>
/// <param name="Signature">The signature of it, with that of its type.</param>
internal sealed record DsseEnvelope(byte[] Payload, byte[] Signature)
{
    /// <summary>The only type that models are signed as: a statement of in-toto in JSON.</summary>
    private const string PayloadType = "application/vnd.in-toto+json";

    private const string PayloadKey = "payload", TypeKey = "payloadType", SignaturesKey = "signatures", SignatureKey = "sig", KeyIdKey = "keyid";

    /// <summary>What the signature is of: the pre-authentication encoding of the payload.</summary>
    public byte[] SignedBytes => Encode(Payload);

    public static DsseEnvelope Sign(byte[] payload, SigningKey key) => new(payload, key.Sign(Encode(payload)));

    /// <exception cref="CheckpointException">It is of another type, or has not exactly one signature.</exception>
    public static DsseEnvelope Read(StrictJson envelope)
    {
        if (envelope.Text(TypeKey) is not PayloadType and var type)
        {
            throw envelope.Invalid($"it signs data of the type '{type}'; expected '{PayloadType}'.");
        }

        // The format of bundles allows one only. With several, programs could differ in which of them they verify.
        return envelope.Objects(SignaturesKey) is [var signature]
            ? new DsseEnvelope(envelope.Bytes(PayloadKey), signature.Bytes(SignatureKey))
            : throw envelope.Invalid($"it has {Quantity.Of(envelope.Objects(SignaturesKey).Length, "signature")}; expected one.");
    }

    public void Write(Utf8JsonWriter json)
    {
        json.WriteStartObject();
        json.WriteBase64String(PayloadKey, Payload);
        json.WriteString(TypeKey, PayloadType);
        json.WriteStartArray(SignaturesKey);
        json.WriteStartObject();
        json.WriteBase64String(SignatureKey, Signature);
        json.WriteString(KeyIdKey, "");
        json.WriteEndObject();
        json.WriteEndArray();
        json.WriteEndObject();
    }

    private static byte[] Encode(byte[] payload)
    {
        var head = string.Create(CultureInfo.InvariantCulture, $"DSSEv1 {PayloadType.Length} {PayloadType} {payload.Length} ");
        return [.. Encoding.ASCII.GetBytes(head), .. payload];
    }
}
