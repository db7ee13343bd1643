"""What PyTorch makes of models that are merged. Asked by MergeModels.cs and PyTorchMerge.cs.

    write FOLDER                     FOLDER/KIND-N/model.pt: models of fairseq2, three of each kind
    average EXPECTED WEIGHTS FILE..  EXPECTED: the average of the files, by the formula that the module documents
    peft FOLDER BASE EXPECTED SPEC   FOLDER/adapter_model.*: an adapter for BASE; EXPECTED: BASE with it
    native FOLDER BASE EXPECTED SPEC FOLDER/whole.pt and adapter.pt: BASE with a LoRA of fairseq2 in it, and only the LoRA; EXPECTED: BASE with it merged
    compare EXPECTED FILE ULPS       prints what differs by more than so many units in the last place; 0 compares bits, but for the payload of NaNs

SPEC is JSON: see PyTorchMerge.cs.
"""

import json
import struct
import sys
from pathlib import Path

import torch

DIM, HEADS, KV_HEADS, FFN, LAYERS, VOCAB = 64, 4, 2, 96, 2, 40
EMBED, OUTPUT = "decoder_frontend.embed", "final_proj"

BITS = {torch.float16: torch.int16, torch.bfloat16: torch.int16, torch.float32: torch.int32}
SAFETENSORS = {torch.float16: "F16", torch.bfloat16: "BF16", torch.float32: "F32"}

# Hugging Face's and fairseq2's names of modules.
OUTSIDE = {"model.embed_tokens": EMBED, "model.norm": "decoder.layer_norm", "lm_head": OUTPUT}
IN_LAYER = {
    "self_attn.q_proj": "self_attn.q_proj",
    "self_attn.k_proj": "self_attn.k_proj",
    "self_attn.v_proj": "self_attn.v_proj",
    "self_attn.o_proj": "self_attn.output_proj",
    "mlp.gate_proj": "ffn.gate_proj",
    "mlp.up_proj": "ffn.inner_proj",
    "mlp.down_proj": "ffn.output_proj",
    "input_layernorm": "self_attn_layer_norm",
    "post_attention_layernorm": "ffn_layer_norm",
}


def fairseq2_name(name):
    if name in OUTSIDE:
        return OUTSIDE[name]
    layer, rest = name.removeprefix("model.layers.").split(".", 1)
    return f"decoder.layers.{layer}.{IN_LAYER[rest]}"


def finite(shape, dtype, generator):
    return (torch.randn(shape, generator=generator) * 0.3).to(dtype)


def special(shape, dtype, generator):
    """Every tenth number is one that arithmetic treats in another way than most."""
    info = torch.finfo(dtype)
    rare = torch.tensor(
        [0.0, -0.0, info.tiny, -info.tiny, info.tiny / 4, -info.tiny / 8, info.max, info.min, float("inf"), float("-inf"), float("nan"), 1 + info.eps], dtype=torch.float64
    ).to(dtype)
    numbers = finite(shape, dtype, generator)
    chosen = rare[torch.randint(len(rare), shape, generator=generator)]
    return torch.where(torch.rand(shape, generator=generator) < 0.1, chosen, numbers)


def new_model(dtype, norm_dtype, fill, seed):
    generator = torch.Generator().manual_seed(seed)
    kv_dim = DIM // HEADS * KV_HEADS
    model = {f"{EMBED}.weight": fill((VOCAB, DIM), dtype, generator)}
    for layer in range(LAYERS):
        prefix = f"decoder.layers.{layer}."
        for name, rows, columns in (
            ("self_attn.q_proj", DIM, DIM),
            ("self_attn.k_proj", kv_dim, DIM),
            ("self_attn.v_proj", kv_dim, DIM),
            ("self_attn.output_proj", DIM, DIM),
            ("ffn.gate_proj", FFN, DIM),
            ("ffn.inner_proj", FFN, DIM),
            ("ffn.output_proj", DIM, FFN),
        ):
            model[f"{prefix}{name}.weight"] = fill((rows, columns), dtype, generator)
        for name in ("self_attn_layer_norm", "ffn_layer_norm"):
            model[f"{prefix}{name}.weight"] = fill((DIM,), norm_dtype, generator)
    model["decoder.layer_norm.weight"] = fill((DIM,), norm_dtype, generator)
    model[f"{OUTPUT}.weight"] = fill((VOCAB, DIM), dtype, generator)
    return model


def write(folder):
    for seed in range(3):
        for dtype in (torch.bfloat16, torch.float16, torch.float32):
            name = str(dtype).removeprefix("torch.")
            save(new_model(dtype, dtype, finite, seed), folder / f"{name}-{seed}" / "model.pt")
            save(new_model(dtype, dtype, special, seed), folder / f"special-{name}-{seed}" / "model.pt")
        save(new_model(torch.bfloat16, torch.float32, finite, seed), folder / f"norms-{seed}" / "model.pt")
        tied = new_model(torch.bfloat16, torch.bfloat16, finite, seed)
        save({**tied, f"{OUTPUT}.weight": tied[f"{EMBED}.weight"]}, folder / f"tied-{seed}" / "model.pt")


def save(model, path):
    path.parent.mkdir(parents=True, exist_ok=True)
    torch.save(model, str(path))


def load(path):
    model = torch.load(path)
    return model.get("model", model)


def result_type(tensors):
    types = {tensor.dtype for tensor in tensors}
    return types.pop() if len(types) == 1 else torch.float32


def average(expected, weights, *files):
    weights = json.loads(weights)
    models = [load(file) for file in files]
    result = {}
    for name in models[0]:
        tensors = [model[name] for model in models]
        acc = tensors[0].float() * weights[0]
        for tensor, weight in zip(tensors[1:], weights[1:]):
            acc = acc + tensor.float() * weight
        result[name] = (acc / sum(weights)).to(result_type(tensors))
    save(result, Path(expected))


def numbers(shape, dtype, exact, generator):
    """Exact numbers are multiples of 1/8 so small that sums of their products are never rounded, in whatever order they are made."""
    values = torch.randint(-8, 9, shape, generator=generator) / 8 if exact else torch.randn(shape, generator=generator) * 0.2
    return values.to(dtype)


def rotary_heads(name):
    return HEADS if name.endswith("q_proj") else KV_HEADS if name.endswith("k_proj") else None


def to_hugging_face(tensor, heads):
    rows = len(tensor)
    return tensor.view(heads, rows // heads // 2, 2, -1).transpose(1, 2).reshape(rows, -1)


def to_fairseq2(tensor, heads):
    rows = len(tensor)
    return tensor.view(heads, 2, rows // heads // 2, -1).transpose(1, 2).reshape(rows, -1)


def merged(weight, a, b, scale, is_embedding):
    product = (b.float() @ a.float()) * scale
    return (weight.float() + (product.T if is_embedding else product)).to(weight.dtype)


def matrices(weight, module, spec, generator):
    rows, columns = (weight.shape[1], weight.shape[0]) if module["name"] in ("model.embed_tokens", EMBED) else weight.shape
    dtype = getattr(torch, spec["dtype"])
    return numbers((module["rank"], columns), dtype, spec["exact"], generator), numbers((rows, module["rank"]), dtype, spec["exact"], generator)


def peft(folder, base, expected, spec):
    spec = json.loads(spec)
    generator = torch.Generator().manual_seed(7)
    model, adapter, types = dict(load(base)), {}, {}
    for name in spec["replaced"]:
        ours = fairseq2_name(name) + ".weight"
        replacement = finite(model[ours].shape, getattr(torch, spec["dtype"]), generator)
        adapter[f"{spec['prefix']}{name}{spec['replaced_suffix']}"] = replacement
        heads = rotary_heads(name)
        types[ours] = model[ours].dtype
        model[ours] = to_fairseq2(replacement, heads) if heads else replacement
    for module in spec["modules"]:
        name = module["name"]
        ours, heads, is_embedding = fairseq2_name(name) + ".weight", rotary_heads(name), name == "model.embed_tokens"
        a, b = matrices(model[ours], module, spec, generator)
        suffixes = ("lora_embedding_A", "lora_embedding_B") if is_embedding else ("lora_A.weight", "lora_B.weight")
        adapter |= {f"{spec['prefix']}{name}.{suffix}": matrix for suffix, matrix in zip(suffixes, (a, b))}
        weight = to_hugging_face(model[ours], heads) if heads else model[ours]
        weight = merged(weight.float() if ours in types else weight, a, b, module["scale"], is_embedding)
        model[ours] = to_fairseq2(weight, heads) if heads else weight
    # What is replaced and adapted is rounded once.
    model = {name: tensor.to(types.get(name, tensor.dtype)) for name, tensor in model.items()}
    folder = Path(folder)
    folder.mkdir(parents=True, exist_ok=True)
    if spec["file"] == "adapter_model.bin":
        torch.save(adapter, str(folder / spec["file"]))
    else:
        save_safetensors(adapter, folder / spec["file"])
    save(model, Path(expected))


def save_safetensors(tensors, path):
    header, place, data = {"__metadata__": {"format": "pt"}}, 0, []
    for name, tensor in tensors.items():
        content = tensor.contiguous().view(BITS[tensor.dtype]).numpy().tobytes()
        header[name] = {"dtype": SAFETENSORS[tensor.dtype], "shape": list(tensor.shape), "data_offsets": [place, place + len(content)]}
        place += len(content)
        data.append(content)
    text = json.dumps(header).encode()
    text += b" " * (-len(text) % 8)
    path.write_bytes(struct.pack("<Q", len(text)) + text + b"".join(data))


def native(folder, base, expected, spec):
    spec = json.loads(spec)
    generator = torch.Generator().manual_seed(8)
    model = load(base)
    whole, result, lora = dict(model), dict(model), {}
    for module in spec["modules"]:
        name = module["name"]
        weight = model[f"{name}.weight"]
        a, b = matrices(weight, module, spec, generator)
        lora |= {f"{name}.lora_A": a, f"{name}.lora_B": b}
        # As nn.Module.state_dict() gives a parameter that two modules have.
        whole[f"{name}.wrapped.weight"] = weight
        result[f"{name}.weight"] = merged(weight, a, b, module["scale"], name == EMBED)
    save({"model": {**whole, **lora}}, Path(folder) / "whole.pt")
    save({"model": lora}, Path(folder) / "adapter.pt")
    save(result, Path(expected))


def ordered(tensor):
    """Neighbouring numbers are neighbouring integers."""
    bits = tensor.contiguous().view(BITS[tensor.dtype]).long()
    limit = torch.iinfo(BITS[tensor.dtype]).min
    return torch.where(bits < 0, limit - bits, bits)


def compare(expected, file, ulps):
    expected, actual, ulps = load(expected), load(file), int(ulps)
    if set(expected) != set(actual):
        print("has", sorted(set(actual) ^ set(expected)))
    for name in sorted(set(expected) & set(actual)):
        left, right = expected[name], actual[name]
        if left.dtype != right.dtype or left.shape != right.shape:
            print(f"{name} is {right.dtype} {list(right.shape)} and not {left.dtype} {list(left.shape)}")
            continue
        both = left.isnan() & right.isnan()
        if ulps == 0:
            different = (left.contiguous().view(BITS[left.dtype]) != right.contiguous().view(BITS[left.dtype])) & ~both
        else:
            different = ((ordered(left) - ordered(right)).abs() > ulps) & ~both
        if different.any():
            print(f"{name} differs in {int(different.sum())} of {left.numel()}: {left[different][:3].tolist()} and {right[different][:3].tolist()}")
    print(f"{len(expected)} compared")


if sys.argv[1] == "write":
    write(Path(sys.argv[2]))
else:
    {"average": average, "peft": peft, "native": native, "compare": compare}[sys.argv[1]](*sys.argv[2:])
