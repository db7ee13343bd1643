using System.Diagnostics;
using System.Security;
using Azure.Storage;
using Azure.Storage.Blobs;
using Azure.Storage.Sas;
using Fairseq2Llama.AzureBlobs;
using Fairseq2Llama.Stores.Objects;

namespace Fairseq2Llama.Tests.Support;

/// <summary>
/// Azurite, Microsoft's emulator of Azure Blob Storage, started when a test first needs it. Without it such tests are skipped.
/// </summary>
public sealed class Azurite : IDisposable
{
    /// <summary>Its account and key are the same everywhere, and no secret.</summary>
    private const string Name = "devstoreaccount1";
    private const string Key = "Eby8vdM02xNOcqFlqUwJPLlmEtlCDXJ1OUzFT50uSRZ6IFsuFq2UVErCz4I6tq/K1SZFPTOtr/KBHBeksoGMGw==";

    /// <summary>It ends when its input does, so that it does not outlive a test process that is killed.</summary>
    private const string Script = "process.argv.splice(1, 0, process.env.AZURITE_MAIN); process.stdin.resume().on('end', () => process.exit()); require(process.argv[1])";

    private static readonly TimeSpan Hang = TimeSpan.FromMinutes(2);

    private readonly Lazy<(Process Process, Uri Account)> _server = new(Start);

    /// <summary>The address of its account.</summary>
    public Uri Account => _server.Value.Account;

    private BlobServiceClient Service => new(Account, new StorageSharedKeyCredential(Name, Key));

    /// <summary>Makes a container.</summary>
    public Uri CreateContainer(bool isPublic = false)
    {
        var container = Service.GetBlobContainerClient($"c{Guid.NewGuid():N}");
        container.Create(isPublic ? Azure.Storage.Blobs.Models.PublicAccessType.BlobContainer : default);
        return container.Uri;
    }

    /// <summary>A SAS for a container.</summary>
    public SecureString Sign(Uri container, string permissions = "racwdl", int hours = 1)
    {
        var client = Service.GetBlobContainerClient(container.Segments[^1]);
        var builder = new BlobSasBuilder { BlobContainerName = client.Name, Resource = "c", ExpiresOn = DateTimeOffset.UtcNow.AddHours(hours) };
        builder.SetPermissions(permissions);
        return Secret(client.GenerateSasUri(builder).Query);
    }

    /// <summary>A container as its owner asks it.</summary>
    internal IObjectClient Open(Uri container) => Open(container, Sign(container));

    /// <param name="container">The container.</param>
    /// <param name="signature">A SAS; null for nobody.</param>
    internal static IObjectClient Open(Uri container, SecureString? signature) =>
        new AzureBlobFactory().Open(container, new StoreAccess { SasToken = signature });

    internal static SecureString Secret(string text)
    {
        var secret = new SecureString();
        Array.ForEach(text.ToCharArray(), secret.AppendChar);
        return secret;
    }

    public void Dispose()
    {
        if (_server.IsValueCreated)
        {
            using var process = _server.Value.Process;
            process.Kill(entireProcessTree: true);
            process.WaitForExit();
        }
    }

    private static (Process Process, Uri Account) Start()
    {
        CategoryAttribute.Require();
        var folder = Environment.GetEnvironmentVariable("FAIRSEQ2LLAMA_AZURITE");
        var main = Path.Combine(folder ?? "", "node_modules", "azurite", "dist", "src", "blob", "main.js");
        Assert.SkipUnless(
            !string.IsNullOrEmpty(folder) && File.Exists(main), "needs Azurite (npm install azurite), and FAIRSEQ2LLAMA_AZURITE to name its folder; see tests/Start-Azurite.ps1");

        string[] options = ["--blobHost", "127.0.0.1", "--blobPort", "0", "--inMemoryPersistence", "--silent", "--disableTelemetry", "--skipApiVersionCheck"];
        var start = new ProcessStartInfo("node", ["-e", Script, "--", .. options])
        {
            RedirectStandardInput = true,
            RedirectStandardOutput = true,
            RedirectStandardError = true,
        };
        start.Environment["AZURITE_MAIN"] = main;

        var process = Process.Start(start)!;
        var error = process.StandardError.ReadToEndAsync();

        try
        {
            return (process, new Uri(AwaitAddress(process, error) + "/" + Name));
        }
        catch
        {
            process.Kill(entireProcessTree: true);
            process.Dispose();
            throw;
        }
    }

    private static string AwaitAddress(Process process, Task<string> error)
    {
        var address = Task.Run(async () =>
        {
            const string Announcement = "listens on ";

            while (await process.StandardOutput.ReadLineAsync() is { } line)
            {
                if (line.IndexOf(Announcement, StringComparison.Ordinal) is var at and >= 0)
                {
                    return line[(at + Announcement.Length)..].Trim();
                }
            }

            return null;
        });

        Assert.True(address.Wait(Hang), "Azurite hangs");
        return address.Result ?? throw new InvalidOperationException($"Azurite does not start: {error.Result}");
    }
}
