using Fairseq2Llama.Tests.Support;

[assembly: AssemblyFixture(typeof(Azurite))]
[assembly: AssemblyFixture(typeof(ShardedModels))]
[assembly: TestCollectionOrderer(typeof(LongestFirst))]
