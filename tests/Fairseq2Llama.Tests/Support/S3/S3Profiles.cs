using System.Net;
using System.Net.Sockets;

namespace Fairseq2Llama.Tests.Support.S3;

/// <summary>
/// Profiles of the AWS configuration for the whole process and those that it starts, in place of the ones that the developer has. None is the
/// default, so that without a name there are no credentials.
/// </summary>
internal static class S3Profiles
{
    /// <summary>Has the key that servers know.</summary>
    public const string Right = "right";

    /// <summary>Has a key that no server knows.</summary>
    public const string Stranger = "stranger";

    /// <summary>Has the right key with another secret.</summary>
    public const string Forger = "forger";

    /// <summary>Has the right key and a region.</summary>
    public const string Abroad = "abroad";

    /// <summary>Has what the environment says, for the store that <see cref="RealS3"/> asks.</summary>
    public const string Real = "real";

    /// <summary>Has nothing.</summary>
    public const string Empty = "empty";

    /// <summary>Names a program that fails, and writes what nobody may see.</summary>
    public const string Program = "program";

    public const string OtherSecret = "anotherTESTsecretTESTsecretTESTsecret";

    private static readonly string[] OfDeveloper =
    [
        "AWS_PROFILE", "AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY", "AWS_SESSION_TOKEN", "AWS_REGION", "AWS_DEFAULT_REGION", "AWS_ENDPOINT_URL",
        "AWS_ENDPOINT_URL_S3", "AWS_ROLE_ARN", "AWS_WEB_IDENTITY_TOKEN_FILE", "AWS_CONTAINER_CREDENTIALS_RELATIVE_URI",
        "AWS_CONTAINER_CREDENTIALS_FULL_URI",
    ];

    private static readonly Lazy<string> Folder = new(Write);

    /// <summary>Takes connections and says nothing, as where there is no service that gives a virtual machine its credentials.</summary>
    private static readonly TcpListener Silent = new(IPAddress.Loopback, port: 0);

    /// <summary>Makes the AWS SDK find them.</summary>
    public static void Use() => _ = Folder.Value;

    private static string Write()
    {
        var folder = Directory.CreateTempSubdirectory("fairseq2llama-tests-aws-").FullName;
        AppDomain.CurrentDomain.ProcessExit += (_, _) => Directory.Delete(folder, recursive: true);

        File.WriteAllText(Path.Combine(folder, "credentials"), $"""
            [{Right}]
            aws_access_key_id = {S3Server.AccessKey}
            aws_secret_access_key = {S3Server.Secret}
            [{Stranger}]
            aws_access_key_id = AKIASTRANGERSTRANGER
            aws_secret_access_key = {OtherSecret}
            [{Forger}]
            aws_access_key_id = {S3Server.AccessKey}
            aws_secret_access_key = {OtherSecret}
            [{Abroad}]
            aws_access_key_id = {S3Server.AccessKey}
            aws_secret_access_key = {S3Server.Secret}
            region = eu-central-1
            [{Program}]
            credential_process = dotnet exec {OtherSecret}
            [{Empty}]
            region = eu-central-1
            [{Real}]
            aws_access_key_id = {Environment.GetEnvironmentVariable("AWS_ACCESS_KEY_ID") ?? "none"}
            aws_secret_access_key = {Environment.GetEnvironmentVariable("AWS_SECRET_ACCESS_KEY") ?? "none"}
            """);

        Environment.SetEnvironmentVariable("AWS_SHARED_CREDENTIALS_FILE", Path.Combine(folder, "credentials"));
        Environment.SetEnvironmentVariable("AWS_CONFIG_FILE", Path.Combine(folder, "config"));
        Environment.SetEnvironmentVariable("AWS_EC2_METADATA_DISABLED", "true");
        Silent.Start();
        Environment.SetEnvironmentVariable("AWS_EC2_METADATA_SERVICE_ENDPOINT", $"http://{Silent.LocalEndpoint}");

        foreach (var name in OfDeveloper)
        {
            Environment.SetEnvironmentVariable(name, null);
        }

        return folder;
    }
}
