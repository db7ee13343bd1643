#!/usr/bin/python3
"""Writes the safetensors files that the tests read, and what the safetensors library itself says about them.

    python3 tests/data/make_safetensors.py

Needs safetensors 0.4.5 and PyTorch 2.6 (Debian 13: python3-safetensors, python3-torch). It has no --check: the library
writes metadata of more than one key in any order.
"""

import hashlib
import json
from pathlib import Path
from typing import Any, Dict, Optional

import torch
from safetensors import deserialize, safe_open, serialize_file
from safetensors.torch import save_file
from torch import Tensor

FOLDER = Path(__file__).resolve().parent / "safetensors"

# Names of PyTorch's, sizes in bytes. complex64 came with a later version of the library.
DTYPES = {
    "float64": 8,
    "float32": 4,
    "float16": 2,
    "bfloat16": 2,
    "float8_e4m3fn": 1,
    "float8_e5m2": 1,
    "int64": 8,
    "int32": 4,
    "int16": 2,
    "int8": 1,
    "uint64": 8,
    "uint32": 4,
    "uint16": 2,
    "uint8": 1,
    "bool": 1,
}


def every_dtype() -> Dict[str, Dict[str, Any]]:
    """Not through PyTorch, for which this version of the library knows no uint16, uint32 and uint64."""
    tensors = {}
    for seed, (dtype, size) in enumerate(DTYPES.items()):
        high = 2 if dtype == "bool" else 256
        generator = torch.Generator().manual_seed(seed)
        data = bytes(torch.randint(0, high, (3 * size,), generator=generator).tolist())
        tensors[dtype] = {"dtype": dtype, "shape": [3], "data": data}
    return tensors


def every_kind_of_shape() -> Dict[str, Tensor]:
    return {
        "scalar": torch.tensor(1.5),
        "empty": torch.zeros(0),
        "empty rows": torch.zeros(0, 3),
        "empty columns": torch.zeros(2, 0, 3, dtype=torch.int8),
        "vector": torch.arange(5, dtype=torch.int16),
        "matrix": torch.randn(2, 3, generator=torch.Generator().manual_seed(1)),
        "four dims": torch.arange(4, dtype=torch.uint8).reshape(1, 2, 1, 2),
        'ünï/"code"': torch.tensor([True, False]),
    }


def describe(path: Path) -> Dict[str, Any]:
    with safe_open(path, framework="pt") as file:
        metadata = file.metadata() or {}

    tensors = sorted(deserialize(path.read_bytes()), key=lambda item: item[0])
    return {"metadata": metadata, "tensors": [describe_tensor(name, tensor) for name, tensor in tensors]}


def describe_tensor(name: str, tensor: Dict[str, Any]) -> Dict[str, Any]:
    return {
        "name": name,
        "dtype": tensor["dtype"],
        "shape": tensor["shape"],
        "sha256": hashlib.sha256(bytes(tensor["data"])).hexdigest(),
    }


def save(name: str, tensors: Dict[str, Tensor], metadata: Optional[Dict[str, str]] = None) -> None:
    save_file(tensors, FOLDER / name, metadata)


def main() -> None:
    FOLDER.mkdir(exist_ok=True)
    serialize_file(every_dtype(), FOLDER / "dtypes.safetensors", None)
    save("shapes.safetensors", every_kind_of_shape())
    save("metadata.safetensors", {"weight": torch.ones(2)}, {"format": "pt", "note": 'two\nlines, "quoted", ü'})
    save("no-tensors.safetensors", {}, {"format": "pt"})
    save("nothing.safetensors", {})

    manifest = {path.name: describe(path) for path in sorted(FOLDER.glob("*.safetensors"))}
    text = json.dumps(manifest, indent=1, sort_keys=True) + "\n"
    (FOLDER / "manifest.json").write_text(text, encoding="utf-8")


if __name__ == "__main__":
    main()
