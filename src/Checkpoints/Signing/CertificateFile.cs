using System.Security.Cryptography;
using System.Security.Cryptography.X509Certificates;

namespace Fairseq2Llama.Signing;

/// <summary>Certificates of files, kept as DER, since a certificate of .NET holds resources of the operating system.</summary>
internal static class CertificateFile
{
    public const string Label = "CERTIFICATE";

    /// <summary>All certificates of a file, in their order.</summary>
    /// <exception cref="CheckpointException">It has none, or a damaged one.</exception>
    public static byte[][] Read(PemFile file)
    {
        byte[][] certificates = [.. file.Blocks.Where(block => block.Label == Label).Select(block => block.Data)];

        foreach (var certificate in certificates)
        {
            Load(file, certificate).Dispose();
        }

        return certificates.Length == 0
            ? throw file.Unusable("holds no certificate in PEM. Expected blocks that begin with -----BEGIN CERTIFICATE-----; 'openssl x509 -inform DER' makes them of a file in DER.")
            : certificates;
    }

    /// <exception cref="CheckpointException">It is damaged.</exception>
    public static X509Certificate2 Load(PemFile file, byte[] der)
    {
        try
        {
            return Load(der);
        }
        catch (CryptographicException e)
        {
            throw file.Unusable("holds a certificate that is damaged. Export it again.", e);
        }
    }

    /// <summary>The constructor would also open a PKCS #12 file, which can ask for a lot of work; text in PEM can be nothing but a certificate.</summary>
    /// <exception cref="CryptographicException">It is no certificate.</exception>
    public static X509Certificate2 Load(byte[] der) => X509Certificate2.CreateFromPem(PemEncoding.WriteString(Label, der));
}
