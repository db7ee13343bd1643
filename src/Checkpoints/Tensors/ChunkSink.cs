namespace Fairseq2Llama.Tensors;

/// <summary>Takes a piece of what is read; may change the bytes, which are not used again.</summary>
internal delegate void ChunkSink(Span<byte> chunk);
