using Fairseq2Llama.Tests.Support;
using Fairseq2Llama.Tests.Support.S3;

[assembly: AssemblyFixture(typeof(Azurite))]
[assembly: AssemblyFixture(typeof(RealS3))]
[assembly: AssemblyFixture(typeof(ShardedModels))]
[assembly: TestCollectionOrderer(typeof(LongestFirst))]
