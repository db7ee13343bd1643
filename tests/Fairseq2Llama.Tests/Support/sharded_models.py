"""Random LLaMA models, divided as fairseq2 divides them, and what an export must make of them. Asked by ShardedModels.cs.

    write FOLDER     whole/MODEL.pt, divided/CASE/model/pp_PP/tp_TT/sdp_DD.pt, and what is named in odd()
    compare FOLDER WHOLE
                     prints what differs between FOLDER/exported/COUNT/CASE/consolidated.NN.pth and the model that was divided,
                     and how many were compared
"""

import random
import sys
from pathlib import Path

import torch

# All matrices differ in their sizes but for those that any LLaMA has alike.
DIM, LAYERS, KV_DIM, FFN_DIM, VOCAB = 32, 3, 16, 88, 48

EMBED, NORM, OUTPUT = "decoder_frontend.embed.weight", "decoder.layer_norm.weight", "final_proj.weight"

# fairseq2's name, Meta's name, shape, and the dim along which tensor parallelism divides it.
LAYER = [
    ("self_attn.q_proj", "attention.wq", (DIM, DIM), 0),
    ("self_attn.k_proj", "attention.wk", (KV_DIM, DIM), 0),
    ("self_attn.v_proj", "attention.wv", (KV_DIM, DIM), 0),
    ("self_attn.output_proj", "attention.wo", (DIM, DIM), 1),
    ("self_attn_layer_norm", "attention_norm", (DIM,), None),
    ("ffn.gate_proj", "feed_forward.w1", (FFN_DIM, DIM), 0),
    ("ffn.output_proj", "feed_forward.w2", (DIM, FFN_DIM), 1),
    ("ffn.inner_proj", "feed_forward.w3", (FFN_DIM, DIM), 0),
    ("ffn_layer_norm", "ffn_norm", (DIM,), None),
]

PARAMETERS = {
    EMBED: ("tok_embeddings.weight", (VOCAB, DIM), "embedding"),
    **{
        f"decoder.layers.{layer}.{ours}.weight": (f"layers.{layer}.{theirs}.weight", shape, dim)
        for layer in range(LAYERS)
        for ours, theirs, shape, dim in LAYER
    },
    NORM: ("norm.weight", (DIM,), None),
    OUTPUT: ("output.weight", (VOCAB, DIM), 0),
}

# A dtype, and the integers of that size: weights are of any bits, those of infinities and NaNs too, and are compared by them.
DTYPES = {"float32": (torch.float32, torch.int32), "bfloat16": (torch.bfloat16, torch.int16)}


def new_model(dtype, seed):
    to, bits = DTYPES[dtype]
    limits, generator = torch.iinfo(bits), torch.Generator().manual_seed(seed)
    return {
        name: torch.randint(limits.min, limits.max, shape, generator=generator, dtype=bits).view(to)
        for name, (_, shape, _) in PARAMETERS.items()
    }


def divide_stages(model, count):
    """Layers in a row, what comes before them in the first stage and what comes after them in the last."""
    stages = [{} for _ in range(count)]
    for name, tensor in model.items():
        layer = int(name.split(".")[2]) if ".layers." in name else 0 if name == EMBED else LAYERS - 1
        stages[layer * count // LAYERS][name] = tensor
    return stages


def split_dim(name, embedding_dim):
    dim = PARAMETERS[name][2]
    return embedding_dim if dim == "embedding" else dim


def divide_ranks(model, count, embedding_dim):
    ranks = [{} for _ in range(count)]
    for name, tensor in model.items():
        dim = split_dim(name, embedding_dim)
        parts = [tensor] * count if dim is None else tensor.chunk(count, dim)
        for rank, part in zip(ranks, parts):
            rank[name] = part
    return ranks


def divide_rows(model, count, style, rng):
    """Sharded data parallelism: torch.chunk, as FSDP does, or anything else that tiles the rows, with empty shards anywhere."""
    shards = [{} for _ in range(count)]
    for index, (name, tensor) in enumerate(model.items()):
        if style == "uneven":
            cuts = sorted(rng.randint(0, len(tensor)) for _ in range(count - 1))
            cuts = [0, *cuts[1:]] if index % 3 == 0 else [*cuts[:-1], len(tensor)] if index % 3 == 1 else cuts
            parts = [tensor[start:end] for start, end in zip([0, *cuts], [*cuts, len(tensor)])]
        else:
            parts = list(tensor.chunk(count))
        for rank, shard in enumerate(shards):
            if rank < len(parts) and len(parts[rank]) > 0:
                shard[name] = parts[rank]
            elif style != "absent":
                shard[name] = torch.empty(0, dtype=tensor.dtype)
    return shards


def save(state_dict, path):
    path.parent.mkdir(parents=True, exist_ok=True)
    torch.save({name: tensor.clone() if isinstance(tensor, torch.Tensor) else tensor for name, tensor in state_dict.items()}, str(path))


def divide(model, pp=1, tp=1, sdp=1, embedding_dim=0, style="even", rng=None):
    """State dicts by their place."""
    return {
        (stage, rank, row): shard
        for stage, layers in enumerate(divide_stages(model, pp))
        for rank, part in enumerate(divide_ranks(layers, tp, embedding_dim))
        for row, shard in enumerate(divide_rows(part, sdp, style, rng) if sdp > 1 else [part])
    }


def save_grid(grid, folder):
    for (stage, rank, row), shard in grid.items():
        save(shard, folder / "model" / f"pp_{stage:02}" / f"tp_{rank:02}" / f"sdp_{row:02}.pt")


def all_cases():
    for dtype in DTYPES:
        for embedding_dim in (0, 1):
            for pp in (1, 2):
                for tp in (1, 2, 4):
                    for sdp in (1, 2, 3):
                        for style in ["even"] if sdp == 1 else ["even", "uneven"]:
                            yield dtype, embedding_dim, pp, tp, sdp, style
            # Of 4 rows torch.chunk makes two parts of the three that are asked for.
            yield dtype, embedding_dim, 1, 4, 3, "absent"


def odd(folder, model, other):
    """Checkpoints that are laid out otherwise, and such as can't be right."""

    def grid(name, change=lambda grid: None, **sizes):
        shards = divide(model, **sizes)
        change(shards)
        save_grid(shards, folder / name)

    q, k, layer_norm = (f"decoder.layers.1.{name}.weight" for name in ("self_attn.q_proj", "self_attn.k_proj", "ffn_layer_norm"))

    def with_another_norm(shards):
        shards[0, 1, 0][layer_norm] = other[layer_norm]

    def with_another_last_row_of_a_norm(shards):
        changed = shards[0, 1, 1][layer_norm].clone()
        changed.view(torch.int32)[-1] ^= 1
        shards[0, 1, 1][layer_norm] = changed

    def with_narrow_rows(shards):
        shards[0, 0, 1][q] = shards[0, 0, 1][q][:, 1:]

    def with_another_dtype(shards):
        shards[0, 0, 1][q] = shards[0, 0, 1][q].to(torch.float16)

    def without(place, name):
        return lambda shards: shards[place].pop(name)

    def with_a_layer_of_the_first_stage(shards):
        shards[1, 0, 0][q] = shards[0, 0, 0][q]

    def with_a_number(shards):
        for shard in shards.values():
            shard[q] = torch.tensor(1.0)

    grid("norm-differs", with_another_norm, tp=2)
    grid("norm-differs-in-its-last-row", with_another_last_row_of_a_norm, tp=2, sdp=2)
    grid("columns-differ", with_narrow_rows, sdp=2)
    grid("dtype-differs", with_another_dtype, sdp=2)
    grid("lacking-in-rank-1", without((0, 1, 0), q), tp=2)
    grid("lacking-in-rank-0", without((0, 0, 0), q), tp=2)
    grid("lacking-in-first-rows", without((0, 0, 0), q), sdp=2)
    grid("lacking-in-the-middle", without((0, 0, 1), q), sdp=3)
    grid("lacking-at-the-end", without((0, 0, 2), q), sdp=3)
    grid("lacking-in-both", lambda shards: [shards[0, rank, 0].pop(q) for rank in (0, 1)], tp=2)
    grid("stages-overlap", with_a_layer_of_the_first_stage, pp=2)
    grid("single-number", with_a_number, sdp=2)
    grid("lone")

    # The embeddings in a stage of their own, where no norm tells the model dim.
    first, last = {EMBED: model[EMBED]}, {name: tensor for name, tensor in model.items() if name != EMBED}
    for embedding_dim in (0, 1):
        save_grid(
            {
                (stage, rank, 0): part
                for stage, layers in enumerate((first, last))
                for rank, part in enumerate(divide_ranks(layers, 2, embedding_dim))
            },
            folder / f"embeddings-apart,embedding{embedding_dim}",
        )

    # Tied weights: one tensor under both names, here even a view of all of it; or the second name left out.
    for place, shard in divide({name: tensor for name, tensor in model.items() if name != OUTPUT}, tp=2, sdp=2).items():
        path = folder / "tied,embedding0" / "model" / "pp_00" / f"tp_{place[1]:02}" / f"sdp_{place[2]:02}.pt"
        path.parent.mkdir(parents=True, exist_ok=True)
        torch.save({**shard, OUTPUT: shard[EMBED]}, str(path))

    for embedding_dim in (0, 1):
        grid(
            f"tied-absent,embedding{embedding_dim}",
            lambda shards: [shard.pop(OUTPUT, None) for shard in shards.values()],
            pp=2, tp=2, sdp=2, embedding_dim=embedding_dim,
        )

    def with_adapters(same):
        def change(shards):
            for (_, rank, _), shard in shards.items():
                shard["decoder.layers.0.self_attn.q_proj.lora_A"] = torch.full((2, DIM), 0.0 if same else float(rank))
        return change

    grid("adapter-differs", with_adapters(same=False), tp=2)
    grid("adapter-is-the-same", with_adapters(same=True), tp=2)

    def wrap(shard):
        return {"model": {name: tensor.clone() for name, tensor in shard.items()}, "model_key": "model", "fs2": True}

    for (_, rank, row), shard in divide(model, tp=2, sdp=2).items():
        save(shard, folder / "shard-folders-tp2" / f"model.{rank:02}.pt" / f"shard.{row:02}.pt")
        save(wrap(shard), folder / "shard-folders-tp2-wrapped" / f"model.{rank:02}.pt" / f"shard.{row:02}.pt")

    for (_, _, row), shard in divide(model, sdp=3).items():
        save(shard, folder / "shard-folder" / "model.pt" / f"shard.{row:02}.pt")
        save(wrap(shard), folder / "shard-folder-wrapped" / "model.pt" / f"shard.{row:02}.pt")

    for (_, rank, _), shard in divide(model, tp=4).items():
        save(wrap(shard), folder / "model-0-to-3" / f"model.{rank}.pt")
        save(wrap(shard), folder / "model-00-to-03" / f"model.{rank:02}.pt")
        save(shard, folder / "tp-files" / "model" / f"tp_{rank:02}.pt")

    for (_, _, row), shard in divide(model, sdp=3, style="absent").items():
        save(shard, folder / "sdp-files" / "model" / f"sdp_{row:02}.pt")

    for (_, rank, row), shard in divide(model, tp=2, sdp=3).items():
        save(shard, folder / "sdp-files-tp2" / "model" / f"tp_{rank:02}" / f"sdp_{row:02}.pt")


def write(folder):
    models = {dtype: new_model(dtype, seed) for seed, dtype in enumerate(DTYPES)}
    rng = random.Random(1)

    for dtype, model in models.items():
        save(model, folder / "whole" / f"{dtype}.pt")

    for dtype, embedding_dim, pp, tp, sdp, style in all_cases():
        grid = divide(models[dtype], pp, tp, sdp, embedding_dim, style, rng)
        save_grid(grid, folder / "divided" / f"{dtype},embedding{embedding_dim},pp{pp},tp{tp},sdp{sdp},{style}")

    odd(folder / "odd", models["float32"], new_model("float32", 99))


def join(shards, embedding_dim):
    """As Hugging Face's convert_llama_weights_to_hf does it."""
    joined = {}
    for name, (theirs, _, _) in PARAMETERS.items():
        parts, dim = [shard[theirs] for shard in shards], split_dim(name, embedding_dim)
        joined[theirs] = parts[0] if dim is None else torch.cat(parts, dim)
        if dim is None and any(different(part, parts[0]) for part in parts):
            joined[theirs] = None
    return joined


def different(tensor, expected):
    bits = DTYPES[str(expected.dtype).split(".")[1]][1]
    return (
        tensor is None
        or tensor.dtype != expected.dtype
        or tensor.shape != expected.shape
        or not tensor.is_contiguous()
        or not torch.equal(tensor.view(bits), expected.view(bits))
    )


def compare(folder, whole):
    models = {dtype: torch.load(whole / f"{dtype}.pt") for dtype in DTYPES}
    order = [theirs for theirs, _, _ in PARAMETERS.values()]

    all_exported = sorted(folder.glob("exported/*/*"))

    for exported in all_exported:
        count, case = int(exported.parent.name), exported.name
        files = sorted(exported.glob("*.pth"))
        # weights_only: as the loaders open it.
        shards = [torch.load(file, weights_only=True) for file in files]

        if [file.name for file in files] != [f"consolidated.{rank:02}.pth" for rank in range(count)]:
            print(f"{count}/{case} has {files}")
        elif any(list(shard) != order for shard in shards):
            print(f"{count}/{case} has other keys or another order")
        else:
            model = models["bfloat16" if case.startswith("bfloat16") else "float32"]
            model = {**model, OUTPUT: model[EMBED]} if case.startswith("tied") else model
            joined = join(shards, 1 if "embedding1" in case else 0)
            for name, (theirs, _, _) in PARAMETERS.items():
                if different(joined[theirs], model[name]):
                    print(f"{count}/{case} has another {theirs}")

    print(f"{len(all_exported)} compared")


{"write": write, "compare": compare}[sys.argv[1]](*map(Path, sys.argv[2:]))
