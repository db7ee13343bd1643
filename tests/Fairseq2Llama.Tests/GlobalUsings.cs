global using Fairseq2Llama.Conversion;
global using Fairseq2Llama.Llama;
global using Fairseq2Llama.Tensors;
global using Xunit;
