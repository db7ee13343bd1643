using Fairseq2Llama.Tests.Support;

[assembly: AssemblyFixture(typeof(ShardedModels))]
