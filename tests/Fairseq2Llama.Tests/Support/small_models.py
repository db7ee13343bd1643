"""Random LLaMA models of fairseq2, each with something of its own. Asked by SmallModels.cs.

    write FOLDER     FOLDER/NAME/whole.pt and, with its rows cut anywhere, FOLDER/NAME/divided/model/pp_00/tp_00/sdp_DD.pt;
                     prints what they are as JSON
"""

import json
import random
import sys
from pathlib import Path

import torch

EMBED, OUTPUT = "decoder_frontend.embed.weight", "final_proj.weight"

BITS = {torch.float16: torch.int16, torch.bfloat16: torch.int16, torch.float32: torch.int32, torch.float64: torch.int64}


def any_bits(shape, dtype, generator):
    limits = torch.iinfo(BITS[dtype])
    return torch.randint(limits.min, limits.max, shape, generator=generator, dtype=BITS[dtype]).view(dtype)


def finite(shape, dtype, generator):
    return torch.randn(shape, generator=generator, dtype=dtype)


def new_model(size, dtype, norm_dtype=None, biases=False, fill=any_bits, seed=0):
    dim, kv_dim, ffn = size["dim"], size["dim"] // size["heads"] * size["kv_heads"], size["ffn"]
    generator = torch.Generator().manual_seed(seed)
    model = {EMBED: fill((size["vocab"], dim), dtype, generator)}

    for layer in range(size["layers"]):
        prefix = f"decoder.layers.{layer}."
        for name, rows, columns in (
            ("self_attn.q_proj", dim, dim),
            ("self_attn.k_proj", kv_dim, dim),
            ("self_attn.v_proj", kv_dim, dim),
            ("self_attn.output_proj", dim, dim),
            ("ffn.gate_proj", ffn, dim),
            ("ffn.output_proj", dim, ffn),
            ("ffn.inner_proj", ffn, dim),
        ):
            model[f"{prefix}{name}.weight"] = fill((rows, columns), dtype, generator)
            if biases and "self_attn" in name:
                model[f"{prefix}{name}.bias"] = fill((rows,), dtype, generator)
        for name in ("self_attn_layer_norm", "ffn_layer_norm"):
            model[f"{prefix}{name}.weight"] = fill((dim,), norm_dtype or dtype, generator)

    model["decoder.layer_norm.weight"] = fill((dim,), norm_dtype or dtype, generator)
    model[OUTPUT] = fill((size["vocab"], dim), dtype, generator)
    return model


def turned(model):
    """Queries and keys whose elements lie column by column, behind something else."""

    def turn(tensor):
        return torch.cat([tensor.new_zeros(3), tensor.t().flatten()])[3:].view(tensor.shape[1], tensor.shape[0]).t()

    return {name: turn(tensor) if "q_proj" in name or "k_proj" in name else tensor for name, tensor in model.items()}


def all_models():
    def size(heads, kv_heads, head_dim, layers=1, vocab=10):
        dim = heads * head_dim
        return {"dim": dim, "layers": layers, "heads": heads, "kv_heads": kv_heads, "ffn": 3 * dim, "vocab": vocab}

    def case(name, size, *arguments, change=lambda model: model, **options):
        return name, size, change(new_model(size, *arguments, **options))

    yield case("float16", size(2, 2, 6), torch.float16)
    yield case("float64", size(4, 1, 4), torch.float64)
    yield case("biases", size(4, 2, 10), torch.float32, biases=True)
    yield case("tied-twice", size(4, 2, 6), torch.bfloat16, change=lambda model: {**model, OUTPUT: model[EMBED].clone()})
    yield case("wide-norms", size(2, 1, 8, layers=2), torch.bfloat16, torch.float32)
    yield case("turned", size(6, 3, 4), torch.float32, change=turned)
    yield case("heads-of-two", size(4, 2, 2), torch.float32)
    # In the order of names the tenth comes before the second.
    yield case("many-layers", size(2, 1, 4, layers=11), torch.bfloat16)
    yield case("finite", size(4, 2, 12, layers=2), torch.float32, fill=finite)


def cut_rows(model, count, rng):
    shards = [{} for _ in range(count)]
    for name, tensor in model.items():
        cuts = [0, *sorted(rng.randint(0, len(tensor)) for _ in range(count - 1)), len(tensor)]
        for shard, start, end in zip(shards, cuts, cuts[1:]):
            # A shard that has none of the rows has a tensor of one dim.
            shard[name] = tensor[start:end] if end > start else tensor.new_empty(0)
    return shards


def save(model, path):
    path.parent.mkdir(parents=True, exist_ok=True)
    torch.save(model, str(path))


def write(folder):
    rng = random.Random(1)
    sizes = []

    for name, size, model in all_models():
        save(model, folder / name / "whole.pt")
        for rank, shard in enumerate(cut_rows(model, 3, rng)):
            save({key: part.clone() for key, part in shard.items()}, folder / name / "divided" / "model" / "pp_00" / "tp_00" / f"sdp_{rank:02}.pt")
        sizes.append({"name": name, **size})

    print(json.dumps(sizes))


{"write": write}[sys.argv[1]](*map(Path, sys.argv[2:]))
