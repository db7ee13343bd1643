global using Fairseq2Llama.Conversion;
global using Fairseq2Llama.Llama;
global using Fairseq2Llama.Planning;
global using Fairseq2Llama.Tensors;
global using Fairseq2Llama.Transfer;
global using Xunit;
