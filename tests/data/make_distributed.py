#!/usr/bin/python3
"""Writes distributed/: checkpoints by PyTorch's Distributed Checkpoint, and what PyTorch itself says about them.

    python3 tests/data/make_distributed.py

Needs PyTorch 2.6 and safetensors (Debian 13: python3-torch, python3-safetensors). Every rank is a process of its own,
with gloo on the CPU, and FSDP2, FSDP1 and DTensor themselves shard the tensors.

The seeds and the ids of the saves are fixed. But two threads write the files of a rank of titan-4, so that its metadata
lists them in any order. So there is no --check.
"""

import hashlib
import io
import json
import os
import pickle
import shutil
import sys
import tempfile
import warnings
from collections import Counter
from dataclasses import dataclass, field, replace
from enum import Enum
from multiprocessing.synchronize import Barrier
from pathlib import Path
from typing import Any, Callable, Dict, List, Sequence, Tuple
from unittest import mock

# Forked ranks must not inherit the threads of a pool.
os.environ.setdefault("OMP_NUM_THREADS", "1")

import torch
import torch.distributed as dist
import torch.distributed.checkpoint as dcp
import torch.multiprocessing as mp
from torch import Tensor, nn
from torch.distributed.checkpoint._nested_dict import flatten_state_dict
from torch.distributed.checkpoint.format_utils import dcp_to_torch_save
from torch.distributed.checkpoint.metadata import (
    _MEM_FORMAT_ENCODING,
    BytesStorageMetadata,
    ChunkStorageMetadata,
    Metadata,
    TensorProperties,
    TensorStorageMetadata,
)
from torch.distributed.checkpoint.state_dict import StateDictOptions, get_model_state_dict, get_optimizer_state_dict
from torch.distributed.device_mesh import DeviceMesh, init_device_mesh
from torch.distributed.fsdp import FullyShardedDataParallel, ShardedStateDictConfig, StateDictType, fully_shard
from torch.distributed.tensor import Placement, Replicate, Shard, distribute_tensor

DATA = Path(__file__).resolve().parent
FOLDER = DATA / "distributed"
SOURCE = DATA / "forward" / "attentive" / "model.pt"

sys.dont_write_bytecode = True
sys.path.insert(0, str(DATA))

from make_huggingface import convert as to_hugging_face  # noqa: E402

Json = Any
State = Dict[str, Any]
Weights = Dict[str, Tensor]

# --------------------------------------------------------------------------------------------
# Weights and their names
# --------------------------------------------------------------------------------------------

META_MODULES = {
    "self_attn.q_proj": "attention.wq",
    "self_attn.k_proj": "attention.wk",
    "self_attn.v_proj": "attention.wv",
    "self_attn.output_proj": "attention.wo",
    "self_attn_layer_norm": "attention_norm",
    "ffn.gate_proj": "feed_forward.w1",
    "ffn.output_proj": "feed_forward.w2",
    "ffn.inner_proj": "feed_forward.w3",
    "ffn_layer_norm": "ffn_norm",
}

META_NAMES = {
    "decoder_frontend.embed.weight": "tok_embeddings.weight",
    "decoder.layer_norm.weight": "norm.weight",
    "final_proj.weight": "output.weight",
}


def source() -> Weights:
    return torch.load(SOURCE, weights_only=True)["model"]


def to_meta(state: Weights) -> Weights:
    return {meta_name(name): weight for name, weight in state.items()}


def meta_name(name: str) -> str:
    if name in META_NAMES:
        return META_NAMES[name]
    _, _, layer, *module = name[: -len(".weight")].split(".")
    return f"layers.{layer}.{META_MODULES['.'.join(module)]}.weight"


def to_newer_titan(state: Weights) -> Weights:
    """torchtitan's names since 2026."""
    renamed = {}
    for name, weight in to_meta(state).items():
        for projection in ("wq", "wk", "wv"):
            name = name.replace(f".attention.{projection}.", f".attention.qkv_linear.{projection}.")
        renamed["lm_head.weight" if name == "output.weight" else name] = weight
    return renamed


def to_hf(state: Weights) -> Weights:
    return to_hugging_face(state, tied=False)


def below(prefix: str, rename: Callable[[Weights], Weights]) -> Callable[[Weights], Weights]:
    return lambda state: {prefix + name: weight for name, weight in rename(state).items()}


# --------------------------------------------------------------------------------------------
# Sharding. All of it runs in each rank.
# --------------------------------------------------------------------------------------------


def module_of(weights: Weights) -> nn.Module:
    """Modules that have these parameters and do nothing."""
    root = nn.Module()
    for name, weight in weights.items():
        *path, leaf = name.split(".")
        module = root
        for part in path:
            if part not in module._modules:
                module.add_module(part, nn.Module())
            module = module.get_submodule(part)
        module.register_parameter(leaf, nn.Parameter(weight.clone()))
    return root


def layers_of(module: nn.Module) -> nn.Module:
    return next(child for name, child in module.named_modules() if name.split(".")[-1] == "layers")


def mesh_of(*shape: int, names: Sequence[str] = ("dp",)) -> DeviceMesh:
    return init_device_mesh("cpu", shape, mesh_dim_names=tuple(names))


def fsdp2(module: nn.Module, mesh: DeviceMesh) -> nn.Module:
    """As torchtitan does it: each layer, then what is left."""
    for layer in layers_of(module).children():
        fully_shard(layer, mesh=mesh)
    fully_shard(module, mesh=mesh)
    return module


def fsdp1(module: nn.Module) -> nn.Module:
    """As accelerate and Lightning do it."""
    options = {"device_id": torch.device("cpu"), "use_orig_params": True}
    layers = layers_of(module)
    for name, layer in list(layers.named_children()):
        layers.add_module(name, FullyShardedDataParallel(layer, **options))
    return FullyShardedDataParallel(module, **options)


def tensor_parallel(module: nn.Module, mesh: DeviceMesh) -> nn.Module:
    """With the placements of torchtitan's plan for LLaMA."""
    for name, parameter in list(module.named_parameters()):
        path, leaf = name.rsplit(".", 1)
        sharded = distribute_tensor(parameter.detach(), mesh, [tensor_parallel_placement(name)])
        module.get_submodule(path).register_parameter(leaf, nn.Parameter(sharded))
    return module


def tensor_parallel_placement(name: str) -> Placement:
    if "norm" in name:
        return Replicate()
    return Shard(1) if name.endswith((".wo.weight", ".w2.weight")) else Shard(0)


def fsdp2_state(weights: Weights) -> State:
    return get_model_state_dict(fsdp2(module_of(weights), mesh_of(dist.get_world_size())))


def fsdp1_state(weights: Weights) -> State:
    return sharded_state(fsdp1(module_of(weights)))


def sharded_state(module: nn.Module) -> State:
    with FullyShardedDataParallel.state_dict_type(
        module, StateDictType.SHARDED_STATE_DICT, ShardedStateDictConfig(offload_to_cpu=True)
    ):
        return module.state_dict()


def hsdp_state(weights: Weights) -> State:
    return get_model_state_dict(fsdp2(module_of(weights), mesh_of(2, 2, names=("dp_replicate", "dp_shard"))))


def tensor_parallel_state(weights: Weights) -> State:
    return get_model_state_dict(tensor_parallel(module_of(weights), mesh_of(dist.get_world_size(), names=("tp",))))


def two_dim_state(weights: Weights) -> State:
    mesh = mesh_of(dist.get_world_size() // 2, 2, names=("dp_shard", "tp"))
    return get_model_state_dict(fsdp2(tensor_parallel(module_of(weights), mesh["tp"]), mesh["dp_shard"]))


def experts_state(weights: Weights) -> State:
    mesh = mesh_of(2, 2, 2, names=("a", "b", "c"))
    return {
        "experts.weight": distribute_tensor(weights["experts.weight"], mesh, [Shard(0), Shard(1), Shard(2)]),
        "norm.weight": distribute_tensor(weights["norm.weight"], mesh, [Shard(0), Replicate(), Replicate()]),
    }


def transposed_state(weights: Weights) -> State:
    return {name: weight.t().contiguous().t() for name, weight in weights.items()}


# --------------------------------------------------------------------------------------------
# What trainers save beside the weights
# --------------------------------------------------------------------------------------------


class TrainState:
    """That of torchtitan's trainer."""

    def state_dict(self) -> State:
        losses = io.BytesIO()
        torch.save([1.5, 1.25], losses)
        return {"step": torch.tensor(10, dtype=torch.int32), "global_avg_losses": losses, "log_steps": [5, 10]}

    def load_state_dict(self, state: State) -> None:
        """Only what has this, too, is asked for its state."""


def titan_trainer_state(weights: Weights) -> State:
    """
    With all parts of torchtitan's trainer. Its warm-up starts at a learning rate of 0, so that the weights stay as they are.
    """
    module = fsdp2(module_of(weights), mesh_of(dist.get_world_size()))
    optimizer = torch.optim.AdamW(module.parameters(), lr=0.0)
    scheduler = torch.optim.lr_scheduler.LambdaLR(optimizer, lambda step: 0.0)
    for parameter in module.parameters():
        parameter.grad = parameter.detach() * 0.5
    optimizer.step()
    scheduler.step()

    optimizer_state = get_optimizer_state_dict(
        module, optimizer, options=StateDictOptions(flatten_optimizer_state_dict=True)
    )
    rank = dist.get_rank()
    return {
        **get_model_state_dict(module),
        "optimizer": kept(optimizer_state),
        "lr_scheduler": scheduler.state_dict(),
        "train_state": TrainState(),
        "dataloader": {f"dp_rank_{rank}": pickle.dumps({"_sample_idx": rank}), "world_size": dist.get_world_size()},
    }


def kept(optimizer_state: State) -> State:
    """That of a few parameters, with all that there is to each, because every item takes a kilobyte."""
    parameters = ("tok_embeddings", "layers.0.attention.wq", "norm")
    prefixes = tuple(f"{kind}.{parameter}.weight." for kind in ("state", "param_groups") for parameter in parameters)
    return {name: value for name, value in optimizer_state.items() if name.startswith(prefixes)}


def older_titan_state(weights: Weights) -> State:
    """torchtitan of 2025: the model below a key of its own, with the table of angles as a buffer."""
    frequencies = 10_000.0 ** (-torch.arange(0, 4, 2) / 4)
    angles = torch.outer(torch.arange(16), frequencies)
    return {"model": {**fsdp2_state(without_key(weights)), "freqs_cis": torch.polar(torch.ones_like(angles), angles)}}


def accelerate_state(weights: Weights) -> State:
    """save_fsdp_model with FSDP1."""
    return {"model": fsdp1_state(without_key(weights))}


def accelerate_fsdp2_state(weights: Weights) -> State:
    """save_fsdp_model with FSDP2."""
    return {"model": fsdp2_state(without_key(weights))}


def lightning_state(weights: Weights) -> State:
    """FSDPStrategy.save_checkpoint of the trainer, whose module has the model as self.model."""
    module = fsdp1(module_of(without_key(weights)))
    optimizer = torch.optim.SGD(module.parameters(), lr=0.0)
    return {"model": sharded_state(module), "optimizer_0": FullyShardedDataParallel.optim_state_dict(module, optimizer)}


def without_key(weights: Weights) -> Weights:
    return {name.removeprefix("model."): weight for name, weight in weights.items()}


def write_lightning_metadata(folder: Path) -> None:
    """What the trainer's checkpoint has beside the state dicts."""
    content = {
        "epoch": 0,
        "global_step": 10,
        "pytorch-lightning_version": "2.5.0",
        "loops": {"fit_loop": {"state_dict": {}, "epoch_progress": {"total": {"ready": 1, "completed": 0}}}},
        "callbacks": {},
        "lr_schedulers": [],
        "hparams_name": "kwargs",
        "hyper_parameters": {"dim": 16, "n_layers": 2},
    }
    torch.save(content, folder / "meta.pt")


# --------------------------------------------------------------------------------------------
# Cases
# --------------------------------------------------------------------------------------------


@dataclass(frozen=True)
class Case:
    name: str
    num_ranks: int
    # What a rank hands to the save, given all weights by the names that the checkpoint will have for them.
    state: Callable[[Weights], State]
    names: Callable[[Weights], Weights] = to_meta
    # Below the case's own folder, as the writer names it.
    folder: str = "step-10"
    dtype: torch.dtype = torch.float32
    num_files: int = 1
    checksums: bool = True
    # Up to 3.11, Python pickles a member of an enum as getattr(class, name).
    enums_by_name: bool = False
    weights: Callable[[], Weights] = source
    beside: Callable[[Path], None] = field(default=lambda folder: None)

    @property
    def path(self) -> str:
        return f"{self.name}/{self.folder}".rstrip("/")

    def named_weights(self) -> Weights:
        return self.names({name: weight.to(self.dtype) for name, weight in self.weights().items()})


def one_layer() -> Weights:
    return {name: weight for name, weight in source().items() if not name.startswith("decoder.layers.1.")}


def experts() -> Weights:
    generator = torch.Generator().manual_seed(1)
    shapes = {"experts.weight": (4, 6, 8), "norm.weight": (8,)}
    return {name: torch.randn(shape, generator=generator) for name, shape in shapes.items()}


def unchanged(weights: Weights) -> Weights:
    return weights


ACCELERATE = Case("", 0, accelerate_state, below("model.", to_hf), "pytorch_model_fsdp_0")

SMALL = Case("", 0, fsdp2_state, weights=one_layer)

CASES = (
    Case("titan-1", 1, fsdp2_state),
    Case("titan-2", 2, titan_trainer_state),
    Case("titan-4", 4, fsdp2_state, num_files=2),
    Case("titan-8", 8, fsdp2_state),
    Case("titan-2d", 4, two_dim_state),
    Case("titan-2d-8", 8, two_dim_state),
    replace(ACCELERATE, name="accelerate-1", num_ranks=1),
    replace(ACCELERATE, name="accelerate-2", num_ranks=2),
    replace(ACCELERATE, name="accelerate-4", num_ranks=4, state=accelerate_fsdp2_state),
    replace(ACCELERATE, name="accelerate-8", num_ranks=8),
    replace(SMALL, name="titan-tp", num_ranks=2, state=tensor_parallel_state),
    replace(SMALL, name="titan-hsdp", num_ranks=4, state=hsdp_state),
    replace(SMALL, name="titan-uneven", num_ranks=3),
    replace(SMALL, name="titan-empty", num_ranks=7),
    replace(SMALL, name="titan-bf16", num_ranks=2, dtype=torch.bfloat16),
    replace(SMALL, name="titan-newer", num_ranks=2, names=to_newer_titan),
    replace(SMALL, name="titan-older", num_ranks=2, state=older_titan_state, names=below("model.", to_meta)),
    replace(
        SMALL,
        name="lightning-2",
        num_ranks=2,
        state=lightning_state,
        names=below("model.model.", to_meta),
        folder="",
        beside=write_lightning_metadata,
    ),
    Case("titan-3d", 8, experts_state, unchanged, weights=experts),
    replace(SMALL, name="titan-strides", num_ranks=1, state=transposed_state),
    replace(SMALL, name="titan-nocrc", num_ranks=1, checksums=False),
    replace(SMALL, name="titan-getattr", num_ranks=1, enums_by_name=True),
)


def by_name(member: Enum, protocol: int) -> Tuple[Any, ...]:
    return getattr, (member.__class__, member.name)


def run_rank(rank: int, case: Case, store: str, saved: Barrier) -> None:
    # PyTorch warns of its own calls.
    warnings.simplefilter("ignore")
    torch.set_num_threads(1)
    torch.serialization.set_crc32_options(case.checksums)
    if case.enums_by_name:
        _MEM_FORMAT_ENCODING.__reduce_ex__ = by_name

    dist.init_process_group("gloo", init_method=f"file://{store}", rank=rank, world_size=case.num_ranks)
    with mock.patch("torch.distributed.checkpoint.filesystem._generate_uuid", lambda: f"save of {case.name}"):
        # The metadata remembers the path.
        writer = dcp.FileSystemWriter(case.path, thread_count=case.num_files)
        dcp.save(case.state(case.named_weights()), storage_writer=writer)

    # Now and then destroy_process_group waits for a thread that waits for Python's lock, forever.
    saved.wait()
    os._exit(0)


def save(case: Case) -> None:
    with tempfile.TemporaryDirectory() as temporary:
        store = Path(temporary) / "store"
        saved = mp.get_context("fork").Barrier(case.num_ranks)
        mp.start_processes(run_rank, (case, str(store), saved), case.num_ranks, start_method="fork")
    case.beside(Path(case.path))


# --------------------------------------------------------------------------------------------
# What PyTorch says about them
# --------------------------------------------------------------------------------------------


def load(case: Case) -> State:
    """By its keys in the checkpoint."""
    with tempfile.TemporaryDirectory() as temporary:
        path = Path(temporary) / "merged.pt"
        dcp_to_torch_save(case.path, path)
        return flatten_state_dict(torch.load(path, weights_only=False))[0]


def read_metadata(folder: str) -> Metadata:
    """As it was saved. PyTorch's reader would write an id of its own into it."""
    return pickle.loads((Path(folder) / ".metadata").read_bytes())


def sha256(tensor: Tensor) -> str:
    return hashlib.sha256(tensor.contiguous().flatten().view(torch.uint8).numpy().tobytes()).hexdigest()


def describe_tensor(name: str, tensor: Tensor) -> Json:
    return {
        "name": name,
        "dtype": str(tensor.dtype).removeprefix("torch."),
        "shape": list(tensor.shape),
        "sha256": sha256(tensor),
    }


def describe(case: Case) -> Json:
    metadata = read_metadata(case.path)
    merged = load(case)
    weights = case.named_weights()
    check(case, merged, weights)

    tensors = {
        name: merged[name]
        for name, item in metadata.state_dict_metadata.items()
        if isinstance(item, TensorStorageMetadata)
    }
    beside = sorted(tensors.keys() - weights.keys())
    optimizers = [name for name in beside if name.startswith("optimizer")]
    bytes_items = [
        name for name, item in metadata.state_dict_metadata.items() if isinstance(item, BytesStorageMetadata)
    ]
    return {
        "folder": case.path,
        "ranks": case.num_ranks,
        "model": [describe_tensor(name, tensors[name]) for name in weights],
        "optimizer": [describe_tensor(name, tensors[name]) for name in optimizers],
        "other": [describe_tensor(name, tensors[name]) for name in beside if name not in optimizers],
        "bytes": sorted(bytes_items),
        "chunks": count_chunks(metadata, list(weights)),
    }


def check(case: Case, merged: State, weights: Weights) -> None:
    """Nothing must have changed on the way, not even the sign of a zero."""
    for name, weight in weights.items():
        assert merged[name].dtype == weight.dtype and merged[name].shape == weight.shape, (case.name, name)
        assert sha256(merged[name]) == sha256(weight), (case.name, name)


def count_chunks(metadata: Metadata, names: List[str]) -> Json:
    """The chunks of the model's tensors, and how many of its tensors are divided in which way."""
    counts: Counter = Counter()
    for name in names:
        item = metadata.state_dict_metadata[name]
        assert isinstance(item, TensorStorageMetadata)
        places = {(tuple(chunk.offsets), tuple(chunk.sizes)) for chunk in item.chunks}
        filled = [chunk for chunk in item.chunks if 0 not in chunk.sizes]
        counts.update(
            {
                "all": len(item.chunks),
                "empty": len(item.chunks) - len(filled),
                "duplicate": len(item.chunks) - len(places),
                "unevenTensors": int(len({tuple(chunk.sizes) for chunk in filled}) > 1),
                f"tensorsCutIn{count_cut_dims(item, filled)}Dims": 1,
            }
        )
    return {kind: count for kind, count in sorted(counts.items()) if count}


def count_cut_dims(item: TensorStorageMetadata, chunks: List[ChunkStorageMetadata]) -> int:
    return sum(any(chunk.sizes[dim] != size for chunk in chunks) for dim, size in enumerate(item.size))


# --------------------------------------------------------------------------------------------
# Metadata that must be refused. Nothing in this script ever loads one of them.
# --------------------------------------------------------------------------------------------

COMMAND = "touch fairseq2llama-was-here"


class Call:
    """A careless reader of its pickle calls the function, which may be what another call returns. Here nothing does."""

    def __init__(self, function: Callable[..., Any], *arguments: Any) -> None:
        self.call = (function, arguments)

    def __reduce__(self) -> Tuple[Callable[..., Any], Tuple[Any, ...]]:
        return self.call

    def __call__(self) -> None:
        """A pickle can only call what is callable."""
        raise NotImplementedError


class Pickler(pickle.Pickler):
    """Pickles the module that pickle itself refuses: as an attribute of another one, which has imported it."""

    def reducer_override(self, value: Any) -> Any:
        return "os" if value is os else NotImplemented


def write_refused() -> None:
    metadata = read_metadata("titan-3d/step-10")

    def beside_a_path(value: Any) -> Metadata:
        return replace(metadata, planner_data={**metadata.planner_data, "norm.weight": ("norm.weight", value)})

    def in_file(path: str) -> Metadata:
        places = {index: replace(place, relative_path=path) for index, place in metadata.storage_data.items()}
        return replace(metadata, storage_data=places)

    enum_class = Call(getattr, _MEM_FORMAT_ENCODING, "__class__")

    def state_with_class(properties: TensorProperties) -> Tuple[Any, ...]:
        return properties.dtype, properties.layout, False, enum_class, False

    write_metadata("reduce", Call(os.system, COMMAND))
    write_metadata("nested", beside_a_path([{"hooks": Call(os.system, COMMAND)}]))
    write_metadata("getattr", beside_a_path(Call(Call(getattr, os, "system"), COMMAND)))
    write_metadata("getattr-of-enum", beside_a_path(Call(Call(getattr, _MEM_FORMAT_ENCODING, "mro"))))
    with mock.patch.object(TensorProperties, "__getstate__", state_with_class):
        write_metadata("getattr-for-enum", metadata)
    write_metadata("outside", in_file("../../titan-1/step-10/__0_0.distcp"))
    write_metadata("absolute", in_file("/etc/hostname"))


def write_metadata(name: str, content: Any) -> None:
    folder = Path("refused") / name
    folder.mkdir(parents=True)
    with (folder / ".metadata").open("wb") as file:
        Pickler(file).dump(content)


def main() -> None:
    with tempfile.TemporaryDirectory() as temporary:
        built = Path(temporary) / "distributed"
        built.mkdir()
        os.chdir(built)
        for case in CASES:
            save(case)
        manifest = {case.name: describe(case) for case in CASES}
        write_refused()
        Path("manifest.json").write_text(to_json(manifest), encoding="utf-8")

        os.chdir(DATA)
        shutil.rmtree(FOLDER, ignore_errors=True)
        shutil.copytree(built, FOLDER)


def to_json(manifest: Json) -> str:
    """A line for each tensor."""

    def lines(items: List[Json], indent: str) -> str:
        return "[" + ",".join(f"\n{indent}{json.dumps(item)}" for item in items) + "]"

    cases = []
    for name, case in manifest.items():
        fields = [
            f"  {json.dumps(key)}: " + (lines(value, "   ") if isinstance(value, list) else json.dumps(value))
            for key, value in case.items()
        ]
        cases.append(f" {json.dumps(name)}: {{\n" + ",\n".join(fields) + "\n }")
    return "{\n" + ",\n".join(cases) + "\n}\n"


if __name__ == "__main__":
    main()
