using System.Runtime.CompilerServices;
using System.Runtime.InteropServices;
using Fairseq2Llama.Tensors;

namespace Fairseq2Llama.TorchFiles.Pickle;

/// <summary>
/// Python's pickle machine, less everything that could run code: a loop over opcodes with a stack and a memo, no recursion.
/// See pickletools.py in Python's library for the machine and torch/_weights_only_unpickler.py for the restriction.
/// </summary>
internal sealed class PickleMachine
{
    // What occurs most, once for all.
    private static readonly object True = true, False = false;
    private static readonly object[] SmallIntegers = [.. Enumerable.Range(0, 256).Select(number => (object)(long)number)];
    private static readonly PickleTuple EmptyTuple = new([]);

    private readonly string _file;
    private readonly PickleBytes _bytes;
    private readonly PickleBudget _budget;
    private readonly PickleVocabulary _vocabulary;
    private readonly PickleMemo _memo;
    private readonly List<object?> _stack = [];
    private readonly Stack<int> _marks = new();

    private PickleMachine(PickleBytes bytes, PickleBudget budget, PickleVocabulary vocabulary)
    {
        _file = budget.File;
        _bytes = bytes;
        _budget = budget;
        _vocabulary = vocabulary;
        _memo = new PickleMemo(bytes.FindRecalled());
    }

    /// <param name="bytes">Bytes that go on with a pickle; its end is left as the position.</param>
    /// <param name="budget">Its limits, together with the other pickles of its file.</param>
    /// <param name="vocabulary">The names that it may use.</param>
    /// <param name="cancellationToken">Stops it.</param>
    /// <returns>The content of the pickle.</returns>
    /// <exception cref="CheckpointException">It is not a pickle, or names what is not in the vocabulary.</exception>
    public static object? Run(PickleBytes bytes, PickleBudget budget, PickleVocabulary vocabulary, CancellationToken cancellationToken)
    {
        var machine = new PickleMachine(bytes, budget, vocabulary);

        while (machine.Step((Opcode)bytes.UInt8()))
        {
            cancellationToken.ThrowIfCancellationRequested();
        }

        return machine._stack is [var content] ? content : throw machine.Malformed();
    }

    /// <returns>False after STOP.</returns>
    [MethodImpl(MethodImplOptions.AggressiveOptimization)] // Runs a million times in a process that may live for a second.
    private bool Step(Opcode opcode)
    {
        switch (opcode)
        {
            case Opcode.Stop:
                return false;

            case Opcode.Proto:
                CheckProtocol(_bytes.UInt8());
                break;
            case Opcode.Frame:
                _ = _bytes.Int64();
                break;

            case Opcode.None:
                Push(null);
                break;
            case Opcode.NewTrue:
                Push(True);
                break;
            case Opcode.NewFalse:
                Push(False);
                break;
            case Opcode.BinInt:
                Push((long)_bytes.Int32());
                break;
            case Opcode.BinInt1:
                Push(SmallIntegers[_bytes.UInt8()]);
                break;
            case Opcode.BinInt2:
                Push((long)_bytes.UInt16());
                break;
            case Opcode.Long1:
                Push(_bytes.Integer(_bytes.UInt8()));
                break;
            case Opcode.Long4:
                Push(_bytes.Integer(_bytes.Int32()));
                break;
            case Opcode.BinFloat:
                Push(_bytes.Double());
                break;

            // Python 2 wrote its byte strings with these; state dict keys are among them.
            case Opcode.ShortBinString:
            case Opcode.ShortBinUnicode:
                Push(_bytes.Text(_bytes.UInt8()));
                break;
            case Opcode.BinString:
                Push(_bytes.Text(_bytes.Int32()));
                break;
            case Opcode.BinUnicode:
                Push(_bytes.Text(_bytes.UInt32()));
                break;
            case Opcode.BinUnicode8:
                Push(_bytes.Text(_bytes.Int64()));
                break;
            case Opcode.ShortBinBytes:
                Push(_bytes.Take(_bytes.UInt8()).ToArray());
                break;
            case Opcode.BinBytes:
                Push(_bytes.Take(_bytes.UInt32()).ToArray());
                break;
            case Opcode.BinBytes8:
            case Opcode.ByteArray8:
                Push(_bytes.Take(_bytes.Int64()).ToArray());
                break;

            case Opcode.Mark:
                _budget.Charge(1);
                _marks.Push(_stack.Count);
                break;
            case Opcode.Pop:
                PopOrUnmark();
                break;
            case Opcode.PopMark:
                _ = PopToMark();
                break;
            case Opcode.Dup:
                Push(Peek());
                break;

            case Opcode.EmptyTuple:
                Push(EmptyTuple);
                break;
            case Opcode.Tuple1:
                Push(new PickleTuple(Pop(1)));
                break;
            case Opcode.Tuple2:
                Push(new PickleTuple(Pop(2)));
                break;
            case Opcode.Tuple3:
                Push(new PickleTuple(Pop(3)));
                break;
            case Opcode.Tuple:
                Push(new PickleTuple(PopToMark()));
                break;

            case Opcode.EmptyList:
                Push(new PickleList([]));
                break;
            case Opcode.List:
                Push(new PickleList([.. PopToMark()]));
                break;
            case Opcode.Append:
                Append(_stack.Count - 1);
                break;
            case Opcode.Appends:
                Append(PopMark());
                break;

            case Opcode.EmptySet:
                Push(new PickleSet([]));
                break;
            case Opcode.FrozenSet:
                Push(new PickleSet([.. PopToMark()], IsFrozen: true));
                break;
            case Opcode.AddItems:
                AddItems(PopToMark());
                break;

            case Opcode.EmptyDict:
                Push(new PickleDict());
                break;
            case Opcode.Dict:
                MakeDict(PopMark());
                break;
            case Opcode.SetItem:
                SetItems(_stack.Count - 2);
                break;
            case Opcode.SetItems:
                SetItems(PopMark());
                break;

            case Opcode.BinPut:
                Remember(_bytes.UInt8());
                break;
            case Opcode.LongBinPut:
                Remember(_bytes.UInt32());
                break;
            case Opcode.Memoize:
                Remember(_memo.Count);
                break;
            case Opcode.BinGet:
                Push(Recall(_bytes.UInt8()));
                break;
            case Opcode.LongBinGet:
                Push(Recall(_bytes.UInt32()));
                break;

            case Opcode.BinPersId:
                Push(_vocabulary.LoadPersistent(Pop()));
                break;
            case Opcode.Global:
                Push(_vocabulary.Find(_bytes.Line(), _bytes.Line()));
                break;
            case Opcode.StackGlobal:
                Push(Pop(2) is [string { Length: <= TensorLimits.MaxNameLength } module, string { Length: <= TensorLimits.MaxNameLength } name] ? _vocabulary.Find(module, name) : throw Malformed());
                break;
            case Opcode.Reduce:
            case Opcode.NewObj:
                Push(Pop() is PickleTuple arguments && Pop() is PickleGlobal function ? _vocabulary.Call(function, arguments.Items) : throw Malformed());
                break;
            case Opcode.Build:
                var state = Pop();
                _vocabulary.SetState(Peek(), state);
                break;

            case Opcode.Inst:
                throw _vocabulary.Unsafe($"asks to make a '{_bytes.Line()}.{_bytes.Line()}'");
            case Opcode.Obj:
            case Opcode.NewObjEx:
            case Opcode.Ext1:
            case Opcode.Ext2:
            case Opcode.Ext4:
                throw _vocabulary.Unsafe($"holds a pickle with the opcode {opcode}");
            default:
                throw CheckpointException.Corrupt(_file, $"its pickle has the unknown opcode 0x{(byte)opcode:x2} at byte {_bytes.Position - 1}.");
        }

        return true;
    }

    private void CheckProtocol(byte protocol)
    {
        if (protocol is < 2 or > 5)
        {
            throw CheckpointException.Corrupt(_file, $"its pickle has the protocol {protocol}; expected 2 to 5.");
        }
    }

    private void Append(int start)
    {
        (PeekBelow(start) as PickleList ?? throw Malformed()).Items.AddRange(From(start));
        RemoveFrom(start);
    }

    private void AddItems(object?[] items) => (Peek() is PickleSet { IsFrozen: false } set ? set : throw Malformed()).Items.AddRange(items);

    private void SetItems(int start)
    {
        SetItems(PeekBelow(start) as PickleDict ?? throw Malformed(), start);
        RemoveFrom(start);
    }

    private void MakeDict(int start)
    {
        var dict = new PickleDict();
        SetItems(dict, start);
        RemoveFrom(start);
        Push(dict);
    }

    private void SetItems(PickleDict dict, int start)
    {
        var items = From(start);

        if (items.Length % 2 != 0)
        {
            throw Malformed();
        }

        dict.Expect(items.Length / 2);

        for (var i = 0; i < items.Length; i += 2)
        {
            dict.Set(_vocabulary.Key(items[i]), items[i + 1]);
        }
    }

    private object? Recall(uint index) => _memo.TryGet(index, out var value) ? value : throw Malformed();

    private void Remember(uint index)
    {
        // Gaps are allowed as far as they are paid for: Python 2 begins with 1.
        _budget.Charge(Math.Max(1, index - (long)_memo.Count + 1));
        _memo.Set(index, Peek());
    }

    private void Push(object? value)
    {
        _budget.Charge(1);
        _stack.Add(value);
    }

    private object? Peek() => _stack.Count > Floor ? _stack[^1] : throw Malformed();

    private object? Pop()
    {
        var value = Peek();
        _stack.RemoveAt(_stack.Count - 1);
        return value;
    }

    private object?[] Pop(int count)
    {
        if (_stack.Count - Floor < count)
        {
            throw Malformed();
        }

        return PopFrom(_stack.Count - count);
    }

    private int PopMark() => _marks.TryPop(out var mark) ? mark : throw Malformed();

    private object?[] PopToMark() => PopFrom(PopMark());

    private void PopOrUnmark()
    {
        if (_stack.Count == Floor && _marks.TryPop(out _))
        {
            return;
        }

        _ = Pop();
    }

    private object?[] PopFrom(int start)
    {
        var items = From(start).ToArray();
        RemoveFrom(start);
        return items;
    }

    /// <summary>What lies below what is to be put into it.</summary>
    private object? PeekBelow(int start) => start > Floor ? _stack[start - 1] : throw Malformed();

    private Span<object?> From(int start) => CollectionsMarshal.AsSpan(_stack)[start..];

    private void RemoveFrom(int start) => _stack.RemoveRange(start, _stack.Count - start);

    // Nothing below the innermost mark can be reached before the mark is removed.
    private int Floor => _marks.TryPeek(out var mark) ? mark : 0;

    private CheckpointException Malformed() =>
        CheckpointException.Corrupt(_file, $"its pickle is malformed at byte {_bytes.Position}.");
}
