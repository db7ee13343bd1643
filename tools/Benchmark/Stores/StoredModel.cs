namespace Fairseq2Llama.Benchmark.Stores;

/// <summary>A checkpoint of one file of torch.save and the same in one safetensors file, on the disk and in a store.</summary>
/// <param name="Name">What its keys begin with.</param>
/// <param name="Torch">On the disk.</param>
/// <param name="SafeTensors">On the disk.</param>
internal sealed record StoredModel(string Name, MadeCheckpoint Torch, string SafeTensors)
{
    /// <summary>Where the server gives objects of the bucket to everybody.</summary>
    public const string WebPath = "plain/bucket/";

    public LlamaArchitecture Architecture => Torch.Architecture;

    public string TorchKey => $"{Name}-torch/model.pt";

    public string TorchAddress => $"s3://bucket/{Name}-torch";

    public string SafeTensorsAddress => $"s3://bucket/{Name}-safetensors";

    /// <summary>Makes it, and uploads it.</summary>
    public static StoredModel Make(string name, LlamaArchitecture architecture, Workspace workspace, StoreServer server)
    {
        var torch = CheckpointMaker.Make(workspace[name + "-torch"], architecture);
        var safeTensors = workspace[name + "-safetensors"];

        using (var session = new Session())
        {
            session.Run(ModuleCommands.ExportToHuggingFace(torch, safeTensors));
        }

        server.Put(name + "-torch/", torch.Path);
        server.Put(name + "-safetensors/", safeTensors);
        return new StoredModel(name, torch, safeTensors);
    }
}
