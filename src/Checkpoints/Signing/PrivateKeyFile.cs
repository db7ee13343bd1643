using System.Formats.Asn1;
using System.Runtime.InteropServices;
using System.Security;
using System.Security.Cryptography;

namespace Fairseq2Llama.Signing;

/// <summary>Reads a private key on an elliptic curve: PKCS #8, encrypted or not, or SEC 1, as OpenSSL writes them.</summary>
internal static class PrivateKeyFile
{
    private const string Plain = "PRIVATE KEY", Encrypted = "ENCRYPTED PRIVATE KEY", Sec1 = "EC PRIVATE KEY";

    private const string Kinds = $"Models are signed only with keys on the elliptic curve {SigningCurve.Names}; "
        + "'openssl genpkey -algorithm EC -pkeyopt ec_paramgen_curve:P-256' makes one.";

    /// <summary>Kinds of keys that people have most often.</summary>
    private static readonly Dictionary<string, string> Algorithms = new(StringComparer.Ordinal)
    {
        ["1.2.840.113549.1.1.1"] = "an RSA key",
        ["1.2.840.113549.1.1.10"] = "an RSA key",
        ["1.3.101.112"] = "an Ed25519 key",
        ["1.3.101.113"] = "an Ed448 key",
    };

    /// <exception cref="CheckpointException">There is no key in the file that can sign, or the password does not open it.</exception>
    public static ECDsa Read(PemFile file, SecureString? password)
    {
        (string Label, byte[] Data)[] keys = [.. file.Blocks.Where(block => block.Label.EndsWith(Plain, StringComparison.Ordinal))];

        try
        {
            return keys switch
            {
                [] => throw Missing(file),
                [var (label, data)] => Read(file, label, data, password),
                _ => throw file.Unusable($"holds {keys.Length} private keys. Keep the one to sign with in a file of its own."),
            };
        }
        finally
        {
            Array.ForEach(keys, key => CryptographicOperations.ZeroMemory(key.Data));
        }
    }

    private static ECDsa Read(PemFile file, string label, byte[] data, SecureString? password)
    {
        var key = ECDsa.Create();

        try
        {
            switch (label)
            {
                case Plain when AlgorithmOf(data) is { } other:
                    throw file.Unusable($"holds {other}. {Kinds}");
                case Plain:
                    key.ImportPkcs8PrivateKey(data, out _);
                    break;
                case Sec1:
                    key.ImportECPrivateKey(data, out _);
                    break;
                case Encrypted when password is null:
                    throw file.Unusable("holds an encrypted private key, and no password was given. Give it as a secure string, such as that of Read-Host -AsSecureString.");
                case Encrypted:
                    Decrypt(file, key, data, password);
                    break;
                default:
                    throw file.Unusable(OtherKind(label));
            }

            return SigningCurve.Of(key.ExportSubjectPublicKeyInfo()) is null ? throw file.Unusable($"holds a key on another curve. {Kinds}") : key;
        }
        catch (Exception e) when (e is CryptographicException or PlatformNotSupportedException)
        {
            key.Dispose();
            throw file.Unusable($"holds a private key that can't be read. {Kinds}", e);
        }
        catch
        {
            key.Dispose();
            throw;
        }
    }

    private static void Decrypt(PemFile file, ECDsa key, byte[] data, SecureString password)
    {
        var text = Marshal.SecureStringToBSTR(password);
        var characters = new char[password.Length];

        try
        {
            Marshal.Copy(text, characters, 0, characters.Length);
            key.ImportEncryptedPkcs8PrivateKey(characters, data, out _);
        }
        catch (CryptographicException e)
        {
            // A wrong password can decrypt to anything, so the two can't be told apart.
            throw file.Unusable($"holds an encrypted private key that the password does not open, or that is of another kind. {Kinds}", e);
        }
        finally
        {
            Array.Clear(characters);
            Marshal.ZeroFreeBSTR(text);
        }
    }

    private static CheckpointException Missing(PemFile file)
    {
        if (file.Text.Contains("Proc-Type: 4,ENCRYPTED", StringComparison.Ordinal))
        {
            return file.Unusable("holds a private key in the old encryption of OpenSSL, which is too weak. 'openssl pkcs8 -topk8 -in FILE' writes it in PKCS #8.");
        }

        return file.Blocks.Any()
            ? file.Unusable("holds no private key, only what is public. A signature is made with the private key.")
            : file.Unusable("holds no private key in PEM. Expected a block that begins with -----BEGIN PRIVATE KEY-----, -----BEGIN ENCRYPTED PRIVATE KEY----- or -----BEGIN EC PRIVATE KEY-----.");
    }

    private static string OtherKind(string label) => label switch
    {
        "RSA PRIVATE KEY" => $"holds an RSA key. {Kinds}",
        "OPENSSH PRIVATE KEY" => "holds a private key in the format of OpenSSH. 'ssh-keygen -p -m PKCS8 -f FILE' converts a copy of it, if it is on an elliptic curve.",
        "ENCRYPTED SIGSTORE PRIVATE KEY" or "ENCRYPTED COSIGN PRIVATE KEY" =>
            "holds a private key in cosign's own encryption, which only cosign reads. Make a key with OpenSSL; 'cosign import-key-pair' gives it to cosign, too.",
        _ => $"holds a private key of a kind ({label}) that can't sign a model. {Kinds}",
    };

    /// <returns>Null for a key on an elliptic curve, and where its import will say what is wrong.</returns>
    private static string? AlgorithmOf(byte[] pkcs8)
    {
        try
        {
            var key = new AsnReader(pkcs8, AsnEncodingRules.BER).ReadSequence();
            key.ReadInteger();
            return Algorithms.GetValueOrDefault(key.ReadSequence().ReadObjectIdentifier());
        }
        catch (AsnContentException)
        {
            return null;
        }
    }
}
