using System.Globalization;
using System.Reflection;
using Fairseq2Llama.Attestation;
using Fairseq2Llama.Distributed;
using Fairseq2Llama.Fairseq2;
using Fairseq2Llama.Gguf;
using Fairseq2Llama.Model;
using Fairseq2Llama.SafeTensors;
using Fairseq2Llama.Signing;
using Fairseq2Llama.Stores;
using Fairseq2Llama.Tests.Support;
using Fairseq2Llama.Tokenizers;
using Fairseq2Llama.TorchFiles.Pickle;
using Fairseq2Llama.TorchFiles.Zip;

namespace Fairseq2Llama.Tests.Fuzzing;

/// <summary>SECURITY.md states the bounds that hold.</summary>
public class SecurityPolicyTests
{
    private static readonly string[] Rows = [.. File.ReadAllLines(Path.Combine(Repository.Root, "SECURITY.md")).Where(line => line.StartsWith("| ", StringComparison.Ordinal))];

    /// <summary>The adapters show their types to nobody.</summary>
    private static readonly Type Yaml = Type.GetType("Fairseq2Llama.Adapters.YamlAdapter, Fairseq2Llama.Adapters", throwOnError: true)!;

    [Fact]
    public void States_the_bounds_that_hold()
    {
        AssertStates("memory to open a file", $"{Fuzzer.FixedMebibytes} MiB, and {Fuzzer.BytesPerByte} bytes");
        AssertStates("size of a file's pickles", $"{PickleBudget.MaxBytes >> 20} MiB");
        AssertStates("values that the pickles of a file", string.Create(CultureInfo.InvariantCulture, $"{PickleBudget.MaxValues:N0}"));
        AssertStates("size of the metadata", $"{Constant(typeof(MetadataFile), "MaxLength") >> 30} GiB");
        AssertStates("values that the pickle of the metadata", string.Create(CultureInfo.InvariantCulture, $"{PickleBudget.MaxValues:N0}, and one for every {Constant(typeof(MetadataFile), "MinBytesPerValue")} bytes"));
        AssertStates("size of a zip directory", $"{Constant(typeof(ZipDirectory), "MaxSize") >> 20} MiB");
        AssertStates("size of an inflated record", $"{ZipFormat.MaxDeflateRatio} times");
        AssertStates("dimensions of a tensor", $"{TensorLimits.MaxNameLength}, {TensorLimits.MaxDims}");
        AssertStates("size of a tensor, of all tensors", $"{PickleBudget.MaxTensorSize >> 40} TiB, {PickleBudget.MaxTotalTensorSize >> 50} PiB");
        AssertStates("size of `model.yaml`", $"{Constant(typeof(ModelConfig), "MaxLength") >> 20} MiB");
        AssertStates("nesting depth of `model.yaml`", string.Create(CultureInfo.InvariantCulture, $"{Constant(Yaml, "MaxDepth")}, {Constant(Yaml, "MaxNodes"):N0}"));
        AssertStates("size of a safetensors header", string.Create(CultureInfo.InvariantCulture, $"{Constant(typeof(HeaderText), "MaxLength"):N0}"));
        AssertStates("nesting depth of a safetensors header", $"{Constant(typeof(HeaderJson), "MaxDepth")}");
        AssertStates("metadata of a GGUF file", string.Create(CultureInfo.InvariantCulture, $"{Constant(typeof(GgufMetadata), "MaxCount"):N0}, {Constant(typeof(GgufMetadata), "MaxKeyLength")}"));
        AssertStates("copied from a GGUF file", $"{Constant(typeof(CopiedMetadata), "MaxLength") >> 20} MiB");
        AssertStates("`config.json`", $"{Constant(typeof(JsonSettings), "MaxLength") >> 20} MiB");
        AssertStates("`tokenizer.json`", $"{Constant(typeof(TokenizerJson), "MaxLength") >> 20} MiB");
        AssertStates("`tokenizer.model`", $"{Constant(typeof(TokenizerModel), "MaxLength") >> 20} MiB");
        AssertStates("length of a token", $"{Constant(typeof(TokenizerModel), "MaxTokenLength")}");
        AssertStates("merges", $"{Constant(typeof(Merges), "MaxCharacters") >> 20} Mi, and {Constant(typeof(Merges), "MaxPerCharacter")} for each");
        AssertStates("size of a manifest or a signature", $"{StrictJson.MaxLength >> 20} MiB, {Constant(typeof(StrictJson), "MaxDepth")}");
        AssertStates("certificates in a signature", $"{VerificationMaterial.MaxCertificates}");
        AssertStates("missing parameters", string.Create(CultureInfo.InvariantCulture, $"{Constant(typeof(ArchitectureCheck), "MaxMissing"):N0}"));
        AssertStates("a key or certificates", $"{Constant(typeof(KeyFile), "MaxLength") >> 20} MiB");
        AssertStates("length of a message", $"{PrintableText.MaxLength}");
        AssertStates("time to open a file", $"{Fuzzer.MaxSeconds} s");
    }

    private static void AssertStates(string what, string bound) =>
        Assert.Contains(bound, Assert.Single(Rows, row => row.Contains(what, StringComparison.Ordinal)), StringComparison.Ordinal);

    private static int Constant(Type type, string name) => (int)type.GetField(name, BindingFlags.NonPublic | BindingFlags.Static)!.GetRawConstantValue()!;
}
