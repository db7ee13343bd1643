#!/usr/bin/python3
"""Writes logits.json: what the models in ../checkpoints and attentive/ say to a few tokens.

    /usr/bin/python3 tests/data/forward/make_forward_data.py            write the files
    /usr/bin/python3 tests/data/forward/make_forward_data.py --check    compare them with fresh ones

Needs PyTorch 1.13 (Debian: python3-torch). This is LLaMA's forward pass in its plainest form, in float64, on fairseq2's
names and before any conversion, so that it shares nothing with the code that it is there to test.
"""

import argparse
import json
import math
import sys
import tempfile
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import List, Optional, Sequence

import torch
from torch import Tensor

DATA_DIR = Path(__file__).resolve().parent.parent

sys.dont_write_bytecode = True
sys.path.insert(0, str(DATA_DIR))

from make_test_data import (  # noqa: E402
    EMBED,
    FINAL_NORM,
    FINAL_PROJ,
    TINY,
    Json,
    StateDict,
    fs2,
    layer_key,
    load_state_dict,
    outdated_files,
    publish,
    save,
    tiny_model,
)

ATTENTIVE = "forward/attentive"
LOGITS = "forward/logits.json"


@dataclass(frozen=True)
class Attention:
    """What the shapes of the weights don't tell."""

    num_heads: int = TINY.num_heads
    num_kv_heads: int = TINY.num_kv_heads
    rope_theta: float = 10_000.0
    rope_scale_factor: Optional[float] = None


@dataclass(frozen=True)
class Case:
    name: str
    # Folders of tests/data. The first is asked; the others hold the same weights in other ways.
    checkpoints: Sequence[str]
    num_tokens: int = 12
    attention: Attention = Attention()

    @property
    def tokens(self) -> List[int]:
        """All kinds of tokens, at all kinds of distances."""
        return [(7 * position * position + 3 * position + 1) % TINY.vocab_size for position in range(self.num_tokens)]


def scaled(factor: Optional[float]) -> Attention:
    """
    A head of 8 has frequencies of all kinds for LLaMA 3's theta: two that stay as they are, one between, and one that is
    divided by the whole factor.
    """
    return Attention(num_heads=2, num_kv_heads=1, rope_theta=500_000.0, rope_scale_factor=factor)


def of_checkpoints(*names: str) -> List[str]:
    return [f"checkpoints/{name}" for name in names]


# Frequencies so low tell only over a distance.
FAR = 400

CASES = (
    Case("float32", of_checkpoints("fs2", "legacy", "deflated", "big-endian", "tp2-llama2", "tp2-llama3")),
    Case("bfloat16", of_checkpoints("fsdp", "ddp-prefix", "compiled")),
    Case("float16", of_checkpoints("flat")),
    Case("tied", of_checkpoints("tied", "tied-view", "tied-absent")),
    Case("attentive", [ATTENTIVE]),
    Case("LLaMA 3", [ATTENTIVE], FAR, scaled(None)),
    Case("LLaMA 3.1", [ATTENTIVE], FAR, scaled(8.0)),
    Case("LLaMA 3.2", [ATTENTIVE], FAR, scaled(32.0)),
)


def attentive_model() -> StateDict:
    """
    The weights of ../checkpoints are so small that every position attends to all others alike. With these it chooses, and
    what a wrong angle changes is far above what float32 rounds.
    """
    return {name: weight if weight.dim() == 1 else weight * 8 for name, weight in tiny_model(torch.bfloat16).items()}


# --------------------------------------------------------------------------------------------
# The forward pass
# --------------------------------------------------------------------------------------------


def frequencies(attention: Attention, head_dim: int) -> List[float]:
    """In radians per position, one for each pair of numbers in a head."""
    plain = [attention.rope_theta ** (-2 * pair / head_dim) for pair in range(head_dim // 2)]
    factor = attention.rope_scale_factor
    return plain if factor is None else [scale(frequency, factor) for frequency in plain]


def scale(frequency: float, factor: float) -> float:
    """LLaMA 3.1: what turns fewer than once in the original context is slowed down, what turns four times is not."""
    turns = 8192 * frequency / (2 * math.pi)
    if turns < 1:
        return frequency / factor
    if turns > 4:
        return frequency
    kept = (turns - 1) / (4 - 1)
    return kept * frequency + (1 - kept) * frequency / factor


def rotate(heads: Tensor, freqs: Sequence[float]) -> Tensor:
    """Turns each pair of neighbours (2i, 2i + 1) of heads (head, position, head_dim) by its position's angle."""
    rotated = torch.empty_like(heads)
    positions = torch.arange(heads.shape[1], dtype=heads.dtype)
    for pair, frequency in enumerate(freqs):
        cos, sin = torch.cos(positions * frequency), torch.sin(positions * frequency)
        x, y = heads[:, :, 2 * pair], heads[:, :, 2 * pair + 1]
        rotated[:, :, 2 * pair] = x * cos - y * sin
        rotated[:, :, 2 * pair + 1] = x * sin + y * cos
    return rotated


def rms_norm(x: Tensor, weight: Tensor) -> Tensor:
    return x / torch.sqrt((x * x).mean(-1, keepdim=True) + 1e-5) * weight


def self_attention(model: StateDict, layer: int, x: Tensor, attention: Attention) -> Tensor:
    def project(name: str, num_heads: int) -> Tensor:
        projected = torch.einsum("od,pd->po", model[layer_key(layer, f"self_attn.{name}")], x)
        return torch.stack(projected.chunk(num_heads, dim=1))

    freqs = frequencies(attention, x.shape[1] // attention.num_heads)
    queries = rotate(project("q_proj", attention.num_heads), freqs)
    keys = rotate(project("k_proj", attention.num_kv_heads), freqs)
    values = project("v_proj", attention.num_kv_heads)

    heads = []
    for head, query in enumerate(queries):
        group = head * attention.num_kv_heads // attention.num_heads
        scores = torch.einsum("qe,ke->qk", query, keys[group]) / math.sqrt(query.shape[1])
        exponentials = torch.exp(scores - scores.max()).tril()
        heads.append(exponentials / exponentials.sum(1, keepdim=True) @ values[group])
    return torch.einsum("od,pd->po", model[layer_key(layer, "self_attn.output_proj")], torch.cat(heads, dim=1))


def feed_forward(model: StateDict, layer: int, x: Tensor) -> Tensor:
    gate, inner, output = (model[layer_key(layer, f"ffn.{name}_proj")] for name in ("gate", "inner", "output"))
    gated = x @ gate.t()
    return (gated * torch.sigmoid(gated) * (x @ inner.t())) @ output.t()


def forward(model: StateDict, tokens: Sequence[int], attention: Attention) -> Tensor:
    """Logits (position, vocabulary)."""
    x = model[EMBED][list(tokens)]
    for layer in range(TINY.num_layers):
        x = x + self_attention(model, layer, rms_norm(x, model[layer_key(layer, "self_attn_layer_norm")]), attention)
        x = x + feed_forward(model, layer, rms_norm(x, model[layer_key(layer, "ffn_layer_norm")]))
    return rms_norm(x, model[FINAL_NORM]) @ model.get(FINAL_PROJ, model[EMBED]).t()


# --------------------------------------------------------------------------------------------
# Writing, checking
# --------------------------------------------------------------------------------------------


def logits_of(case: Case, model: StateDict) -> Json:
    # In float64 nine digits are the same on every processor; who computes in float32 has about seven of them.
    logits = forward({name: weight.double() for name, weight in model.items()}, case.tokens, case.attention)
    return {
        "name": case.name,
        "checkpoints": list(case.checkpoints),
        **asdict(case.attention),
        "tokens": case.tokens,
        "logits": {
            str(position): [float(f"{logit:.9g}") for logit in logits[position].tolist()]
            for position in (0, case.num_tokens // 2, case.num_tokens - 1)
        },
    }


def build(data_dir: Path) -> None:
    save(fs2(attentive_model()), data_dir / ATTENTIVE / "model.pt")

    cases = []
    for case in CASES:
        checkpoint = case.checkpoints[0]
        owner = data_dir if checkpoint == ATTENTIVE else DATA_DIR
        cases.append(json.dumps(logits_of(case, load_state_dict(owner, f"{checkpoint}/model.pt"))))

    text = ",\n".join(cases)
    (data_dir / LOGITS).write_text(f"[\n{text}\n]\n", encoding="utf-8")


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--check", action="store_true", help="write nothing; fail if a file is out of date")
    check_only = parser.parse_args().check

    with tempfile.TemporaryDirectory() as temporary:
        built = Path(temporary)
        build(built)
        outdated = outdated_files(built, DATA_DIR)

        for path in outdated:
            print(f"{'out of date' if check_only else 'written'}: {path}")
        if not check_only:
            publish(built, DATA_DIR, outdated)

    if not outdated:
        print("Everything is up to date.")
    return 1 if check_only and outdated else 0


if __name__ == "__main__":
    raise SystemExit(main())
