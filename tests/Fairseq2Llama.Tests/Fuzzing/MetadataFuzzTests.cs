using Fairseq2Llama.Distributed;
using Fairseq2Llama.Tests.Support;

namespace Fairseq2Llama.Tests.Fuzzing;

/// <summary>Whatever the metadata of a distributed checkpoint holds, it is read and looked into, or refused with a documented error.</summary>
[Fuzz]
public class MetadataFuzzTests
{
    [Fact]
    public void Metadata_with_bytes_changed_cut_and_moved() => Fuzzer.Run(6000, random => Bytes.Mutate(Corpus.Metadata.Pick(random), random), Index);

    [Fact]
    public void Metadata_whose_opcodes_were_changed() => Fuzzer.Run(4000, random => PickleOpcodes.Mutate(Corpus.Metadata.Pick(random), random), Index);

    private static void Index(byte[] bytes)
    {
        var source = new MemorySource(bytes);
        var metadata = MetadataFile.Read(source, CancellationToken.None);
        var index = new MetadataIndex(new ObjectStore().Folder, source.Name, [metadata]);

        try
        {
            index.Find([.. index.Names], CancellationToken.None);
        }
        catch (CheckpointException e)
        {
            FolderFuzzTests.AssertPrintable(e.Findings.Select(finding => finding.Message).Append(e.Message));

            // None of the files is there, and all else is in order.
            if (e.Code != CheckpointErrorCode.MissingShard || e.Findings.Any(finding => finding.Code != CheckpointErrorCode.MissingShard))
            {
                throw;
            }
        }
    }
}
