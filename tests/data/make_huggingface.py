#!/usr/bin/python3
"""Writes models of checkpoints/ in Hugging Face's format, as transformers' convert_llama_weights_to_hf.py would.

    python3 tests/data/make_huggingface.py

Needs safetensors 0.4.5 and PyTorch 2.6 (Debian 13: python3-safetensors, python3-torch).
"""

import json
import shutil
from pathlib import Path
from typing import Any, Dict, Optional

import torch
from safetensors.torch import save_file
from torch import Tensor

DATA = Path(__file__).resolve().parent
FOLDER = DATA / "huggingface"
HEADS, KV_HEADS, DIM = 4, 2, 16

CONFIG: Dict[str, Any] = {
    "architectures": ["LlamaForCausalLM"],
    "bos_token_id": 1,
    "eos_token_id": 2,
    "hidden_size": DIM,
    "intermediate_size": 48,
    "max_position_embeddings": 2048,
    "model_type": "llama",
    "num_attention_heads": HEADS,
    "num_hidden_layers": 2,
    "num_key_value_heads": KV_HEADS,
    "rms_norm_eps": 1e-05,
    "rope_scaling": None,
    "rope_theta": 10000.0,
    "tie_word_embeddings": False,
    "torch_dtype": "float32",
    "vocab_size": 40,
}

MODULES = {
    "self_attn.q_proj": "self_attn.q_proj",
    "self_attn.k_proj": "self_attn.k_proj",
    "self_attn.v_proj": "self_attn.v_proj",
    "self_attn.output_proj": "self_attn.o_proj",
    "self_attn_layer_norm": "input_layernorm",
    "ffn.gate_proj": "mlp.gate_proj",
    "ffn.output_proj": "mlp.down_proj",
    "ffn.inner_proj": "mlp.up_proj",
    "ffn_layer_norm": "post_attention_layernorm",
}


def permute(weight: Tensor, heads: int) -> Tensor:
    """That of convert_llama_weights_to_hf.py."""
    rows, columns = weight.shape
    return weight.view(heads, rows // heads // 2, 2, columns).transpose(1, 2).reshape(rows, columns)


def convert(state: Dict[str, Tensor], tied: bool) -> Dict[str, Tensor]:
    result = {}

    for name, weight in state.items():
        if name == "decoder_frontend.embed.weight":
            result["model.embed_tokens.weight"] = weight
        elif name == "decoder.layer_norm.weight":
            result["model.norm.weight"] = weight
        elif name == "final_proj.weight":
            if not tied:
                result["lm_head.weight"] = weight
        else:
            _, _, layer, *module = name[: -len(".weight")].split(".")
            module = ".".join(module)
            if module.endswith(("q_proj", "k_proj")):
                weight = permute(weight, HEADS if module.endswith("q_proj") else KV_HEADS)
            result[f"model.layers.{layer}.{MODULES[module]}.weight"] = weight

    return {name: weight.contiguous().clone() for name, weight in result.items()}


def write_json(path: Path, content: Any) -> None:
    path.write_text(json.dumps(content, indent=2, sort_keys=True) + "\n")


def load(case: str) -> Dict[str, Tensor]:
    content = torch.load(DATA / "checkpoints" / case / "model.pt", weights_only=True)
    return content.get("model", content.get("_model", content))


def write_single(case: str, name: str, tied: bool, dtype: Optional[torch.dtype]) -> None:
    folder = FOLDER / name
    folder.mkdir(parents=True)
    weights = {key: value.to(dtype or value.dtype) for key, value in convert(load(case), tied).items()}
    dtype = next(iter(weights.values())).dtype
    save_file(weights, folder / "model.safetensors", {"format": "pt"})
    write_json(
        folder / "config.json",
        {**CONFIG, "tie_word_embeddings": tied, "torch_dtype": str(dtype).removeprefix("torch.")},
    )


def write_sharded(case: str, name: str) -> None:
    folder = FOLDER / name
    folder.mkdir(parents=True)
    weights = convert(load(case), False)
    files = {key: f"model-0000{1 if '.layers.1.' not in key else 2}-of-00002.safetensors" for key in weights}
    for file in set(files.values()):
        save_file({key: value for key, value in weights.items() if files[key] == file}, folder / file, {"format": "pt"})
    size = sum(weight.numel() * weight.element_size() for weight in weights.values())
    write_json(folder / "model.safetensors.index.json", {"metadata": {"total_size": size}, "weight_map": files})
    # As transformers 5 writes it.
    config = {key: value for key, value in CONFIG.items() if not key.startswith("rope_")}
    write_json(
        folder / "config.json",
        {**config, "head_dim": DIM // HEADS, "rope_parameters": {"rope_theta": 10000.0, "rope_type": "default"}},
    )


def main() -> None:
    shutil.rmtree(FOLDER, ignore_errors=True)
    write_single("fs2", "single", False, torch.float32)
    write_single("tied", "tied", True, None)
    write_single("fs2", "half", False, torch.float16)
    write_sharded("fs2", "sharded")


if __name__ == "__main__":
    main()
