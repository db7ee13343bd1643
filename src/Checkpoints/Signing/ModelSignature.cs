using System.Buffers;
using System.Collections.Immutable;
using System.Security.Cryptography;
using System.Text.Json;

namespace Fairseq2Llama.Signing;

/// <summary>
/// What a signature of OpenSSF's format for models states (ossf/model-signing-spec 1.0): the files of a model with their hashes. model_signing
/// writes and verifies the same.
/// </summary>
internal sealed class ModelSignature
{
    /// <summary>The usual name of the file that holds the signature.</summary>
    public const string FileName = "model.sig";

    public const string PredicateType = "https://model_signing/signature/v1.0";

    private const string Sha256 = "sha256", Files = "files";

    /// <summary>What verifiers ignore in every model.</summary>
    private static readonly ImmutableArray<string> GitPaths = [".git", ".gitattributes", ".github", ".gitignore"];

    private ModelSignature(string name, ImmutableArray<ModelResource> resources, ImmutableArray<string> ignoredPaths)
    {
        ModelName = name;
        Resources = resources;
        IgnoredPaths = [.. GitPaths.Union(ignoredPaths, StringComparer.Ordinal).Order(ModelResource.Order)];
        RootDigest = DigestOf(resources);
    }

    /// <summary>The name of the model's folder when it was signed, which means nothing.</summary>
    public string ModelName { get; }

    /// <summary>The files; all that a copy of the model must have.</summary>
    public ImmutableArray<ModelResource> Resources { get; }

    /// <summary>Files and folders that a copy may also have. Everything else in it was added.</summary>
    public ImmutableArray<string> IgnoredPaths { get; }

    /// <summary>Whether files that are symbolic links were signed.</summary>
    public bool AllowsLinks { get; private init; }

    /// <summary>One SHA-256 for all files.</summary>
    public string RootDigest { get; }

    /// <summary>Describes a model that is to be signed.</summary>
    /// <param name="name">The name of its folder.</param>
    /// <param name="resources">Its files, in any order.</param>
    /// <param name="ignoredPaths">What of the folder is not signed, beside that of Git: <see cref="FileName"/>, unless the signature is elsewhere.</param>
    /// <param name="allowsLinks">Whether some are symbolic links, which other verifiers then follow only if they are told to.</param>
    /// <exception cref="CheckpointException">There is no file, or one that a signature can't name.</exception>
    public static ModelSignature Of(string name, IEnumerable<ModelResource> resources, ImmutableArray<string> ignoredPaths, bool allowsLinks = false)
    {
        var signature = new ModelSignature(name, [.. resources.OrderBy(resource => resource.Name, ModelResource.Order)], ignoredPaths) { AllowsLinks = allowsLinks };

        return (signature.FindProblem() ?? signature.FindIgnored()) is not { } problem ? signature : throw new CheckpointException(
            CheckpointErrorCode.SignatureInvalid, $"The model '{name}' can't be signed: {problem}{(signature.Resources.IsEmpty ? "" : " Rename the file, or leave it out.")}", name);
    }

    /// <summary>Reads what a verified statement says.</summary>
    /// <exception cref="CheckpointException">It is a statement of another kind, contradicts itself, or lists what can't be compared here.</exception>
    public static ModelSignature Read(VerifiedStatement verified)
    {
        var (statement, predicate) = (verified.Statement, verified.Statement.Predicate);

        if (statement.PredicateType != PredicateType)
        {
            throw predicate.Unsupported($"it states something of the type '{statement.PredicateType}', not the files of a model ('{PredicateType}').");
        }

        if (statement.Subjects is not [var subject])
        {
            throw predicate.Invalid($"its statement has {statement.Subjects.Length} subjects; expected one.");
        }

        var serialization = predicate.Object("serialization");
        CheckMethod(serialization);

        var signature = new ModelSignature(
            subject.Text("name"), [.. predicate.Objects("resources").Select(ReadResource)], serialization.Texts("ignore_paths"))
        {
            AllowsLinks = serialization.Flag("allow_symlinks"),
        };

        if (signature.FindProblem() is { } problem)
        {
            throw predicate.Invalid(problem);
        }

        return subject.Object("digest").Text(Sha256) is var digest && digest.Equals(signature.RootDigest, StringComparison.OrdinalIgnoreCase)
            ? signature
            : throw predicate.Invalid($"it contradicts itself: its root digest is {digest}, but that of its files is {signature.RootDigest}.");
    }

    /// <summary>Whether every verifier ignores a path in the folder of a model: that of Git, or of something below it.</summary>
    public static bool IsIgnoredByAll(string path) => ModelResource.IsWithin(path, GitPaths);

    /// <summary>Whether a file that is not listed may be in the folder of the model all the same.</summary>
    public bool Ignores(string name) => ModelResource.IsWithin(name, IgnoredPaths);

    /// <summary>The statement to sign, in JSON.</summary>
    public byte[] ToStatement()
    {
        var buffer = new ArrayBufferWriter<byte>();

        using (var json = new Utf8JsonWriter(buffer))
        {
            json.WriteStartObject();
            json.WriteString("_type", InTotoStatement.Type);
            WriteSubject(json);
            json.WriteString("predicateType", PredicateType);
            json.WriteStartObject("predicate");
            WriteSerialization(json);
            WriteResources(json);
            json.WriteEndObject();
            json.WriteEndObject();
        }

        return buffer.WrittenSpan.ToArray();
    }

    private static void CheckMethod(StrictJson serialization)
    {
        if (serialization.Text("method") is not Files and var method)
        {
            throw serialization.Unsupported($"it lists '{method}', not 'files'. 'model_signing verify' verifies it.");
        }

        if (serialization.Text("hash_type") is not Sha256 and var hash)
        {
            throw serialization.Unsupported($"it lists hashes of the type '{hash}', not '{Sha256}'. 'model_signing verify' verifies it.");
        }
    }

    private static ModelResource ReadResource(StrictJson resource) => resource.Text("algorithm") is Sha256
        ? new ModelResource(resource.Text("name"), resource.Text("digest").ToLowerInvariant())
        : throw resource.Invalid($"it lists '{resource.Text("name")}' with another hash than '{Sha256}', the one that it says it has.");

    private static string DigestOf(ImmutableArray<ModelResource> resources)
    {
        using var hash = IncrementalHash.CreateHash(HashAlgorithmName.SHA256);

        foreach (var resource in resources)
        {
            // What is wrong with it is said later.
            hash.AppendData(resource.Sha256.All(char.IsAsciiHexDigit) && resource.Sha256.Length % 2 == 0 ? Convert.FromHexString(resource.Sha256) : []);
        }

        return hash.Finish();
    }

    /// <returns>A sentence; null if everything is fine.</returns>
    private string? FindProblem()
    {
        if (Resources.IsEmpty)
        {
            return "it lists no file.";
        }

        var names = new HashSet<string>(StringComparer.Ordinal);

        foreach (var resource in Resources)
        {
            if (resource.FindProblem() is { } problem)
            {
                return $"'{resource.Name}' {problem}.";
            }

            if (!names.Add(resource.Name))
            {
                return $"'{resource.Name}' is listed twice.";
            }
        }

        return null;
    }

    /// <summary>model_signing 1.0 signed what newer releases ignore, so that this is no problem of a signature that is read.</summary>
    private string? FindIgnored() =>
        Resources.FirstOrDefault(resource => Ignores(resource.Name)) is { Name: { } name } ? $"'{name}' can't be listed, because verifiers ignore it." : null;

    private void WriteSubject(Utf8JsonWriter json)
    {
        json.WriteStartArray("subject");
        json.WriteStartObject();
        json.WriteString("name", ModelName);
        json.WriteStartObject("digest");
        json.WriteString(Sha256, RootDigest);
        json.WriteEndObject();
        json.WriteEndObject();
        json.WriteEndArray();
    }

    private void WriteSerialization(Utf8JsonWriter json)
    {
        json.WriteStartObject("serialization");
        json.WriteString("method", Files);
        json.WriteString("hash_type", Sha256);
        json.WriteBoolean("allow_symlinks", AllowsLinks);
        json.WriteStartArray("ignore_paths");

        foreach (var path in IgnoredPaths)
        {
            json.WriteStringValue(path);
        }

        json.WriteEndArray();
        json.WriteEndObject();
    }

    private void WriteResources(Utf8JsonWriter json)
    {
        json.WriteStartArray("resources");

        foreach (var resource in Resources)
        {
            json.WriteStartObject();
            json.WriteString("name", resource.Name);
            json.WriteString("algorithm", Sha256);
            json.WriteString("digest", resource.Sha256);
            json.WriteEndObject();
        }

        json.WriteEndArray();
    }
}
