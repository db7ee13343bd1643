using System.Security.Cryptography;
using Fairseq2Llama.Signing;
using Fairseq2Llama.Tests.Support;

namespace Fairseq2Llama.Tests.Signing;

/// <summary>Signatures in tests/data that model_signing made of the model beside them.</summary>
internal static class RecordedSignatures
{
    /// <summary>When its certificates are valid.</summary>
    public static readonly DateTimeOffset Time = new(2030, 1, 1, 0, 0, 0, TimeSpan.Zero);

    public static string Model { get; } = Repository.Data("signatures/model");

    public static PemFile File(string name) => new(name, System.IO.File.ReadAllText(Repository.Data($"signatures/{name}")));

    public static SigstoreBundle Bundle(string name) => SigstoreBundle.Read(System.IO.File.ReadAllBytes(Repository.Data($"signatures/{name}")), name);

    /// <summary>The files of a folder as whoever verifies them sees them.</summary>
    public static ModelResource[] ResourcesOf(string folder) =>
    [
        .. from path in Directory.EnumerateFiles(folder, "*", new EnumerationOptions { RecurseSubdirectories = true, AttributesToSkip = FileAttributes.None })
           let hash = Convert.ToHexStringLower(SHA256.HashData(System.IO.File.ReadAllBytes(path)))
           select new ModelResource(Path.GetRelativePath(folder, path).Replace(Path.DirectorySeparatorChar, '/'), hash),
    ];
}
