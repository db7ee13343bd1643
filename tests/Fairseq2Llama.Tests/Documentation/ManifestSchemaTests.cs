using System.Collections.Immutable;
using System.Globalization;
using System.Text.Json;
using System.Text.Json.Nodes;
using Fairseq2Llama.Manifests;
using Fairseq2Llama.Tests.Support;
using Json.Schema;

namespace Fairseq2Llama.Tests.Documentation;

/// <summary>docs/checkpoint-manifest.schema.json says what manifests are.</summary>
public sealed class ManifestSchemaTests : IDisposable
{
    private static readonly string Text = RepositoryFiles.Read("docs/checkpoint-manifest.schema.json");

    private static readonly JsonSchema Schema = JsonSchema.FromText(Text);

    /// <summary>The same without fields that it does not describe. Readers have to let them pass, but what is written has none.</summary>
    private static readonly JsonSchema Strict = JsonSchema.FromText(Close(JsonNode.Parse(Text)!).ToJsonString());

    private readonly TempFolder _folder = new();

    public void Dispose() => _folder.Dispose();

    [Theory]
    [InlineData("Export-Fairseq2Checkpoint $data/checkpoints/tp2-llama3 out -Architecture $tiny -Manifest", "out/checkpoint-manifest.json")]
    [InlineData("Export-LlamaReferenceCheckpoint $data/checkpoints/fs2 out -Architecture $tiny -ShardCount 2 -DType bfloat16 -Manifest", "out/checkpoint-manifest.json")]
    [InlineData("Export-LlamaHuggingFaceCheckpoint $data/checkpoints/tied out -Architecture $tiny -Manifest", "out/checkpoint-manifest.json")]
    [InlineData("Export-LlamaGgufCheckpoint $data/huggingface/half out/a.gguf -TokenizerPath tokenizer.model -Manifest", "out/a.checkpoint-manifest.json")]
    [InlineData("Export-LlamaReferenceCheckpoint $data/checkpoints/fs2 out -Architecture $tiny; New-CheckpointManifest out", "out/checkpoint-manifest.json")]
    public void Fits_what_commands_write(string script, string manifest)
    {
        File.WriteAllBytes(_folder["tokenizer.model"], SentencePieceBuilder.OfSize(TinyModel.Architecture.VocabSize).Build());
        using var session = new Session { Location = _folder.Path };
        session["data"] = Repository.Data("");
        session["tiny"] = TinyModel.Architecture;
        session.Run(script);

        AssertFits(File.ReadAllBytes(_folder[manifest]));
    }

    [Fact]
    public void Fits_all_that_can_be_written() => AssertFits(ManifestStatement.Write(MakeFull()));

    [Theory]
    [InlineData("$._type", "\"https://in-toto.io/Statement/v0.1\"")]
    [InlineData("$.subject", "[]")]
    [InlineData("$.subject[0].digest", "null")]
    [InlineData("$.subject[0].name", "\"/etc/passwd\"")]
    [InlineData("$.subject[0].annotations.length", "-1")]
    [InlineData("$.predicateType", "\"https://fairseq2llama/checkpoint-manifest/v2\"")]
    [InlineData("$.predicate.model.format", "\"Onnx\"")]
    [InlineData("$.predicate.tensors[0].dtype", "\"float\"")]
    [InlineData("$.predicate.tensors[0].shape[0]", "1.5")]
    [InlineData("$.predicate.tensors[0].digest.sha256", "\"00\"")]
    [InlineData("$.predicate.tensors[0].tiedTo", "\"other\"")]
    [InlineData("$.predicate.tensors[0].source.changes[0]", "\"improved\"")]
    [InlineData("$.predicate.source.uri", "\"https://example.com/a?sig=secret\"")]
    public void Refuses_what_is_wrong(string path, string value)
    {
        var manifest = JsonNode.Parse(ManifestStatement.Write(MakeFull()))!;
        Set(manifest, path, JsonNode.Parse(value));

        Assert.False(Fits(Schema, JsonSerializer.SerializeToUtf8Bytes(manifest)));
    }

    [Fact]
    public void Lists_all_types_and_formats()
    {
        var definitions = JsonNode.Parse(Text)!["$defs"]!;

        Assert.Equal(Enum.GetValues<DType>().Select(dtype => dtype.GetTorchName()), Values(definitions["dtype"]!));
        Assert.Equal(Enum.GetNames<CheckpointFormat>(), Values(definitions["format"]!));

        static IEnumerable<string> Values(JsonNode definition) => definition["enum"]!.AsArray().Select(value => (string)value!);
    }

    private static void AssertFits(byte[] manifest)
    {
        Assert.True(Fits(Schema, manifest));
        Assert.True(Fits(Strict, manifest));
    }

    private static bool Fits(JsonSchema schema, byte[] manifest)
    {
        using var document = JsonDocument.Parse(manifest);
        return schema.Evaluate(document.RootElement).IsValid;
    }

    /// <summary>A manifest that has every field.</summary>
    private static CheckpointManifest MakeFull()
    {
        var hash = HexDigest.Of("x"u8);
        var file = new ManifestFile("model-00001-of-00001.safetensors", 12, hash);

        var tensor = new ManifestTensor("tok_embeddings.weight", DType.BFloat16, new TensorShape(4, 2), hash)
        {
            Key = "model.embed_tokens.weight",
            Files = [file.Name],
            Source = new ManifestTensorSource("decoder_frontend.embed.weight", DType.Float32, hash)
            {
                Files = ["pp_00/tp_00/sdp_00.pt"],
                Crc32 = "0badcafe",
                Changes = ["computed", "renamed", "merged", "permuted", "cast", "split"],
            },
        };

        return new CheckpointManifest("full", CheckpointFormat.HuggingFace, [file, file with { Name = "config.json" }], TiedTensor.AddTo([tensor]))
        {
            Source = new ManifestSource("run", CheckpointFormat.Fairseq2, hash)
            {
                Address = "s3://bucket/run",
                Files = [new ManifestFile("pp_00/tp_00/sdp_00.pt", 24, null) { ETag = "\"1\"" }],
            },
            Options = new Dictionary<string, string> { ["DType"] = "BFloat16" }.ToImmutableSortedDictionary(),
        };
    }

    private static JsonNode Close(JsonNode node)
    {
        if (node is JsonObject schema)
        {
            foreach (var (_, value) in schema.ToArray())
            {
                Close(value!);
            }

            if (schema["properties"] is JsonObject && schema["type"] is not null && schema["additionalProperties"] is null)
            {
                schema["additionalProperties"] = false;
            }
        }
        else if (node is JsonArray list)
        {
            foreach (var item in list)
            {
                Close(item!);
            }
        }

        return node;
    }

    private static void Set(JsonNode root, string path, JsonNode? value)
    {
        var (parent, last) = (root, "");

        foreach (var name in path[2..].Replace("[", ".", StringComparison.Ordinal).Replace("]", "", StringComparison.Ordinal).Split('.'))
        {
            parent = last.Length == 0 ? parent : At(parent, last);
            last = name;
        }

        if (parent is JsonArray list)
        {
            list[int.Parse(last, CultureInfo.InvariantCulture)] = value;
        }
        else
        {
            parent[last] = value;
        }

        static JsonNode At(JsonNode parent, string name) => parent is JsonArray list ? list[int.Parse(name, CultureInfo.InvariantCulture)]! : parent[name]!;
    }
}
