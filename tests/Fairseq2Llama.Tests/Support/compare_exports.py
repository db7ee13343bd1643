"""Holds exports of any format against the whole model of fairseq2 that they were made of. Asked by ExportComparison.cs.

    FILE     is a JSON list of what was exported where; prints what differs, and how many were compared

Safetensors files are taken apart by hand, and names and the order of rotary rows are those of Hugging Face's programs, so that no
misunderstanding of ours can be on both sides.
"""

import json
import struct
import sys
from pathlib import Path

import torch

EMBED, OUTPUT = "decoder_frontend.embed.", "final_proj."

# fairseq2's, Hugging Face's and Meta's names, and the dim along which model parallelism divides it.
OUTSIDE = [
    (EMBED, "model.embed_tokens.", "tok_embeddings.", "any"),
    ("decoder.layer_norm.", "model.norm.", "norm.", None),
    (OUTPUT, "lm_head.", "output.", 0),
]
IN_LAYER = [
    ("self_attn.q_proj.", "self_attn.q_proj.", "attention.wq.", 0),
    ("self_attn.k_proj.", "self_attn.k_proj.", "attention.wk.", 0),
    ("self_attn.v_proj.", "self_attn.v_proj.", "attention.wv.", 0),
    ("self_attn.output_proj.", "self_attn.o_proj.", "attention.wo.", 1),
    ("ffn.gate_proj.", "mlp.gate_proj.", "feed_forward.w1.", 0),
    ("ffn.inner_proj.", "mlp.up_proj.", "feed_forward.w3.", 0),
    ("ffn.output_proj.", "mlp.down_proj.", "feed_forward.w2.", 1),
    ("self_attn_layer_norm.", "input_layernorm.", "attention_norm.", None),
    ("ffn_layer_norm.", "post_attention_layernorm.", "ffn_norm.", None),
]

DTYPES = {"F64": torch.float64, "F32": torch.float32, "F16": torch.float16, "BF16": torch.bfloat16}


def names_of(name):
    """Hugging Face's and Meta's name, and the dim."""
    if name.startswith("decoder.layers."):
        layer, rest = name[len("decoder.layers."):].split(".", 1)
        ours, theirs, metas, dim = next(row for row in IN_LAYER if rest.startswith(row[0]))
        return f"model.layers.{layer}.{theirs}{rest[len(ours):]}", f"layers.{layer}.{metas}{rest[len(ours):]}", dim
    ours, theirs, metas, dim = next(row for row in OUTSIDE if name.startswith(row[0]))
    return theirs + name[len(ours):], metas + name[len(ours):], dim


def bits(tensor):
    return tensor.contiguous().flatten().view(torch.uint8)


def same(actual, expected):
    return actual.dtype == expected.dtype and actual.shape == expected.shape and torch.equal(bits(actual), bits(expected))


def permute(tensor, heads):
    """transformers' convert_llama_weights_to_hf.py, for biases, too."""
    rows, rest = tensor.shape[0], tensor.shape[1:]
    return tensor.reshape(heads, rows // heads // 2, 2, *rest).transpose(1, 2).reshape(rows, *rest)


def load_original(case):
    model = dict(torch.load(case["original"]))
    if case["is_tied"]:
        model[f"{OUTPUT}weight"] = model[f"{EMBED}weight"]
    if case["dtype"] is not None:
        model = {name: tensor.to(getattr(torch, case["dtype"])) for name, tensor in model.items()}
    return model, same(model[f"{OUTPUT}weight"], model[f"{EMBED}weight"])


def read_safetensors(path):
    """Tensors by name, and what is wrong with the file."""
    data = path.read_bytes()
    (length,) = struct.unpack("<Q", data[:8])
    header = json.loads(data[8:8 + length])
    wrong = [] if header.pop("__metadata__", None) == {"format": "pt"} else ["says nothing of PyTorch"]
    wrong += ["has a header that leaves data unaligned"] if length % 8 else []
    tensors, place = {}, 0

    for name, entry in sorted(header.items(), key=lambda item: item[1]["data_offsets"]):
        begin, end = entry["data_offsets"]
        dtype, shape = DTYPES[entry["dtype"]], entry["shape"]
        count = torch.Size(shape).numel()
        size = torch.empty(0, dtype=dtype).element_size()
        if begin != place or end - begin != count * size or begin % size:
            wrong.append(f"has {name} at {begin} to {end}")
        tensors[name] = torch.frombuffer(bytearray(data[8 + length + begin:8 + length + end]), dtype=dtype).view(shape)
        place = end

    return tensors, wrong + ([] if len(data) == 8 + length + place else ["is of another length than its header says"])


def divide(order, model, max_size):
    """huggingface_hub's split_state_dict_into_shards_factory."""
    shards, current, current_size = [], [], 0
    for name in order:
        size = model[name].numel() * model[name].element_size()
        if size > max_size:
            shards.append([name])
            continue
        if current_size + size > max_size:
            shards.append(current)
            current, current_size = [], 0
        current.append(name)
        current_size += size
    return shards + ([current] if current else [])


def module_order(name):
    """As LlamaForCausalLM's state_dict() has them; a linear layer's weight comes before its bias."""
    parts = name.split(".")
    if "layers" in parts:
        rest = name.split(".", 3)[3]
        return 1, int(parts[2]), next(place for place, row in enumerate(IN_LAYER) if rest.startswith(row[1])), parts[-1] == "bias"
    return {"model.embed_tokens.weight": 0, "model.norm.weight": 2, "lm_head.weight": 3}[name], 0, 0, False


def check_hugging_face(folder, case, model, tied):
    heads = {"q_proj": case["heads"], "k_proj": case["kv_heads"]}
    expected = {
        names_of(name)[0]: next((permute(tensor, count) for part, count in heads.items() if part in name), tensor)
        for name, tensor in model.items()
        if not (tied and name.startswith(OUTPUT))
    }

    shards = divide(sorted(expected, key=module_order), expected, case["max_size"])
    files = ["model.safetensors"] if len(shards) == 1 else [f"model-{number + 1:05}-of-{len(shards):05}.safetensors" for number in range(len(shards))]
    found = sorted(path.name for path in folder.glob("model*"))
    if found != sorted(files + (["model.safetensors.index.json"] if len(files) > 1 else [])):
        yield f"has {found}"
        return

    for file, names in zip(files, shards):
        tensors, wrong = read_safetensors(folder / file)
        yield from (f"{file} {what}" for what in wrong)
        if sorted(tensors) != sorted(names):
            yield f"{file} has {sorted(tensors)} and not {sorted(names)}"
        yield from (f"{file} has another {name}" for name in names if name in tensors and not same(tensors[name], expected[name]))

    if len(files) > 1:
        index = json.loads((folder / "model.safetensors.index.json").read_text())
        if index["weight_map"] != {name: file for file, names in zip(files, shards) for name in names}:
            yield "has an index of other files"
        if index["metadata"]["total_size"] != sum(tensor.numel() * tensor.element_size() for tensor in expected.values()):
            yield f"has a total_size of {index['metadata']['total_size']}"

    yield from check_config(json.loads((folder / "config.json").read_text()), case, model, tied)


def check_config(config, case, model, tied):
    vocab, dim = model[f"{EMBED}weight"].shape
    told = {
        "architectures": ["LlamaForCausalLM"],
        "model_type": "llama",
        "hidden_size": dim,
        "intermediate_size": len(model["decoder.layers.0.ffn.gate_proj.weight"]),
        "num_hidden_layers": sum(name.endswith(".ffn.gate_proj.weight") for name in model),
        "num_attention_heads": case["heads"],
        "num_key_value_heads": case["kv_heads"],
        "head_dim": dim // case["heads"],
        "vocab_size": vocab,
        "tie_word_embeddings": tied,
        "torch_dtype": str(model[f"{EMBED}weight"].dtype).split(".")[1],
        "attention_bias": any(name.endswith("self_attn.q_proj.bias") for name in model),
        "mlp_bias": False,
    }
    yield from (f"says that {key} is {config.get(key)} and not {value}" for key, value in told.items() if config.get(key) != value)


def check_reference(folder, model):
    files = sorted(folder.glob("*.pth"))
    shards = [torch.load(file, weights_only=True) for file in files]
    expected = {names_of(name)[1]: (tensor, names_of(name)[2]) for name, tensor in model.items()}

    for file, shard in zip(files, shards):
        if set(shard) != set(expected):
            yield f"{file.name} has {sorted(shard)}"
            return

    for name, (tensor, dim) in expected.items():
        parts = [shard[name] for shard in shards]
        if dim == "any":
            dim = 0 if parts[0].shape[1] == tensor.shape[1] else 1
        joined = parts[0] if dim is None or len(parts) == 1 else torch.cat(parts, dim)
        if not same(joined, tensor) or (dim is None and not all(same(part, tensor) for part in parts)):
            yield f"has another {name}"


def check_fairseq2(folder, model):
    found = torch.load(folder / "model.pt", weights_only=True)["model"]
    if set(found) != set(model):
        yield f"has {sorted(found)}"
    yield from (f"has another {name}" for name in model if name in found and not same(found[name], model[name]))


def check(case):
    model, tied = load_original(case)
    folder = Path(case["folder"])
    if (folder / "config.json").exists():
        yield from check_hugging_face(folder, case, model, tied)
    elif (folder / "params.json").exists():
        yield from check_reference(folder, model)
    else:
        yield from check_fairseq2(folder, model)


cases = json.loads(Path(sys.argv[1]).read_text())

for case in cases:
    for what in check(case):
        print(f"{case['folder']} {what}")

print(f"{len(cases)} compared")
