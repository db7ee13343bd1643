using Fairseq2Llama.S3;
using Fairseq2Llama.Stores.Objects;

namespace Fairseq2Llama.Benchmark.Stores;

/// <summary>What is read and exported, and where it is.</summary>
internal sealed class StoreWorkspace : IDisposable
{
    /// <summary>All tensors of a 7B model, a quarter as wide.</summary>
    private static readonly LlamaArchitecture Narrow = LlamaArchitectures.Find("llama2_7b") with { ModelDim = 1024 };

    public StoreWorkspace(Workspace workspace, LlamaArchitecture architecture)
    {
        UseCredentials(workspace);
        Client = new S3Factory().Open(new Uri("s3://bucket"), Access);

        try
        {
            Large = StoredModel.Make("large", architecture, workspace, Server);
            Many = StoredModel.Make("many", Narrow, workspace, Server);
        }
        catch
        {
            Dispose();
            throw;
        }
    }

    /// <summary>Bytes that are needed on the disk.</summary>
    public static long SizeOf(LlamaArchitecture architecture) => 2 * (CheckpointMaker.SizeOf(architecture) + CheckpointMaker.SizeOf(Narrow));

    /// <summary>Where everything is.</summary>
    public StoreServer Server { get; } = new();

    /// <summary>Another service.</summary>
    public StoreServer OtherServer { get; } = new();

    /// <summary>Few tensors, each as large as those of a whole model.</summary>
    public StoredModel Large { get; }

    /// <summary>As many tensors as a whole model has.</summary>
    public StoredModel Many { get; }

    /// <summary>Makes single requests.</summary>
    public IObjectClient Client { get; }

    /// <summary>How the server is accessed.</summary>
    public StoreAccess Access => new() { EndpointUrl = Server.Address };

    public void Dispose()
    {
        Server.Dispose();
        OtherServer.Dispose();
    }

    /// <summary>Those that the server knows, for this process and those that it starts, instead of the ones of whoever runs it.</summary>
    private static void UseCredentials(Workspace workspace)
    {
        Environment.SetEnvironmentVariable("AWS_ACCESS_KEY_ID", Tests.Support.S3.S3Server.AccessKey);
        Environment.SetEnvironmentVariable("AWS_SECRET_ACCESS_KEY", Tests.Support.S3.S3Server.Secret);
        Environment.SetEnvironmentVariable("AWS_SESSION_TOKEN", null);
        Environment.SetEnvironmentVariable("AWS_PROFILE", null);
        Environment.SetEnvironmentVariable("AWS_REGION", "us-east-1");
        Environment.SetEnvironmentVariable("AWS_CONFIG_FILE", workspace["no-config"]);
        Environment.SetEnvironmentVariable("AWS_SHARED_CREDENTIALS_FILE", workspace["no-credentials"]);
    }
}
