using System.Collections.Immutable;
using Fairseq2Llama.Signing;
using Fairseq2Llama.Stores;

namespace Fairseq2Llama.Manifests;

/// <summary>Reads what <see cref="ManifestStatement"/> writes. Anybody may have changed it since.</summary>
internal static class ManifestReader
{
    private static readonly ImmutableDictionary<string, DType> DTypes = Enum.GetValues<DType>().ToImmutableDictionary(dtype => dtype.GetTorchName(), StringComparer.Ordinal);

    /// <exception cref="CheckpointException">It can't be read, or is no manifest, or one of a newer version.</exception>
    public static CheckpointManifest Read(IByteSource source)
    {
        byte[] text;

        try
        {
            text = WholeFile.ReadText(source, StrictJson.MaxLength).ToArray();
        }
        catch (CheckpointException e) when (e.Code == CheckpointErrorCode.CheckpointCorrupt)
        {
            throw new CheckpointException(CheckpointErrorCode.ManifestInvalid, e.Message, source.Name, e);
        }

        var statement = InTotoStatement.Read(text, source.Name, Reject);
        RequireKnownVersion(statement);

        var (predicate, model) = (statement.Predicate, statement.Predicate.Object("model"));
        var manifest = new CheckpointManifest(NameOf(model, "name"), FormatOf(model), FilesOf(model, statement.Subjects, areHashed: true), TensorsOf(predicate))
        {
            Path = source.Name,
            Source = predicate.Find("source") is { } from ? SourceOf(from) : null,
            Options = predicate.Find("options")?.TextEntries.Select(entry => KeyValuePair.Create(Printable(predicate, entry.Key), Printable(predicate, entry.Value))).ToImmutableSortedDictionary(StringComparer.Ordinal) ?? ImmutableSortedDictionary<string, string>.Empty,
            ToolVersion = NameOf(predicate.Object("tool"), "version"),
        };

        return manifest.ModelSha256 == DigestOf(model)
            ? manifest
            : throw predicate.Invalid("the digest of the model is not that of its tensors, so it was changed after it had been written. Get it again.");
    }

    private static void RequireKnownVersion(InTotoStatement statement)
    {
        if (statement.PredicateType is not ManifestStatement.PredicateType and var type)
        {
            throw statement.Predicate.Invalid(type.StartsWith(ManifestStatement.PredicateTypes, StringComparison.Ordinal)
                ? $"its version is '{type[ManifestStatement.PredicateTypes.Length..]}', and this version of the module reads v1. Update the module."
                : $"it states something of the type '{type}'; expected '{ManifestStatement.PredicateType}'.");
        }
    }

    private static ImmutableArray<ManifestTensor> TensorsOf(StrictJson predicate)
    {
        var tensors = predicate.Objects("tensors").Select(TensorOf).ToImmutableArray();

        return tensors.GroupBy(tensor => tensor.Name, StringComparer.Ordinal).FirstOrDefault(group => group.Count() > 1) is { } twice
            ? throw predicate.Invalid($"it has the tensor '{twice.Key}' twice.")
            : tensors;
    }

    private static ManifestTensor TensorOf(StrictJson tensor)
    {
        var name = NameOf(tensor, "name");
        var tiedTo = tensor.FindText("tiedTo") is { } other ? Printable(tensor, other) : null;

        return new ManifestTensor(name, TypeOf(tensor), ShapeOf(tensor), DigestOf(tensor))
        {
            TiedTo = tiedTo,
            Key = tiedTo is null ? NameOf(tensor, "key") : name,
            Files = [.. tensor.Texts("files").Select(text => Printable(tensor, text))],
            Source = tensor.Find("source") is { } source ? TensorSourceOf(source) : null,
        };
    }

    private static ManifestTensorSource TensorSourceOf(StrictJson source) => new(NameOf(source, "key"), TypeOf(source), DigestOf(source))
    {
        Files = [.. source.Texts("files").Select(text => Printable(source, text))],
        Crc32 = source.FindText("crc32") is { } crc ? Printable(source, crc) : null,
        Changes = [.. source.Texts("changes").Select(text => Printable(source, text))],
    };

    private static ManifestSource SourceOf(StrictJson source) => new(NameOf(source, "name"), FormatOf(source), DigestOf(source))
    {
        Address = source.FindText("uri") is { } uri ? Printable(source, uri) : null,
        Files = FilesOf(source, source.Objects("files"), areHashed: false),
        Inputs = InputsOf(source),
    };

    private static ImmutableArray<ManifestInput> InputsOf(StrictJson parent) => !parent.Has("inputs") ? [] :
    [
        .. from input in parent.Objects("inputs")
           select new ManifestInput(NameOf(input, "name"), EnumOf<MergeRole>(input, "role"))
           {
               Weight = input.FindNumber("weight"),
               Address = input.FindText("uri") is { } uri ? Printable(input, uri) : null,
               Files = FilesOf(input, input.Objects("files"), areHashed: false),
               Inputs = InputsOf(input),
           },
    ];

    private static ImmutableArray<ManifestFile> FilesOf(StrictJson parent, ImmutableArray<StrictJson> descriptors, bool areHashed)
    {
        var files = descriptors.Select(file => FileOf(file, areHashed)).ToImmutableArray();

        return files.GroupBy(file => file.Name, StringComparer.Ordinal).FirstOrDefault(group => group.Count() > 1) is { } twice
            ? throw parent.Invalid($"it has the file '{twice.Key}' twice.")
            : files;
    }

    private static ManifestFile FileOf(StrictJson file, bool isHashed)
    {
        var name = NameOf(file, "name");
        var annotations = file.Object("annotations");

        return Array.TrueForAll(name.Split('/'), StoredFile.IsName)
            ? new ManifestFile(name, annotations.Size("length"), isHashed || file.Has("digest") ? DigestOf(file) : null) { ETag = annotations.FindText("etag") is { } tag ? Printable(annotations, tag) : null }
            : throw file.Invalid($"it names a file '{name}', which is not within the folder.");
    }

    private static CheckpointFormat FormatOf(StrictJson parent) => EnumOf<CheckpointFormat>(parent, "format");

    private static T EnumOf<T>(StrictJson parent, string key)
        where T : struct, Enum =>
        Enum.TryParse<T>(parent.Text(key), out var value) && value.ToString() == parent.Text(key) ? value : throw parent.Invalid($"it has an unknown {key}, '{parent.Text(key)}'.");

    private static DType TypeOf(StrictJson parent) =>
        DTypes.TryGetValue(parent.Text("dtype"), out var dtype) ? dtype : throw parent.Invalid($"it has an unknown element type, '{parent.Text("dtype")}'.");

    private static TensorShape ShapeOf(StrictJson tensor)
    {
        try
        {
            return new TensorShape(tensor.Sizes("shape").AsSpan());
        }
        catch (OverflowException)
        {
            throw tensor.Invalid($"the shape of '{NameOf(tensor, "name")}' is too large.");
        }
    }

    private static string DigestOf(StrictJson parent)
    {
        var sha256 = parent.Object("digest").Text("sha256");
        return HexDigest.IsOne(sha256) ? sha256 : throw parent.Invalid($"it has '{sha256}' where a SHA-256 of {HexDigest.Zero.Length} lowercase hexadecimal digits should be.");
    }

    private static string NameOf(StrictJson parent, string key) => Printable(parent, parent.Text(key));

    /// <summary>What a terminal or the agent of a pipeline would obey has no place in a name.</summary>
    private static string Printable(StrictJson parent, string text) =>
        PrintableText.IsPrintable(text) ? text : throw parent.Invalid($"it has a name with a character that can't be shown: '{PrintableText.Of(text)}'.");

    private static CheckpointException Reject(string file, string problem) =>
        new(CheckpointErrorCode.ManifestInvalid, $"'{file}' can't be used as the manifest of a checkpoint: {problem}", file);
}
