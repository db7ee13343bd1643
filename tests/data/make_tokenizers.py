#!/usr/bin/python3
"""Writes small tokenizers, what other programs encode with them, and what llama.cpp's converter makes of them.

    python3 tests/data/make_tokenizers.py --tiktoken FOLDER --converter "python3 LLAMA_CPP/convert_hf_to_gguf.py"

Needs sentencepiece 0.1.97 and torch 1.13 (Debian 12: python3-sentencepiece, python3-torch), a folder in which npm has installed
tiktoken 1.0.22, and a checkout of llama.cpp (b9371 wrote what is here) with what its converter needs. The converter knows the
expression that divides a text by what chosen words become with the vocabulary of LLaMA 3; it must be told that these tokenizers
give the same. Its other input, the files in converted/sentencepiece and converted/tiktoken, is what
Export-LlamaHuggingFaceCheckpoint makes of the two tokenizer.model.
"""

import argparse
import base64
import io
import json
import random
import shlex
import shutil
import struct
import subprocess
import tempfile
from collections import Counter
from pathlib import Path
from typing import Any, BinaryIO, Dict, List, Tuple

import sentencepiece
import torch

FOLDER = Path(__file__).resolve().parent / "tokenizers"
CONVERTED = FOLDER / "converted"
CORPUS = (FOLDER / "corpus.txt").read_text()
PIECES, RANKS, SPECIAL = 420, 320, 256

# That of LLaMA 3.
PATTERN = (
    r"(?i:'s|'t|'re|'ve|'m|'ll|'d)|[^\r\n\p{L}\p{N}]?\p{L}+|\p{N}{1,3}| ?[^\s\p{L}\p{N}]+[\r\n]*|\s*[\r\n]+|\s+(?!\S)|\s+"
)

ENCODE = """
const { Tiktoken } = require('tiktoken');
const [ranks, special, pattern, texts] = JSON.parse(require('fs').readFileSync(0));
const encoding = new Tiktoken(ranks, special, pattern);
console.log(JSON.stringify(texts.map(text => Array.from(encoding.encode(text, [], [])))));
"""


def make_texts() -> List[str]:
    texts = [
        "", " ", "Once upon a time, there was a little girl.", "Hello  world", "  at both ends  ", "tabs\tand\nlines\r\n\n",
        "日本語のテキスト", "नमस्ते दुनिया", "🦙🚀 émojis ✅", "I've, you'll; WE'RE 'S", "3 33 333 3333 33333", "\u00a0nbsp\u2003em", "a" * 50,
        "the the the", "\n \n\n \n\n\n \t \t\t \t\n", "ﬁ ligature ½ ①", "x = y[1:]  # code\n    return x", "\u0000\u0001",
    ]
    rng = random.Random(1)
    letters = [" ", " ", "\n", "e", "t", "the", "in", "'s", "1", ",", "é", "ß", "中", "🦙", "\u0301", "\t", "Ж", "!"]
    return texts + ["".join(rng.choices(letters, k=rng.randrange(1, 30))) for _ in range(60)]


def train_sentencepiece(path: Path) -> None:
    model = io.BytesIO()
    sentencepiece.SentencePieceTrainer.train(
        sentence_iterator=iter(CORPUS.splitlines()), model_writer=model, model_type="bpe", vocab_size=PIECES, byte_fallback=True, split_digits=True,
        allow_whitespace_only_pieces=True, normalization_rule_name="identity", remove_extra_whitespaces=False, num_threads=1,
        user_defined_symbols=["[INST]"], pad_id=-1, minloglevel=2,
    )
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(model.getvalue())


def train_ranks() -> List[bytes]:
    """Merges the most frequent pair until there are enough tokens."""
    printable = [*range(33, 127), *range(161, 173), *range(174, 256)]
    ranks = [bytes([b]) for b in printable + [b for b in range(256) if b not in printable]]
    words = Counter(tuple(bytes([b]) for b in (" " + word).encode()) for word in CORPUS.split())

    while len(ranks) < RANKS:
        pairs: Counter[Tuple[bytes, bytes]] = Counter()

        for word, count in words.items():
            for pair in zip(word, word[1:]):
                pairs[pair] += count

        left, right = min(pairs, key=lambda pair: (-pairs[pair], pair))
        ranks.append(left + right)
        merged: Counter[Tuple[bytes, ...]] = Counter()

        for word, count in words.items():
            parts: List[bytes] = []

            for part in word:
                if parts and parts[-1] == left and part == right:
                    parts[-1] += part
                else:
                    parts.append(part)

            merged[tuple(parts)] += count

        words = merged

    return ranks


def save_model(folder: Path, vocabulary: int, **settings: Any) -> None:
    """A model of one tensor, as the converter wants some."""
    data = torch.zeros(vocabulary, 8).numpy().tobytes()
    header = json.dumps({"model.embed_tokens.weight": {"dtype": "F32", "shape": [vocabulary, 8], "data_offsets": [0, len(data)]}}).encode()
    (folder / "model.safetensors").write_bytes(struct.pack("<Q", len(header)) + header + data)
    config = {
        "architectures": ["LlamaForCausalLM"], "model_type": "llama", "hidden_size": 8, "intermediate_size": 16, "num_attention_heads": 2,
        "num_key_value_heads": 2, "num_hidden_layers": 0, "max_position_embeddings": 2048, "rms_norm_eps": 1e-5, "rope_theta": 10000.0,
        "tie_word_embeddings": True, "vocab_size": vocabulary, "bos_token_id": 1, "eos_token_id": 2, **settings,
    }
    (folder / "config.json").write_text(json.dumps(config))


def skip_value(file: BinaryIO, kind: int) -> None:
    sizes = {0: 1, 1: 1, 2: 2, 3: 2, 4: 4, 5: 4, 6: 4, 7: 1, 10: 8, 11: 8, 12: 8}

    if kind == 8:
        file.seek(struct.unpack("<Q", file.read(8))[0], 1)
    elif kind == 9:
        of, count = struct.unpack("<IQ", file.read(12))

        for _ in range(count):
            skip_value(file, of)
    else:
        file.seek(sizes[kind], 1)


def read_keys(path: Path) -> bytes:
    """The bytes of the keys about the tokenizer, in the order of the file."""
    kept = b""

    with path.open("rb") as file:
        file.seek(16)

        for _ in range(struct.unpack("<Q", file.read(8))[0]):
            start = file.tell()
            name = file.read(struct.unpack("<Q", file.read(8))[0]).decode()
            skip_value(file, struct.unpack("<I", file.read(4))[0])
            end = file.tell()

            if name.startswith(("tokenizer.", "general.sampling.")):
                file.seek(start)
                kept += file.read(end - start)

    return kept


def convert(converter: str, case: str, sources: List[Path], vocabulary: int, **settings: Any) -> None:
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name) / "model"
        folder.mkdir()

        for source in sources:
            shutil.copy(source, folder)

        save_model(folder, vocabulary, **settings)
        output = Path(name) / "model.gguf"
        subprocess.run([*shlex.split(converter), str(folder), "--outtype", "f32", "--outfile", str(output)], check=True, capture_output=True)
        (CONVERTED / f"{case}.keys").write_bytes(read_keys(output))


def write_chat(folder: Path) -> None:
    """SentencePiece with what transformers has beside it, and more tokens than it has pieces."""
    folder.mkdir(parents=True, exist_ok=True)

    def token(text: str, **more: bool) -> Dict[str, Any]:
        return {"content": text, "lstrip": False, "normalized": False, "rstrip": False, "single_word": False, **more}

    config = {
        "add_bos_token": True,
        "add_eos_token": False,
        "add_prefix_space": True,
        "added_tokens_decoder": {
            "0": token("<unk>", special=True), "1": token("<s>", special=True), "2": token("</s>", special=True),
            "300": token("▁not special", special=False), "301": token("<|looks special|>", special=False), "9999": token("too far", special=True),
        },
        "bos_token": token("<s>"), "eos_token": "</s>", "pad_token": "<pad>", "tokenizer_class": "LlamaTokenizer", "unk_token": "<unk>",
    }
    (folder / "tokenizer_config.json").write_text(json.dumps(config, indent=2, ensure_ascii=False) + "\n")
    added = {"<pad>": PIECES, "▁more": PIECES + 1, "too far": 9999}
    (folder / "added_tokens.json").write_text(json.dumps(added, ensure_ascii=False) + "\n")
    (folder / "chat_template.jinja").write_bytes("{{ é }}\r\nsecond\rthird\n".encode())
    generation = {"do_sample": True, "temperature": 0.6, "top_k": 50, "top_p": 0.9, "min_p": None, "max_length": 4096, "eos_token_id": [2, PIECES]}
    (folder / "generation_config.json").write_text(json.dumps(generation) + "\n")


def write_words(folder: Path, made: Path) -> None:
    """LLaMA 3's kind of tokenizer.json with merges in pairs, other templates, and tokens that are not special."""
    folder.mkdir(parents=True, exist_ok=True)
    tokenizer = json.loads((made / "tokenizer.json").read_text())
    tokenizer["model"]["merges"] = [merge.split(" ") for merge in tokenizer["model"]["merges"]]
    tokenizer["added_tokens"] = [
        *tokenizer["added_tokens"][:20],
        {"id": 345, "content": "▁my token", "single_word": False, "lstrip": False, "rstrip": False, "normalized": True, "special": False},
        {"id": 347, "content": "<pad>", "single_word": False, "lstrip": False, "rstrip": False, "normalized": False, "special": False},
    ]
    end = {"SpecialToken": {"id": "<|eot_id|>", "type_id": 0}}
    template = tokenizer["post_processor"]["processors"][1]
    template["single"].append(end)
    template["pair"].insert(2, end)
    (folder / "tokenizer.json").write_text(json.dumps(tokenizer, ensure_ascii=False, indent=1) + "\n")
    config = {
        "bos_token": "<|begin_of_text|>", "eos_token": "<|end_of_text|>", "sep_token": "<|eot_id|>", "mask_token": {"content": "<pad>"},
        "chat_template": [{"name": "default", "template": "D"}, {"name": "tool use", "template": "T"}, {"name": "", "template": "no"}],
    }
    (folder / "tokenizer_config.json").write_text(json.dumps(config, indent=2) + "\n")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--tiktoken", required=True)
    parser.add_argument("--converter")
    arguments = parser.parse_args()

    pieces, ranks = FOLDER / "sentencepiece/tokenizer.model", FOLDER / "tiktoken/tokenizer.model"
    train_sentencepiece(pieces)
    lines = "".join(f"{base64.b64encode(token).decode()} {rank}\n" for rank, token in enumerate(train_ranks()))
    ranks.parent.mkdir(parents=True, exist_ok=True)
    ranks.write_text(lines)

    texts = make_texts()
    processor = sentencepiece.SentencePieceProcessor(model_file=str(pieces))
    question = json.dumps([lines, {"<|begin_of_text|>": RANKS}, PATTERN, texts])
    answer = subprocess.run(["node", "-e", ENCODE], input=question, cwd=arguments.tiktoken, check=True, capture_output=True, text=True).stdout
    encoded = {"texts": texts, "sentencepiece": processor.encode(texts), "tiktoken": json.loads(answer)}
    (FOLDER / "encoded.json").write_text(json.dumps(encoded, ensure_ascii=False) + "\n")

    write_chat(CONVERTED / "chat")

    if arguments.converter:
        made_pieces, made_ranks = CONVERTED / "sentencepiece", CONVERTED / "tiktoken"
        write_words(CONVERTED / "words", made_ranks)
        llama3 = {"bos_token_id": RANKS, "eos_token_id": RANKS + 1}
        scaling = {"rope_type": "llama3", "factor": 8.0, "low_freq_factor": 1.0, "high_freq_factor": 4.0, "original_max_position_embeddings": 8192}
        convert(arguments.converter, "alone", [pieces], PIECES + 2)
        convert(arguments.converter, "short", [pieces], PIECES - 40)
        convert(arguments.converter, "sentencepiece", [pieces, *made_pieces.iterdir()], PIECES)
        convert(arguments.converter, "tiktoken", [*made_ranks.iterdir()], RANKS + SPECIAL, rope_scaling=scaling, **llama3)
        convert(arguments.converter, "chat", [pieces, *(CONVERTED / "chat").iterdir()], PIECES + 3, eos_token_id=[2, PIECES])
        convert(arguments.converter, "words", [*(CONVERTED / "words").iterdir()], RANKS + 30, **llama3)


if __name__ == "__main__":
    main()
