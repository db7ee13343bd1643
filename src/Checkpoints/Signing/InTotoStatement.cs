using System.Collections.Immutable;

namespace Fairseq2Llama.Signing;

/// <summary>A statement of in-toto (version 1): that something holds for some artifacts, which it names by their digests.</summary>
internal sealed class InTotoStatement
{
    public const string Type = "https://in-toto.io/Statement/v1";

    private InTotoStatement(byte[] bytes, StrictJson json)
    {
        Bytes = bytes;
        PredicateType = json.Text("predicateType");
        Predicate = json.Object("predicate");
        Subjects = json.Objects("subject");

        if (json.Text("_type") is not Type and var type)
        {
            throw json.Invalid($"it states something of the type '{type}'; expected '{Type}'.");
        }

        if (Subjects.IsEmpty)
        {
            throw json.Invalid("its statement has no 'subject'.");
        }
    }

    /// <summary>All of it, as it was signed.</summary>
    public byte[] Bytes { get; }

    /// <summary>What kind of thing it says, as a URI.</summary>
    public string PredicateType { get; }

    /// <summary>What it says.</summary>
    public StrictJson Predicate { get; }

    /// <summary>What it says that of.</summary>
    public ImmutableArray<StrictJson> Subjects { get; }

    /// <param name="bytes">The statement in JSON.</param>
    /// <param name="file">The path of the file that it is in, for messages.</param>
    /// <param name="reject">Makes an error; by default, one for a signature.</param>
    /// <exception cref="CheckpointException">It is not such a statement.</exception>
    public static InTotoStatement Read(byte[] bytes, string file, Rejection? reject = null) => new(bytes, StrictJson.Parse(bytes, file, "its statement", reject));
}
