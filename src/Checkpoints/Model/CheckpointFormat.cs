namespace Fairseq2Llama;

/// <summary>The formats that checkpoints of LLaMA are kept in.</summary>
public enum CheckpointFormat
{
    /// <summary>That of fairseq2: torch.save files, and model.yaml.</summary>
    Fairseq2,

    /// <summary>Meta's reference format: consolidated.NN.pth and params.json.</summary>
    Reference,

    /// <summary>That of Hugging Face's transformers: safetensors files and config.json.</summary>
    HuggingFace,

    /// <summary>That of PyTorch's Distributed Checkpoint: .metadata and *.distcp files. It is read, and not exported to.</summary>
    Distributed,

    /// <summary>GGUF files, which llama.cpp and programs that are based on it read.</summary>
    Gguf,
}
