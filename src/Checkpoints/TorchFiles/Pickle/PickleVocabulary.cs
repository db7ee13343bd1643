using System.Collections.Frozen;
using Fairseq2Llama.Tensors;

namespace Fairseq2Llama.TorchFiles.Pickle;

/// <summary>
/// What the pickles of one kind of file may name, and what that means there. The names are a table of exact ones: any other is refused the moment
/// it is read, and none is ever looked up anywhere else.
/// </summary>
/// <param name="file">The file's name, for messages.</param>
/// <param name="budget">The limits of its pickles.</param>
/// <param name="globals">The table, by full name.</param>
internal abstract class PickleVocabulary(string file, PickleBudget budget, FrozenDictionary<string, PickleGlobal> globals)
{
    protected string File => file;

    protected PickleBudget Budget => budget;

    /// <exception cref="CheckpointException">It is not in the table.</exception>
    public PickleGlobal Find(string module, string name)
    {
        var fullName = $"{module}.{name}";
        return globals.TryGetValue(fullName, out var global) ? global : throw Refuse(fullName);
    }

    /// <summary>The object for a persistent id.</summary>
    /// <exception cref="CheckpointException">Nothing.</exception>
    public abstract object LoadPersistent(object? id);

    /// <summary>The result of a call of a global.</summary>
    /// <exception cref="CheckpointException">It can't be called like that.</exception>
    public abstract object? Call(PickleGlobal function, object?[] arguments);

    /// <summary>Gives an object its state, or passes over a state that does not matter.</summary>
    /// <exception cref="CheckpointException">It can't have that state, or any.</exception>
    public abstract void SetState(object? value, object? state);

    /// <summary>A key of a dict, refused when hashing it again and again would take long.</summary>
    /// <exception cref="CheckpointException">It is too long.</exception>
    public object? Key(object? key) => key is string { Length: > TensorLimits.MaxNameLength } ? throw Malformed("key") : key;

    public CheckpointException Unsafe(string what) => new(
        CheckpointErrorCode.UnsafePickle,
        $"'{file}' {what}, which no {Content} needs. Nothing was executed. Do not load this file with a program that runs"
        + $" pickles. Ask its author for {WayOut}.",
        file);

    /// <summary>What such files hold.</summary>
    protected abstract string Content { get; }

    /// <summary>What to ask the author of a file for that is not as it should be.</summary>
    protected abstract string WayOut { get; }

    /// <summary>The error for a name that is not in the table.</summary>
    protected virtual CheckpointException Refuse(string fullName) => Unsafe($"asks for '{fullName}'");

    protected CheckpointException Malformed(string what) => CheckpointException.Corrupt(file, $"its pickle holds a malformed {what}.");
}
