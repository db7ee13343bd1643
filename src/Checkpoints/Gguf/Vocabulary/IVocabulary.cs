using Fairseq2Llama.Gguf.Writing;

namespace Fairseq2Llama.Gguf.Vocabulary;

/// <summary>What the metadata say of the vocabulary, and of how to sample from it.</summary>
internal interface IVocabulary
{
    /// <summary>Where it comes from, as a clause.</summary>
    string Origin { get; }

    /// <summary>Warnings about it.</summary>
    IEnumerable<string> Warnings { get; }

    /// <summary>Adds the keys about sampling, which come right after the kind of file.</summary>
    void WriteSampling(MetadataWriter keys);

    /// <summary>Adds the keys of the vocabulary, which are the last.</summary>
    void Write(MetadataWriter keys);
}
