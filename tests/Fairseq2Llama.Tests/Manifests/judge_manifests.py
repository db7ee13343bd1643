"""Holds manifests against the files that they are of, and against what those were made from. Asked by ManifestJudge.cs.

    FILE     is a JSON list of checkpoints; prints what a manifest says otherwise, and how many were judged

Whole models are loaded by PyTorch; safetensors and GGUF files are taken apart by hand. Names and the order of rotary rows are those of Meta's, Hugging Face's
and llama.cpp's programs, so that no misunderstanding of ours can be on both sides.
"""

import hashlib
import json
import re
import struct
import sys
import zipfile
from pathlib import Path

import torch

# fairseq2's, Hugging Face's, llama.cpp's and Meta's names, and the dim along which Meta's model parallelism divides it.
OUTSIDE = [
    ("decoder_frontend.embed", "model.embed_tokens", "token_embd", "tok_embeddings", "any"),
    ("decoder.layer_norm", "model.norm", "output_norm", "norm", None),
    ("final_proj", "lm_head", "output", "output", 0),
]
IN_LAYER = [
    ("self_attn.q_proj", "self_attn.q_proj", "attn_q", "attention.wq", 0),
    ("self_attn.k_proj", "self_attn.k_proj", "attn_k", "attention.wk", 0),
    ("self_attn.v_proj", "self_attn.v_proj", "attn_v", "attention.wv", 0),
    ("self_attn.output_proj", "self_attn.o_proj", "attn_output", "attention.wo", 1),
    ("ffn.gate_proj", "mlp.gate_proj", "ffn_gate", "feed_forward.w1", 0),
    ("ffn.inner_proj", "mlp.up_proj", "ffn_up", "feed_forward.w3", 0),
    ("ffn.output_proj", "mlp.down_proj", "ffn_down", "feed_forward.w2", 1),
    ("self_attn_layer_norm", "input_layernorm", "attn_norm", "attention_norm", None),
    ("ffn_layer_norm", "post_attention_layernorm", "ffn_norm", "ffn_norm", None),
]
FAIRSEQ2, HUGGING_FACE, GGUF, META = range(4)
LAYERS = ["decoder.layers", "model.layers", "blk", "layers"]

SAFETENSORS = {"F64": torch.float64, "F32": torch.float32, "F16": torch.float16, "BF16": torch.bfloat16, "I64": torch.int64, "BOOL": torch.bool}
# Each type of ggml: its name, how many elements a block has, and how many bytes.
GGML = {0: ("float32", 1, 4), 1: ("float16", 1, 2), 8: ("q8_0", 32, 34), 30: ("bfloat16", 1, 2)}

OUTPUT, EMBEDDING = "output.weight", "tok_embeddings.weight"


def to_meta(name, convention):
    """Meta's name and the dim; the same name for what LLaMA does not have."""
    stem, _, kind = name.rpartition(".")
    match = re.fullmatch(re.escape(LAYERS[convention]) + r"\.(\d+)\.(.+)", stem)
    for row in IN_LAYER if match else OUTSIDE:
        if row[convention] == (match[2] if match else stem):
            return (f"layers.{match[1]}.{row[META]}.{kind}" if match else f"{row[META]}.{kind}"), row[4]
    return name, None


def unpermute(tensor, heads):
    """The inverse of what transformers' convert_llama_weights_to_hf.py does, for biases, too."""
    rows, rest = tensor.shape[0], tensor.shape[1:]
    return tensor.reshape(heads, 2, rows // heads // 2, *rest).transpose(1, 2).reshape(rows, *rest)


def data_of(tensor):
    return bytes(tensor.contiguous().flatten().view(torch.uint8).numpy()) if tensor.numel() else b""


def describe(tensor):
    return str(tensor.dtype).split(".")[1], list(tensor.shape), hashlib.sha256(data_of(tensor)).hexdigest()


def unwrap(content):
    return content["model"] if isinstance(content, dict) and isinstance(content.get("model"), dict) else content


def load_fairseq2(path):
    return {to_meta(name, FAIRSEQ2)[0]: (name, *describe(tensor)) for name, tensor in unwrap(torch.load(path)).items() if isinstance(tensor, torch.Tensor)}


def load_reference(folder):
    """As Hugging Face's convert_llama_weights_to_hf.py joins the files."""
    shards = [torch.load(file) for file in sorted(folder.glob("consolidated.*.pth"))]
    model = {}

    for name in shards[0]:
        # Meta's models have no biases, so that no loader would join any.
        parts, dim = [shard[name] for shard in shards], to_meta(name, META)[1] if name.endswith(".weight") else None
        if dim == "any":
            # The model dim is that of the norm. LLaMA 3 divides the vocabulary, those before it the model dim.
            dim = 0 if parts[0].shape[1] == len(shards[0]["norm.weight"]) else 1
        model[name] = (name, *describe(parts[0] if dim is None or len(parts) == 1 else torch.cat(parts, dim)))

    return model


def load_hugging_face(folder, case):
    model = {}

    for path in folder.glob("*.safetensors"):
        data = path.read_bytes()
        (length,) = struct.unpack("<Q", data[:8])
        header = json.loads(data[8:8 + length])
        header.pop("__metadata__", None)
        for key, entry in header.items():
            begin, end = entry["data_offsets"]
            dtype, shape = SAFETENSORS[entry["dtype"]], entry["shape"]
            content = bytearray(data[8 + length + begin:8 + length + end])
            tensor = torch.frombuffer(content, dtype=dtype).view(shape) if content else torch.empty(shape, dtype=dtype)
            for part, heads in (("self_attn.q_proj.", case["heads"]), ("self_attn.k_proj.", case["kv_heads"])):
                tensor = unpermute(tensor, heads) if part in key else tensor
            model[to_meta(key, HUGGING_FACE)[0]] = (key, *describe(tensor))

    return model


class GgufFile:
    SCALARS = {0: "B", 1: "b", 2: "H", 3: "h", 4: "I", 5: "i", 6: "f", 7: "?", 10: "Q", 11: "q", 12: "d"}

    def __init__(self, path):
        self.data, self.place = path.read_bytes(), 0
        magic, _, tensors, keys = self.take("4sIQQ")
        assert magic == b"GGUF"
        metadata = {self.text(): self.value(self.take("I")[0]) for _ in range(keys)}
        infos = [(self.text(), [self.take("Q")[0] for _ in range(self.take("I")[0])], *self.take("IQ")) for _ in range(tensors)]
        alignment = metadata.get("general.alignment", 32)
        begin = (self.place + alignment - 1) // alignment * alignment
        self.tensors = {}
        for name, dims, kind, offset in infos:
            dtype, block, size = GGML[kind]
            length = torch.Size(dims).numel() // block * size
            content = self.data[begin + offset:begin + offset + length]
            self.tensors[name] = (name, dtype, dims[::-1], hashlib.sha256(content).hexdigest())

    def take(self, form):
        values = struct.unpack_from("<" + form, self.data, self.place)
        self.place += struct.calcsize("<" + form)
        return values

    def text(self):
        (length,) = self.take("Q")
        self.place += length
        return self.data[self.place - length:self.place].decode()

    def value(self, kind):
        if kind == 8:
            return self.text()
        if kind == 9:
            inner, count = self.take("IQ")
            return [self.value(inner) for _ in range(count)]
        return self.take(self.SCALARS[kind])[0]


def load_gguf(folder):
    tensors = {}
    for path in folder.glob("*.gguf"):
        tensors |= GgufFile(path).tensors
    return {to_meta(name, GGUF)[0]: tensor for name, tensor in tensors.items() if name != "rope_freqs.weight"}


def load(folder, case):
    if any(folder.glob("*.gguf")):
        return load_gguf(folder)
    if any(folder.glob("*.safetensors")):
        return load_hugging_face(folder, case)
    return load_reference(folder) if any(folder.glob("consolidated.*.pth")) else load_fairseq2(folder / "model.pt")


def with_output(model):
    """Manifests have the output whether or not the files do."""
    return model if OUTPUT in model else {**model, OUTPUT: (None, *model[EMBEDDING][1:])}


def model_digest(model):
    lines = [f"{name} {dtype} [{', '.join(map(str, shape))}] {sha256}\n" for name, (_, dtype, shape, sha256) in model.items()]
    # The names are ASCII, so that these are in ordinal order.
    return hashlib.sha256("".join(sorted(lines, key=lambda line: line.split(" ")[0])).encode()).hexdigest()


def check_files(manifest, folder, name):
    said = {file["name"]: (file["annotations"]["length"], file["digest"]["sha256"]) for file in manifest["subject"]}
    found = {
        path.name: (path.stat().st_size, hashlib.sha256(path.read_bytes()).hexdigest())
        for path in folder.iterdir() if path.is_file() and path.name != name and path.name[0] != "."
    }
    if said != found:
        yield f"has the files {said} and not {found}"


def check_model(what, said_model, said_digest, model):
    model = with_output(model)
    if set(said_model) != set(model):
        yield f"has {what} {sorted(said_model)} and not {sorted(model)}"
        return
    yield from (f"has another {what} {name}: {said_model[name]} and not {model[name]}" for name in model if said_model[name] != model[name])
    if said_digest["sha256"] != model_digest(model):
        yield f"has another digest of {what}"


def check(case):
    path = Path(case["manifest"])
    folder = path.parent
    manifest = json.loads(path.read_text())
    predicate = manifest["predicate"]
    tensors = {tensor["name"]: tensor for tensor in predicate["tensors"]}
    yield from check_files(manifest, folder, path.name)
    model = load(folder, case)
    yield from check_model(
        "tensors",
        {name: (tensor.get("key"), tensor["dtype"], tensor["shape"], tensor["digest"]["sha256"]) for name, tensor in tensors.items()},
        predicate["model"]["digest"],
        model,
    )
    tied = tensors[OUTPUT].get("tiedTo")
    if (tied == EMBEDDING) != (OUTPUT not in model):
        yield f"says that the output is tied to {tied}"

    if case["source"] is None:
        return

    source = load_fairseq2(case["source"])
    if case["is_tied"]:
        # Under which of the two names it was read depends on whether the input has both.
        source[OUTPUT] = (tensors[OUTPUT]["source"]["key"], *source[EMBEDDING][1:])
    yield from check_model(
        "inputs",
        {name: (tensor["source"]["key"], tensor["source"]["dtype"], tensor["shape"], tensor["source"]["digest"]["sha256"]) for name, tensor in tensors.items()},
        predicate["source"]["digest"],
        source,
    )

    if case["source_folder"] is None:
        return

    # What zip says of the records; whatever is in one piece has the checksum of a record.
    files = [Path(case["source_folder"]) / file["name"] for file in predicate["source"]["files"]]
    yield from (f"gives {file['name']} another length" for file, path in zip(predicate["source"]["files"], files) if path.stat().st_size != file["annotations"]["length"])
    crcs = {f"{info.CRC:08x}" for path in files if zipfile.is_zipfile(path) for info in zipfile.ZipFile(path).infolist()}
    said = [tensor["source"]["crc32"] for tensor in tensors.values() if "crc32" in tensor["source"]]
    if not set(said) <= crcs or (case["has_crcs"] and len(said) < len(tensors)):
        yield f"has the checksums {said}"


cases = json.loads(Path(sys.argv[1]).read_text())

for case in cases:
    for what in check(case):
        print(f"{case['manifest']} {what}")

print(f"{len(cases)} judged")
