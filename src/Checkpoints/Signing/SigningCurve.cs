using System.Collections.Immutable;
using System.Formats.Asn1;
using System.Security.Cryptography;

namespace Fairseq2Llama.Signing;

/// <summary>An elliptic curve of the specification for model signing, and the hash that Sigstore's registry of algorithms pairs with it.</summary>
/// <param name="Name">As NIST names it.</param>
/// <param name="Oid">As certificates and keys name it.</param>
/// <param name="Hash">What is hashed with before the signature is made.</param>
internal sealed record SigningCurve(string Name, string Oid, HashAlgorithmName Hash)
{
    private const string EllipticCurveKey = "1.2.840.10045.2.1";

    /// <summary>All that model_signing takes.</summary>
    public static ImmutableArray<SigningCurve> All { get; } =
    [
        new("P-256", "1.2.840.10045.3.1.7", HashAlgorithmName.SHA256),
        new("P-384", "1.3.132.0.34", HashAlgorithmName.SHA384),
        new("P-521", "1.3.132.0.35", HashAlgorithmName.SHA512),
    ];

    /// <summary>Their names, for messages.</summary>
    public const string Names = "P-256, P-384 or P-521";

    /// <summary>The curve of a public key in SubjectPublicKeyInfo. .NET names curves differently on each system, the encoded key does not.</summary>
    /// <returns>Null for every other key.</returns>
    public static SigningCurve? Of(ReadOnlyMemory<byte> subjectPublicKeyInfo)
    {
        try
        {
            var algorithm = new AsnReader(subjectPublicKeyInfo, AsnEncodingRules.DER).ReadSequence().ReadSequence();
            var isEllipticCurve = algorithm.ReadObjectIdentifier() == EllipticCurveKey;

            // A curve that is given by its numbers, not by its name, could have a base point of the attacker's choice (CVE-2020-0601).
            var curve = isEllipticCurve && algorithm.PeekTag().HasSameClassAndValue(Asn1Tag.ObjectIdentifier) ? algorithm.ReadObjectIdentifier() : null;
            return All.FirstOrDefault(known => known.Oid == curve);
        }
        catch (AsnContentException)
        {
            return null;
        }
    }
}
