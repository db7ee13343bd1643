using System.Text;

namespace Fairseq2Llama.Tests.ForwardPass;

/// <summary>A tokenizer's pieces as llama2.c stores them: the longest one's length, then for each a score, its length, and its bytes.</summary>
internal sealed class Vocabulary
{
    private readonly List<(byte[] Text, float Score)> _pieces = [];

    public Vocabulary(string path)
    {
        using var reader = new BinaryReader(File.OpenRead(path));
        reader.ReadInt32();

        while (reader.BaseStream.Position < reader.BaseStream.Length)
        {
            var score = reader.ReadSingle();
            _pieces.Add((reader.ReadBytes(reader.ReadInt32()), score));
        }
    }

    /// <summary>The pieces with their scores.</summary>
    public IEnumerable<(string Text, float Score)> Pieces => _pieces.Select(piece => (Encoding.UTF8.GetString(piece.Text), piece.Score));

    public string Decode(IEnumerable<int> tokens) => Encoding.UTF8.GetString([.. tokens.SelectMany(token => _pieces[token].Text)]);
}
