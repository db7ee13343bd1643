#!/usr/bin/python3
"""Trains adapter/, a LoRA for stories260k, and writes spoken.json: what the model says with it, without its being merged.

    /usr/bin/python3 tests/data/lora/make_lora_data.py ../shared/fixtures/stories260k            write the files
    /usr/bin/python3 tests/data/lora/make_lora_data.py ../shared/fixtures/stories260k --check    compare them with fresh ones

Needs PyTorch 1.13 (Debian: python3-torch). The model is in Hugging Face's layout, as PEFT adapts it: the rows of rotary pairs half a head apart.
Weights and LoRA are applied one after the other, W x + scale * B (A x), in float64, and never added up.
"""

import argparse
import json
import math
import struct
import sys
from pathlib import Path
from typing import Dict, List, Tuple

import torch
from torch import Tensor

DATA_DIR = Path(__file__).resolve().parent

NUM_HEADS, NUM_KV_HEADS, NUM_LAYERS, HEAD_DIM = 8, 4, 5, 8
RANK, ALPHA = 4, 6.0
RANKS = {"down_proj": 2, "embed_tokens": 3}
ALPHAS = {"layers.1.self_attn.q_proj": 9.0}

# The model's own story begins with these tokens, in the opposite order.
BOS = 1
TEXT = [426, 317, 395, 421, 315, 298, 376, 261, 286, 383, 432, 378, 261, 407, 403]

NAMES = {
    "self_attn.q_proj": "self_attn.q_proj",
    "self_attn.k_proj": "self_attn.k_proj",
    "self_attn.v_proj": "self_attn.v_proj",
    "self_attn.output_proj": "self_attn.o_proj",
    "ffn.gate_proj": "mlp.gate_proj",
    "ffn.inner_proj": "mlp.up_proj",
    "ffn.output_proj": "mlp.down_proj",
    "self_attn_layer_norm": "input_layernorm",
    "ffn_layer_norm": "post_attention_layernorm",
}
ADAPTED = ["self_attn.q_proj", "self_attn.k_proj", "self_attn.v_proj", "self_attn.o_proj", "mlp.down_proj"]


def load(fixtures: Path) -> Dict[str, Tensor]:
    """The weights of single/model.pt under Hugging Face's names."""
    saved = torch.load(fixtures / "single" / "model.pt", map_location="cpu")
    model = {}
    for name, weight in saved.get("model", saved).items():
        module = name[: -len(".weight")]
        if module.startswith("decoder.layers."):
            layer, rest = module[len("decoder.layers.") :].split(".", 1)
            module = f"model.layers.{layer}.{NAMES[rest]}"
        else:
            module = {"decoder_frontend.embed": "model.embed_tokens", "decoder.layer_norm": "model.norm", "final_proj": "lm_head"}[module]
        weight = weight.double()
        if module.endswith(("q_proj", "k_proj")):
            # (heads, pairs, the two of a pair) to (heads, the two of a pair, pairs)
            weight = weight.view(-1, HEAD_DIM // 2, 2, weight.shape[1]).transpose(1, 2).reshape(weight.shape)
        model[module] = weight
    model.setdefault("lm_head", model["model.embed_tokens"])
    return model


def rank_of(module: str) -> int:
    return next((rank for key, rank in RANKS.items() if module.endswith(key)), RANK)


def scale_of(module: str) -> float:
    alpha = next((alpha for key, alpha in ALPHAS.items() if module.endswith(key)), ALPHA)
    return alpha / math.sqrt(rank_of(module))


def make_adapter(model: Dict[str, Tensor]) -> Dict[str, Tuple[Tensor, Tensor]]:
    """A and B of each module, of the shapes that PEFT gives them."""
    generator = torch.Generator().manual_seed(0)
    modules = [f"model.layers.{layer}.{name}" for layer in range(NUM_LAYERS) for name in ADAPTED] + ["model.embed_tokens", "lm_head"]
    adapter = {}
    for module in modules:
        rows, columns = model[module].shape
        inputs, outputs = (rows, columns) if module == "model.embed_tokens" else (columns, rows)
        rank = rank_of(module)
        a = torch.randn(rank, inputs, generator=generator, dtype=torch.float64) / math.sqrt(inputs)
        adapter[module] = (a.requires_grad_(), torch.zeros(outputs, rank, dtype=torch.float64, requires_grad=True))
    return adapter


def project(model: Dict[str, Tensor], adapter: Dict[str, Tuple[Tensor, Tensor]], module: str, x: Tensor) -> Tensor:
    y = x @ model[module].T
    if module in adapter:
        a, b = adapter[module]
        y = y + (x @ a.T @ b.T) * scale_of(module)
    return y


def norm(x: Tensor, weight: Tensor) -> Tensor:
    return x / torch.sqrt((x * x).mean(-1, keepdim=True) + 1e-5) * weight


def rotate(x: Tensor) -> Tensor:
    """Heads x positions x head dim."""
    half = HEAD_DIM // 2
    angles = torch.arange(x.shape[1], dtype=torch.float64)[:, None] * 10_000.0 ** (-2 * torch.arange(half, dtype=torch.float64) / HEAD_DIM)
    cos, sin = torch.cos(angles), torch.sin(angles)
    first, second = x[..., :half], x[..., half:]
    return torch.cat([first * cos - second * sin, first * sin + second * cos], dim=-1)


def logits(model: Dict[str, Tensor], adapter: Dict[str, Tuple[Tensor, Tensor]], tokens: List[int]) -> Tensor:
    x = model["model.embed_tokens"][tokens]
    if "model.embed_tokens" in adapter:
        a, b = adapter["model.embed_tokens"]
        x = x + (a.T[tokens] @ b.T) * scale_of("model.embed_tokens")
    count = len(tokens)
    mask = torch.full((count, count), -math.inf, dtype=torch.float64).triu(1)
    for layer in range(NUM_LAYERS):
        prefix = f"model.layers.{layer}."
        h = norm(x, model[prefix + "input_layernorm"])
        q, k, v = (
            project(model, adapter, f"{prefix}self_attn.{name}_proj", h).view(count, -1, HEAD_DIM).transpose(0, 1) for name in "qkv"
        )
        q, k = rotate(q), rotate(k)
        k, v = (t.repeat_interleave(NUM_HEADS // NUM_KV_HEADS, dim=0) for t in (k, v))
        attention = torch.softmax(q @ k.transpose(1, 2) / math.sqrt(HEAD_DIM) + mask, dim=-1) @ v
        x = x + project(model, adapter, prefix + "self_attn.o_proj", attention.transpose(0, 1).reshape(count, -1))
        h = norm(x, model[prefix + "post_attention_layernorm"])
        gate, up = (project(model, adapter, f"{prefix}mlp.{name}_proj", h) for name in ("gate", "up"))
        x = x + project(model, adapter, prefix + "mlp.down_proj", torch.nn.functional.silu(gate) * up)
    return project(model, adapter, "lm_head", norm(x, model["model.norm"]))


def train(model: Dict[str, Tensor], adapter: Dict[str, Tuple[Tensor, Tensor]]) -> None:
    optimizer = torch.optim.Adam([matrix for pair in adapter.values() for matrix in pair], lr=0.005)
    for _ in range(200):
        optimizer.zero_grad()
        torch.nn.functional.cross_entropy(logits(model, adapter, [BOS] + TEXT[:-1]), torch.tensor(TEXT)).backward()
        optimizer.step()


def names_of(module: str) -> Tuple[str, str]:
    prefix = f"base_model.model.{module}."
    return (prefix + "lora_embedding_A", prefix + "lora_embedding_B") if module.endswith("embed_tokens") else (prefix + "lora_A.weight", prefix + "lora_B.weight")


def safetensors(tensors: Dict[str, Tensor]) -> bytes:
    header, data = {"__metadata__": {"format": "pt"}}, b""
    for name, tensor in sorted(tensors.items()):
        content = tensor.contiguous().numpy().tobytes()
        header[name] = {"dtype": "F32", "shape": list(tensor.shape), "data_offsets": [len(data), len(data) + len(content)]}
        data += content
    text = json.dumps(header).encode()
    text += b" " * (-len(text) % 8)
    return struct.pack("<Q", len(text)) + text + data


def main() -> int:
    parser = argparse.ArgumentParser()
    parser.add_argument("fixtures", type=Path)
    parser.add_argument("--check", action="store_true")
    arguments = parser.parse_args()
    torch.set_num_threads(1)

    model = load(arguments.fixtures)
    adapter = make_adapter(model)
    train(model, adapter)
    adapter = {module: tuple(matrix.detach().float() for matrix in pair) for module, pair in adapter.items()}
    files = {name: matrix for module, pair in adapter.items() for name, matrix in zip(names_of(module), pair)}
    exact = {module: tuple(matrix.double() for matrix in pair) for module, pair in adapter.items()}

    tokens = [BOS]
    margin = math.inf
    for _ in TEXT:
        best = logits(model, exact, tokens)[-1].topk(2)
        margin = min(margin, float(best.values[0] - best.values[1]))
        tokens.append(int(best.indices[0]))

    config = {
        "alpha_pattern": ALPHAS, "base_model_name_or_path": "stories260k", "bias": "none", "fan_in_fan_out": False, "inference_mode": True,
        "init_lora_weights": True, "lora_alpha": ALPHA, "lora_dropout": 0.0, "modules_to_save": None, "peft_type": "LORA", "r": RANK,
        "rank_pattern": RANKS, "target_modules": ["q_proj", "k_proj", "v_proj", "o_proj", "down_proj", "embed_tokens", "lm_head"],
        "task_type": "CAUSAL_LM", "use_dora": False, "use_rslora": True,
    }  # fmt: skip
    spoken = {"tokens": tokens, "margin": round(margin, 3), "logits": [round(float(x), 9) for x in logits(model, exact, tokens)[-1]]}
    outputs = {
        "adapter/adapter_config.json": (json.dumps(config, indent=2, sort_keys=True) + "\n").encode(),
        "adapter/adapter_model.safetensors": safetensors(files),
        "spoken.json": (json.dumps(spoken) + "\n").encode(),
    }
    print(f"It says {tokens}, by a margin of {margin:.3f}.")

    if arguments.check:
        outdated = [name for name, content in outputs.items() if (DATA_DIR / name).read_bytes() != content]
        print("\n".join(f"{name} is outdated" for name in outdated) or "Everything is up to date.")
        return 1 if outdated else 0

    for name, content in outputs.items():
        (DATA_DIR / name).parent.mkdir(exist_ok=True)
        (DATA_DIR / name).write_bytes(content)
    return 0


if __name__ == "__main__":
    sys.exit(main())
