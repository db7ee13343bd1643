using System.Collections.Frozen;
using Fairseq2Llama.Tests.Support;
using Fairseq2Llama.TorchFiles.Pickle;

namespace Fairseq2Llama.Tests.TorchFiles.Pickle;

/// <summary>One machine, several vocabularies: another kind of file may name other things.</summary>
public class PickleVocabularyTests
{
    [Fact]
    public void A_pickle_may_name_what_is_in_its_vocabulary_and_nothing_else()
    {
        var size = New().Global("torch", "Size").Op(Opcode.EmptyTuple, Opcode.Tuple1, Opcode.Reduce);

        Assert.Equal("torch.Size", Run(size));
        ErrorAssert.Throws(CheckpointErrorCode.UnsafePickle, () => Run(New().EmptyOrderedDict()), "'collections.OrderedDict'");
        ErrorAssert.Throws(CheckpointErrorCode.UnsafePickle, () => Run(New().Global("torch", "Size.")), "'torch.Size.'");
        ErrorAssert.Throws(CheckpointErrorCode.UnsafePickle, () => Run(New().Op(Opcode.EmptyDict, Opcode.None, Opcode.Build)), "sets the state");
    }

    /// <summary>What this one refuses is what a state dict may hold.</summary>
    [Fact]
    public void That_of_a_state_dict_is_another() => Assert.IsType<PickleDict>(New().EmptyOrderedDict().Op(Opcode.None, Opcode.Build).Run().Content);

    private static PickleBuilder New() => new PickleBuilder().OpWith(Opcode.Proto, 2);

    private static object? Run(PickleBuilder pickle)
    {
        var budget = new PickleBudget("some.pt");
        return PickleMachine.Run(new PickleBytes(pickle.Stop(), "some.pt"), budget, new OnlySizes(budget), CancellationToken.None);
    }

    private sealed class OnlySizes(PickleBudget budget) : PickleVocabulary("some.pt", budget, Names)
    {
        private static readonly FrozenDictionary<string, PickleGlobal> Names =
            new Dictionary<string, PickleGlobal> { ["torch.Size"] = new("torch.Size", PickleGlobalKind.Size) }.ToFrozenDictionary(StringComparer.Ordinal);

        public override object LoadPersistent(object? id) => throw Malformed("persistent id");

        public override object? Call(PickleGlobal function, object?[] arguments) => function.Name;

        public override void SetState(object? value, object? state) => throw Unsafe("sets the state of an object");

        protected override string Content => "size";

        protected override string WayOut => "another file";
    }
}
