using System.Collections.Immutable;

namespace Fairseq2Llama.Tokenizers;

/// <summary>
/// The merges that tokenizer.json has for tokens that other files have with ranks or scores: for each token, all ways to make it of two others
/// (generate_merges and TikTokenConverter in transformers' convert_slow_tokenizer.py).
/// </summary>
internal static class Merges
{
    /// <summary>Those of all merges, besides some for each of the tokens: LLaMA 3 has three of these. Tokens that begin and end alike could have gigabytes.</summary>
    private const int MaxCharacters = 1 << 20, MaxPerCharacter = 16;

    /// <summary>Those of tiktoken, in the order of ranks, which is that of the tokens.</summary>
    public static ImmutableArray<Merge> OfRanks(IReadOnlyList<string> tokens, string file) => [.. Find(tokens, file).SelectMany(merges => merges)];

    /// <summary>
    /// Those of SentencePiece, the highest scores first, and of one score in the order of the numbers of the parts. That is the order in the published files of LLaMA 2, as
    /// transformers 4.31 wrote them. Later versions put long first parts first, which encodes the same.
    /// </summary>
    public static ImmutableArray<Merge> OfScores(IReadOnlyList<SentencePiece> pieces, string file) =>
    [
        .. from merges in Find([.. pieces.Select(piece => piece.Text)], file).Select((merges, id) => (OfToken: merges, pieces[id].Score))
           from merge in merges.OfToken
           orderby merges.Score descending, merge.Left, merge.Right
           select merge,
    ];

    /// <summary>The merges of each token, in the order of the first part's number, then the second's.</summary>
    private static Merge[][] Find(IReadOnlyList<string> tokens, string file)
    {
        var ids = new Dictionary<string, int>(tokens.Count, StringComparer.Ordinal);
        var order = new int[tokens.Count];

        for (var id = 0; id < tokens.Count; id++)
        {
            ids[tokens[id]] = id;
            order[id] = id;
        }

        // Then a token is followed by all that begin with it.
        Array.Sort(order, (one, other) => string.CompareOrdinal(tokens[one], tokens[other]));

        var found = new Merge[tokens.Count][];
        var beginnings = new Stack<int>();
        var ways = new List<Merge>();
        var room = MaxCharacters + (MaxPerCharacter * tokens.Sum(token => (long)token.Length));

        foreach (var id in order)
        {
            var token = tokens[id];

            while (beginnings.TryPeek(out var last) && !token.StartsWith(tokens[last], StringComparison.Ordinal))
            {
                beginnings.Pop();
            }

            // There are hundreds of thousands of tokens, and most begin with a few others.
            foreach (var left in beginnings)
            {
                if (ids.TryGetValue(token[tokens[left].Length..], out var right))
                {
                    ways.Add(new Merge(left, right));
                }
            }

            ways.Sort((one, other) => (one.Left, one.Right).CompareTo((other.Left, other.Right)));
            found[id] = [.. ways];
            ways.Clear();
            room -= (long)token.Length * found[id].Length;

            if (room < 0)
            {
                throw CheckpointException.Corrupt(file, "its tokens consist of each other in too many ways to list them.");
            }

            beginnings.Push(id);
        }

        return found;
    }
}
