#!/usr/bin/python3
"""Writes the checkpoints that the tests read, and what PyTorch itself says about them.

    /usr/bin/python3 tests/data/make_test_data.py            write the files
    /usr/bin/python3 tests/data/make_test_data.py --check    compare them with a fresh build

Needs PyTorch 1.13 (Debian: python3-torch). All weights are random, from fixed seeds.
"""

import argparse
import gzip
import hashlib
import io
import json
import math
import os
import pickle
import re
import shutil
import struct
import tarfile
import tempfile
import zipfile
from collections import OrderedDict
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Callable, Dict, Iterable, List, Optional, Tuple

import torch
from torch import Tensor

DATA_DIR = Path(__file__).resolve().parent
EXAMPLE_DIR = DATA_DIR.parent.parent / "examples" / "tiny-llama"

StateDict = Dict[str, Tensor]
Json = Dict[str, Any]


# --------------------------------------------------------------------------------------------
# Models
# --------------------------------------------------------------------------------------------


@dataclass(frozen=True)
class Architecture:
    model_dim: int
    num_layers: int
    num_heads: int
    num_kv_heads: int
    vocab_size: int
    ffn_multiple_of: int

    @property
    def kv_dim(self) -> int:
        return self.model_dim // self.num_heads * self.num_kv_heads

    @property
    def ffn_dim(self) -> int:
        return self.ffn_multiple_of * math.ceil(int(4 * self.model_dim * 2 / 3) / self.ffn_multiple_of)

    def params(self) -> Json:
        """params.json as fairseq2's converter writes it."""
        return {
            "model": {
                "dim": self.model_dim,
                "n_layers": self.num_layers,
                "n_heads": self.num_heads,
                "multiple_of": self.ffn_multiple_of,
                "rope_theta": 10000.0,
                "norm_eps": 1e-05,
                "n_kv_heads": self.num_kv_heads,
            }
        }


# Vocabulary (40), model (16), key/value (8) and FFN (48) dimensions all differ, so that no mix-up
# of two of them goes unnoticed.
TINY = Architecture(
    model_dim=16, num_layers=2, num_heads=4, num_kv_heads=2, vocab_size=40, ffn_multiple_of=8
)
EXAMPLE = Architecture(
    model_dim=64, num_layers=4, num_heads=8, num_kv_heads=4, vocab_size=512, ffn_multiple_of=4
)

EMBED = "decoder_frontend.embed.weight"
FINAL_PROJ = "final_proj.weight"
FINAL_NORM = "decoder.layer_norm.weight"


def layer_key(layer: int, parameter: str) -> str:
    return f"decoder.layers.{layer}.{parameter}.weight"


def parameter_shapes(arch: Architecture) -> Dict[str, Tuple[int, ...]]:
    """The parameters of a fairseq2 LLaMA in the order of its state dict."""
    dim, kv_dim, ffn_dim = arch.model_dim, arch.kv_dim, arch.ffn_dim
    shapes: Dict[str, Tuple[int, ...]] = {EMBED: (arch.vocab_size, dim)}
    for layer in range(arch.num_layers):
        shapes[layer_key(layer, "self_attn.q_proj")] = (dim, dim)
        shapes[layer_key(layer, "self_attn.k_proj")] = (kv_dim, dim)
        shapes[layer_key(layer, "self_attn.v_proj")] = (kv_dim, dim)
        shapes[layer_key(layer, "self_attn.output_proj")] = (dim, dim)
        shapes[layer_key(layer, "self_attn_layer_norm")] = (dim,)
        shapes[layer_key(layer, "ffn.gate_proj")] = (ffn_dim, dim)
        shapes[layer_key(layer, "ffn.output_proj")] = (dim, ffn_dim)
        shapes[layer_key(layer, "ffn.inner_proj")] = (ffn_dim, dim)
        shapes[layer_key(layer, "ffn_layer_norm")] = (dim,)
    shapes[FINAL_NORM] = (dim,)
    shapes[FINAL_PROJ] = (arch.vocab_size, dim)
    return shapes


def random_tensor(shape: Iterable[int], seed: int) -> Tensor:
    return torch.randn(tuple(shape), generator=torch.Generator().manual_seed(seed))


def tiny_model(dtype: torch.dtype = torch.float32) -> StateDict:
    """Every parameter differs from every other, norms too, so that a swap shows in the hashes."""
    model = {}
    for seed, (name, shape) in enumerate(parameter_shapes(TINY).items()):
        weight = random_tensor(shape, seed) * 0.02
        model[name] = (1 + weight if len(shape) == 1 else weight).to(dtype)
    return model


def example_model() -> StateDict:
    """Like a freshly initialised model: norms are ones. The two ends share one storage."""
    model = {}
    for seed, (name, shape) in enumerate(parameter_shapes(EXAMPLE).items()):
        weight = torch.ones(shape) if len(shape) == 1 else random_tensor(shape, 1000 + seed) * 0.02
        model[name] = weight.to(torch.bfloat16)
    model[FINAL_PROJ] = model[EMBED]
    return model


# --------------------------------------------------------------------------------------------
# Saving
# --------------------------------------------------------------------------------------------


def save(obj: object, path: Path, **options: Any) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    # A path, not a handle: torch.save then names the root folder in the archive after the file.
    torch.save(obj, str(path), **options)


def save_legacy(obj: object, path: Path) -> None:
    """The container of PyTorch before 1.6."""
    save(obj, path, _use_new_zipfile_serialization=False)


def fs2(state_dict: StateDict) -> Json:
    """The wrapping of fairseq2 0.4.1 to 0.4.6."""
    return {"model": state_dict, "model_key": "model", "fs2": True}


ZipEntries = List[Tuple[str, bytes]]


def read_zip(path: Path) -> ZipEntries:
    """The entries without the root folder, in the file's order."""
    with zipfile.ZipFile(path) as archive:
        return [(name.split("/", 1)[1], archive.read(name)) for name in archive.namelist()]


class ForwardOnlyStream(io.RawIOBase):
    """Cannot seek, which makes zipfile put CRC and sizes behind the data instead of before it."""

    def __init__(self, target: io.BufferedIOBase) -> None:
        self._target = target

    def writable(self) -> bool:
        return True

    def write(self, data: Any) -> int:
        return self._target.write(data)


def write_zip(
    path: Path,
    root: str,
    entries: ZipEntries,
    compression: int = zipfile.ZIP_STORED,
    forward_only: bool = False,
) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    with path.open("wb") as file:
        stream = ForwardOnlyStream(file) if forward_only else file
        with zipfile.ZipFile(stream, "w", compression) as archive:
            for name, data in entries:
                # A ZipInfo has a fixed date; a plain name would take the current time.
                info = zipfile.ZipInfo(f"{root}/{name}")
                info.compress_type = compression
                archive.writestr(info, data)


# --------------------------------------------------------------------------------------------
# Checkpoints: how fairseq2 wraps and names
# --------------------------------------------------------------------------------------------


def with_module_metadata(state_dict: StateDict) -> StateDict:
    """What nn.Module.state_dict() returns: an OrderedDict that carries the modules' versions."""
    result = OrderedDict(state_dict)
    modules = ["", "decoder_frontend", "decoder_frontend.embed", "decoder", "decoder.layers", "final_proj"]
    result._metadata = OrderedDict((name, {"version": 1}) for name in modules)  # type: ignore[attr-defined]
    return result


def compiled_key(key: str) -> str:
    """Each kind of name that torch.compile, activation checkpointing and FSDP leave behind."""
    if key.startswith("decoder.layers.0."):
        return key.replace("decoder.layers.0.", "decoder.layers.0._orig_mod.")
    if key.startswith("decoder.layers.1."):
        wrappers = "_fsdp_wrapped_module._checkpoint_wrapped_module."
        return key.replace("decoder.layers.1.", f"decoder.layers.1.{wrappers}")
    if key == EMBED:
        return f"_fsdp_wrapped_module.{key}"
    return f"_orig_mod.{key}"


def write_wrapper_cases(root: Path) -> None:
    save(fs2(tiny_model()), root / "fs2/model.pt")

    model = tiny_model(torch.bfloat16)
    save({"_model": model, "model_key": "_model"}, root / "ddp/model.pt")

    prefixed = {f"module.{key}": weight for key, weight in model.items()}
    save({"_model": prefixed, "model_key": "_model"}, root / "ddp-prefix/model.pt")

    save({"model": with_module_metadata(model), "model_key": "model"}, root / "fsdp/model.pt")

    save(tiny_model(torch.float16), root / "flat/model.pt")

    compiled = {compiled_key(key): weight for key, weight in model.items()}
    save(fs2(compiled), root / "compiled/model.pt")


def write_tied_cases(root: Path) -> None:
    same_tensor = tiny_model(torch.bfloat16)
    same_tensor[FINAL_PROJ] = same_tensor[EMBED]
    save(fs2(same_tensor), root / "tied/model.pt")

    same_storage = tiny_model(torch.bfloat16)
    same_storage[FINAL_PROJ] = same_storage[EMBED].view_as(same_storage[EMBED])
    save(fs2(same_storage), root / "tied-view/model.pt")

    absent = tiny_model(torch.bfloat16)
    del absent[FINAL_PROJ]
    save(fs2(absent), root / "tied-absent/model.pt")


def insert_after(state_dict: StateDict, key: str, added: StateDict) -> StateDict:
    result: StateDict = {}
    for name, weight in state_dict.items():
        result[name] = weight
        if name == key:
            result.update(added)
    return result


def write_extra_parameter_cases(root: Path) -> None:
    """Checkpoints with parameters that the reference format does not know."""
    rank = 2
    lora = tiny_model(torch.bfloat16)
    for layer in range(TINY.num_layers):
        q_proj = f"decoder.layers.{layer}.self_attn.q_proj"
        adapters = {
            f"{q_proj}.lora_A": random_tensor((rank, TINY.model_dim), 200 + layer).bfloat16(),
            f"{q_proj}.lora_B": random_tensor((TINY.model_dim, rank), 300 + layer).bfloat16(),
        }
        lora = insert_after(lora, f"{q_proj}.weight", adapters)
    save(fs2(lora), root / "lora/model.pt")

    q_proj = "decoder.layers.0.self_attn.q_proj"
    bias = {f"{q_proj}.bias": random_tensor((TINY.model_dim,), 400).bfloat16()}
    save(fs2(insert_after(tiny_model(torch.bfloat16), f"{q_proj}.weight", bias)), root / "bias/model.pt")


# --------------------------------------------------------------------------------------------
# Checkpoints: tensor parallelism
# --------------------------------------------------------------------------------------------

SPLIT_ALONG_ROWS = ("q_proj", "k_proj", "v_proj", "inner_proj", "gate_proj", "final_proj")


def split_dim(key: str, embed_dim: int) -> Optional[int]:
    """The dimension that tensor parallelism splits; None for what every shard has in full."""
    if key == EMBED:
        return embed_dim
    module = key.split(".")[-2]
    if module in SPLIT_ALONG_ROWS:
        return 0
    return 1 if module == "output_proj" else None


def tensor_parallel_shard(model: StateDict, rank: int, size: int, embed_dim: int) -> StateDict:
    shard = {}
    for key, weight in model.items():
        dim = split_dim(key, embed_dim)
        # clone: otherwise torch.save would write the storage of the whole weight into each shard.
        shard[key] = weight if dim is None else weight.chunk(size, dim)[rank].contiguous().clone()
    return shard


def write_tensor_parallel_cases(root: Path) -> None:
    for case, embed_dim in (("tp2-llama2", 1), ("tp2-llama3", 0)):
        for rank in range(2):
            shard = tensor_parallel_shard(tiny_model(), rank, 2, embed_dim)
            save(fs2(shard), root / case / f"model.{rank}.pt")

    for rank in range(2):
        shard = tensor_parallel_shard(tiny_model(torch.bfloat16), rank, 2, embed_dim=1)
        if rank == 1:
            key = layer_key(1, "self_attn.q_proj")
            shard[key] = shard[key][:, :-1].clone()
        save(fs2(shard), root / f"tp2-disagree/model.{rank}.pt")


def write_file_set_cases(root: Path) -> None:
    """Only which files there are matters here, so the models are a few small tensors."""
    few = {EMBED: random_tensor((4, 2), 500), FINAL_NORM: torch.ones(2), FINAL_PROJ: random_tensor((4, 2), 501)}
    for name in ("tp-gap/model.0.pt", "tp-gap/model.2.pt", "both/model.pt", "both/model.0.pt"):
        save(fs2(few), root / name)


# --------------------------------------------------------------------------------------------
# Checkpoints: how PyTorch lays tensors and files out
# --------------------------------------------------------------------------------------------


def inside_larger_storage(weight: Tensor, before: int, after: int) -> Tensor:
    storage = torch.zeros(before + weight.numel() + after, dtype=weight.dtype)
    view = storage[before : before + weight.numel()].view(weight.shape)
    view.copy_(weight)
    return view


def as_transpose(weight: Tensor) -> Tensor:
    return weight.t().contiguous().t()


def as_column_slice(weight: Tensor, before: int, after: int) -> Tensor:
    rows, columns = weight.shape
    view = torch.zeros(rows, before + columns + after, dtype=weight.dtype)[:, before : before + columns]
    view.copy_(weight)
    return view


def in_flat_parameter(model: StateDict) -> StateDict:
    """All weights as slices of one storage, as FSDP's flat parameters are."""
    flat = torch.cat([weight.flatten() for weight in model.values()])
    pieces = flat.split([weight.numel() for weight in model.values()])
    return {key: piece.view(model[key].shape) for key, piece in zip(model, pieces)}


def views_model() -> StateDict:
    model = tiny_model(torch.bfloat16)
    special = {
        layer_key(0, "self_attn.q_proj"): as_transpose(model[layer_key(0, "self_attn.q_proj")]),
        layer_key(0, "ffn.gate_proj"): as_column_slice(model[layer_key(0, "ffn.gate_proj")], 2, 3),
        FINAL_NORM: model[FINAL_NORM][:1].clone().expand(TINY.model_dim),
    }
    flat = in_flat_parameter({key: weight for key, weight in model.items() if key not in special})
    return {key: special[key] if key in special else flat[key] for key in model}


def legacy_model() -> StateDict:
    model = tiny_model()
    model[FINAL_PROJ] = inside_larger_storage(model[FINAL_PROJ], before=24, after=8)
    return model


def write_layout_cases(root: Path) -> None:
    parameters = {key: torch.nn.Parameter(weight) for key, weight in tiny_model(torch.bfloat16).items()}
    save(fs2(parameters), root / "parameters/model.pt")
    save(fs2(views_model()), root / "views/model.pt")
    save_legacy(fs2(legacy_model()), root / "legacy/model.pt")


def byte_swapped(entries: ZipEntries, item_size: int) -> ZipEntries:
    def swap(data: bytes) -> bytes:
        swapped = bytearray(len(data))
        for byte in range(item_size):
            swapped[byte::item_size] = data[item_size - 1 - byte :: item_size]
        return bytes(swapped)

    return [(name, swap(data) if name.startswith("data/") else data) for name, data in entries]


def write_container_cases(root: Path) -> None:
    """The very model of the fs2 case in every other container."""
    for protocol in (4, 5):
        save(fs2(tiny_model()), root / f"protocol{protocol}/model.pt", pickle_protocol=protocol)

    entries = read_zip(root / "fs2/model.pt")
    # PyTorch takes the root folder's name from the first entry; the order of the rest is free.
    reordered = entries[:1] + entries[:0:-1]
    write_zip(root / "deflated/model.pt", "renamed", reordered, compression=zipfile.ZIP_DEFLATED)
    write_zip(root / "descriptors/model.pt", "model", entries, forward_only=True)
    write_zip(
        root / "big-endian/model.pt",
        "model",
        byte_swapped(entries, item_size=4) + [("byteorder", b"big")],
    )


def write_checkpoints(root: Path) -> None:
    write_wrapper_cases(root)
    write_tied_cases(root)
    write_extra_parameter_cases(root)
    write_tensor_parallel_cases(root)
    write_file_set_cases(root)
    write_layout_cases(root)
    write_container_cases(root)


# --------------------------------------------------------------------------------------------
# Single tensors
# --------------------------------------------------------------------------------------------


def dtype_tensors() -> StateDict:
    numbers = [-2, -1, 0, 1, 2, 100]
    floats = {
        name: torch.tensor([number + 0.5 for number in numbers], dtype=getattr(torch, name))
        for name in ("float32", "float64", "float16", "bfloat16")
    }
    integers = {
        name: torch.tensor(numbers, dtype=getattr(torch, name)) for name in ("int8", "int16", "int32", "int64")
    }
    complexes = {
        name: torch.tensor([complex(number, 0.25) for number in numbers], dtype=getattr(torch, name))
        for name in ("complex64", "complex128")
    }
    return {
        **floats,
        **integers,
        "uint8": torch.tensor([0, 1, 127, 128, 255], dtype=torch.uint8),
        "bool": torch.tensor([True, False, True]),
        **complexes,
    }


def shape_tensors() -> StateDict:
    cube = torch.arange(24, dtype=torch.float32).view(2, 3, 4)
    shared = torch.arange(12, dtype=torch.float32)
    twice = torch.arange(100, 104, dtype=torch.int64)
    return {
        "scalar": torch.tensor(3.5),
        "empty": torch.empty(0),
        "empty_rows": torch.empty(0, 4),
        "vector": torch.arange(5, dtype=torch.float32),
        "cube": cube.clone(),
        "permuted": cube.clone().permute(2, 0, 1),
        "transposed": torch.arange(6, dtype=torch.float32).view(2, 3).t(),
        "expanded_row": torch.arange(4, dtype=torch.float32).expand(3, 4),
        "expanded_scalar": torch.tensor(7.0).expand(2, 3),
        "every_second": torch.arange(9, dtype=torch.float32)[::2],
        "every_second_row": torch.arange(20, dtype=torch.float32).view(5, 4)[::2],
        "offset": torch.arange(10, dtype=torch.float32)[3:8],
        "columns": torch.arange(20, dtype=torch.float32).view(4, 5)[:, 1:4],
        "single_row": torch.arange(20, dtype=torch.float32).view(4, 5)[2:3],
        "shared_first": shared[:6].view(2, 3),
        "shared_overlapping": shared[4:],
        "twice_first": twice,
        "twice_second": twice,
    }


def write_tensors(root: Path) -> None:
    for name, tensors in (("dtypes", dtype_tensors()), ("shapes", shape_tensors())):
        save(tensors, root / f"{name}.pt")
        save_legacy(tensors, root / f"{name}-legacy.pt")


# --------------------------------------------------------------------------------------------
# Files that must be refused. Nothing in this script ever loads one of them.
# --------------------------------------------------------------------------------------------


class Evil:
    """A pickle of this runs a command when a careless reader loads it."""

    def __reduce__(self) -> Tuple[Callable[..., int], Tuple[str]]:
        return os.system, ("touch fairseq2llama-was-here",)


def write_evil_files(root: Path) -> None:
    save(Evil(), root / "evil-reduce.pt")
    save_legacy(Evil(), root / "evil-legacy.pt")
    (root / "evil-plain.pkl").write_bytes(pickle.dumps(Evil()))

    nested = with_module_metadata({EMBED: random_tensor((4, 2), 600), FINAL_NORM: torch.ones(2)})
    nested._metadata["decoder.layers"]["hooks"] = [{"pre": (None, Evil())}]  # type: ignore[attr-defined]
    save(fs2(nested), root / "evil-nested.pt")


def write_unsupported_objects(root: Path) -> None:
    weight = random_tensor((4, 2), 601)

    save(fs2({EMBED: torch.quantize_per_tensor(weight, 0.1, 0, torch.qint8)}), root / "qtensor.pt")
    save(fs2({EMBED: torch.eye(4).to_sparse()}), root / "sparse.pt")
    save(fs2({EMBED: torch.empty(4, 2, device="meta")}), root / "meta.pt")

    torch.manual_seed(602)
    save(torch.nn.Linear(2, 2), root / "whole-module.pt")

    try:
        import numpy
    except ImportError:
        return
    save({"model": {EMBED: weight}, "model_key": "model", "loss": numpy.float64(0.5)}, root / "numpy.pt")


def write_torchscript(path: Path) -> None:
    module = torch.jit.ScriptModule()
    # Source text instead of a Python class: the archive records where a class was defined.
    module.define("def forward(self, x):\n    return x + 1\n")
    torch.jit.save(module, str(path))


def write_tar(path: Path) -> None:
    """The members of the first torch.save files, which were tar archives."""
    with tarfile.open(path, "w", format=tarfile.USTAR_FORMAT) as archive:
        for name in ("sys_info", "pickle", "tensors", "storages"):
            data = pickle.dumps({}, protocol=2)
            info = tarfile.TarInfo(name)
            info.size = len(data)
            archive.addfile(info, io.BytesIO(data))


def safetensors_bytes() -> bytes:
    header = {EMBED: {"dtype": "F32", "shape": [2, 2], "data_offsets": [0, 16]}}
    text = json.dumps(header, separators=(",", ":")).encode()
    text += b" " * (-len(text) % 8)
    return struct.pack("<Q", len(text)) + text + struct.pack("<4f", 1, 2, 3, 4)


def git_lfs_pointer() -> bytes:
    digest = hashlib.sha256(b"a checkpoint that was never downloaded").hexdigest()
    return f"version https://git-lfs.github.com/spec/v1\noid sha256:{digest}\nsize 13476939516\n".encode()


def write_other_formats(root: Path) -> None:
    write_torchscript(root / "torchscript.pt")
    write_tar(root / "tar.pt")
    (root / "text.pt").write_bytes(b"This is not a checkpoint.\n")
    (root / "git-lfs-pointer.pt").write_bytes(git_lfs_pointer())
    (root / "safetensors-inside.pt").write_bytes(safetensors_bytes())
    (root / "empty.pt").write_bytes(b"")

    write_zip(root / "zip-without-pickle.pt", "folder", [("a.txt", b"Nothing to load here.\n")])

    buffer = io.BytesIO()
    torch.save(fs2({EMBED: random_tensor((4, 2), 603)}), buffer)
    (root / "gzip.pt").write_bytes(gzip.compress(buffer.getvalue(), mtime=0))


def write_refused(root: Path) -> None:
    root.mkdir(parents=True)
    write_evil_files(root)
    write_unsupported_objects(root)
    write_other_formats(root)


# --------------------------------------------------------------------------------------------
# Manifest: what PyTorch says about the good files
# --------------------------------------------------------------------------------------------

# This PyTorch ignores the byteorder record. The file has the tensors of the fs2 case.
BIG_ENDIAN = "checkpoints/big-endian/model.pt"
LITTLE_ENDIAN_TWIN = "checkpoints/fs2/model.pt"

# Each of these has a fault for which a conversion must stop.
CASES_WITHOUT_REFERENCE = ("tp2-disagree", "tp-gap", "both")


def load_state_dict(data_dir: Path, path: str) -> StateDict:
    content = torch.load(data_dir / (LITTLE_ENDIAN_TWIN if path == BIG_ENDIAN else path))
    return content[content["model_key"]] if "model_key" in content else content


def sha256(tensor: Tensor) -> str:
    values = tensor.detach().contiguous()
    if values.dtype == torch.bfloat16:
        values = values.view(torch.int16)  # NumPy has no bfloat16.
    return hashlib.sha256(values.numpy().tobytes()).hexdigest()


def dtype_name(tensor: Tensor) -> str:
    return str(tensor.dtype).replace("torch.", "")


def describe(name: str, tensor: Tensor) -> Json:
    return {
        "name": name,
        "dtype": dtype_name(tensor),
        "shape": list(tensor.shape),
        "stride": list(tensor.stride()),
        "storage_offset": tensor.storage_offset(),
        "contiguous": tensor.is_contiguous(),
        "requires_grad": tensor.requires_grad,
        "sha256": sha256(tensor),
    }


def describe_converted(name: str, tensor: Tensor) -> Json:
    return {"name": name, "dtype": dtype_name(tensor), "shape": list(tensor.shape), "sha256": sha256(tensor)}


WRAPPER_NAMES = re.compile(r"^module\.|_orig_mod\.|_checkpoint_wrapped_module\.|_fsdp_wrapped_module\.")

# The table of fairseq2's converter.
REFERENCE_NAMES = (
    (r"^decoder_frontend\.embed\.", r"tok_embeddings."),
    (r"^decoder\.layers\.([0-9]+)\.self_attn\.q_proj\.", r"layers.\1.attention.wq."),
    (r"^decoder\.layers\.([0-9]+)\.self_attn\.k_proj\.", r"layers.\1.attention.wk."),
    (r"^decoder\.layers\.([0-9]+)\.self_attn\.v_proj\.", r"layers.\1.attention.wv."),
    (r"^decoder\.layers\.([0-9]+)\.self_attn\.output_proj\.", r"layers.\1.attention.wo."),
    (r"^decoder\.layers\.([0-9]+)\.self_attn_layer_norm\.", r"layers.\1.attention_norm."),
    (r"^decoder\.layers\.([0-9]+)\.ffn\.gate_proj\.", r"layers.\1.feed_forward.w1."),
    (r"^decoder\.layers\.([0-9]+)\.ffn\.output_proj\.", r"layers.\1.feed_forward.w2."),
    (r"^decoder\.layers\.([0-9]+)\.ffn\.inner_proj\.", r"layers.\1.feed_forward.w3."),
    (r"^decoder\.layers\.([0-9]+)\.ffn_layer_norm\.", r"layers.\1.ffn_norm."),
    (r"^decoder\.layer_norm\.", r"norm."),
    (r"^final_proj\.", r"output."),
)


def reference_name(name: str) -> str:
    name = WRAPPER_NAMES.sub("", name)
    for pattern, replacement in REFERENCE_NAMES:
        name, count = re.subn(pattern, replacement, name)
        if count:
            return name
    raise ValueError(f"'{name}' has no name in the reference format.")


def convert(state_dict: StateDict) -> StateDict:
    converted = {reference_name(key): weight for key, weight in state_dict.items() if ".lora_" not in key}
    converted.setdefault("output.weight", converted["tok_embeddings.weight"])
    return converted


def reference_of_case(data_dir: Path, case_dir: Path) -> Json:
    files = []
    for index, path in enumerate(sorted(case_dir.glob("model*.pt"))):
        converted = convert(load_state_dict(data_dir, path.relative_to(data_dir).as_posix()))
        tensors = [describe_converted(name, tensor) for name, tensor in converted.items()]
        files.append({"file": f"consolidated.{index:02}.pth", "tensors": tensors})
    return {"params": TINY.params(), "files": files}


def make_manifest(data_dir: Path) -> Json:
    paths = sorted(
        path.relative_to(data_dir).as_posix()
        for folder in ("checkpoints", "tensors")
        for path in (data_dir / folder).rglob("*.pt")
    )
    cases = sorted(path for path in (data_dir / "checkpoints").iterdir() if path.name not in CASES_WITHOUT_REFERENCE)
    return {
        "files": {
            path: [describe(name, tensor) for name, tensor in load_state_dict(data_dir, path).items()]
            for path in paths
        },
        "reference": {case.name: reference_of_case(data_dir, case) for case in cases},
    }


def format_manifest(value: Any, indent: str = "") -> str:
    """JSON with one line for each tensor: compact, and readable in a diff."""
    if isinstance(value, dict) and "sha256" not in value and any(isinstance(v, (dict, list)) for v in value.values()):
        opening, closing = "{", "}"
        items = [f"{json.dumps(key)}: {format_manifest(item, indent + ' ')}" for key, item in value.items()]
    elif isinstance(value, list) and value and isinstance(value[0], dict):
        opening, closing = "[", "]"
        items = [format_manifest(item, indent + " ") for item in value]
    else:
        return json.dumps(value)
    separator = f",\n{indent} "
    return f"{opening}\n{indent} {separator.join(items)}\n{indent}{closing}"


# --------------------------------------------------------------------------------------------
# Building, checking, publishing
# --------------------------------------------------------------------------------------------

# The legacy container names each storage by its address in memory, so two runs never write the
# same bytes.
NEVER_SAME_BYTES = (
    "checkpoints/legacy/model.pt",
    "tensors/dtypes-legacy.pt",
    "tensors/shapes-legacy.pt",
)


def build(data_dir: Path, example_dir: Path) -> None:
    write_checkpoints(data_dir / "checkpoints")
    write_tensors(data_dir / "tensors")
    write_refused(data_dir / "refused")
    (data_dir / "manifest.json").write_text(format_manifest(make_manifest(data_dir)) + "\n", encoding="utf-8")
    save(fs2(example_model()), example_dir / "model.pt")


def same_tensors(first_dir: Path, second_dir: Path, path: str) -> bool:
    first, second = load_state_dict(first_dir, path), load_state_dict(second_dir, path)
    return [describe(*item) for item in first.items()] == [describe(*item) for item in second.items()]


def is_current(built_dir: Path, target_dir: Path, path: str) -> bool:
    built, target = built_dir / path, target_dir / path
    if not target.is_file():
        return False
    if built.read_bytes() == target.read_bytes():
        return True
    return path in NEVER_SAME_BYTES and same_tensors(built_dir, target_dir, path)


def outdated_files(built_dir: Path, target_dir: Path) -> List[str]:
    paths = (path.relative_to(built_dir).as_posix() for path in sorted(built_dir.rglob("*")) if path.is_file())
    return [path for path in paths if not is_current(built_dir, target_dir, path)]


def publish(built_dir: Path, target_dir: Path, paths: Iterable[str]) -> None:
    for path in paths:
        (target_dir / path).parent.mkdir(parents=True, exist_ok=True)
        shutil.copyfile(built_dir / path, target_dir / path)


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--check", action="store_true", help="write nothing; fail if a file is out of date")
    check_only = parser.parse_args().check

    with tempfile.TemporaryDirectory() as temporary:
        built_data, built_example = Path(temporary, "data"), Path(temporary, "example")
        build(built_data, built_example)

        outdated_count = 0
        for built_dir, target_dir in ((built_data, DATA_DIR), (built_example, EXAMPLE_DIR)):
            outdated = outdated_files(built_dir, target_dir)
            outdated_count += len(outdated)
            for path in outdated:
                print(f"{'out of date' if check_only else 'written'}: {target_dir.name}/{path}")
            if not check_only:
                publish(built_dir, target_dir, outdated)

    if not outdated_count:
        print("Everything is up to date.")
    return 1 if check_only and outdated_count else 0


if __name__ == "__main__":
    raise SystemExit(main())
