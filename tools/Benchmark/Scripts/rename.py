"""What one does with nothing but PyTorch: load, rename, save.

    rename.py <model.pt> <consolidated.00.pth> default|mmap
"""

import sys

import torch

NAMES = {
    "decoder_frontend.embed": "tok_embeddings",
    "self_attn.q_proj": "attention.wq",
    "self_attn.k_proj": "attention.wk",
    "self_attn.v_proj": "attention.wv",
    "self_attn.output_proj": "attention.wo",
    "self_attn_layer_norm": "attention_norm",
    "ffn.gate_proj": "feed_forward.w1",
    "ffn.output_proj": "feed_forward.w2",
    "ffn.inner_proj": "feed_forward.w3",
    "ffn_layer_norm": "ffn_norm",
    "decoder.layer_norm": "norm",
    "final_proj": "output",
}


def rename(name):
    module = name[: -len(".weight")]
    if module.startswith("decoder.layers."):
        layer, module = module[len("decoder.layers.") :].split(".", 1)
        return f"layers.{layer}.{NAMES[module]}.weight"
    return f"{NAMES[module]}.weight"


source, target, mode = sys.argv[1:]
options = {"mmap": True} if mode == "mmap" else {}
checkpoint = torch.load(source, map_location="cpu", weights_only=True, **options)
model = checkpoint[checkpoint["model_key"]]
torch.save({rename(name): weight for name, weight in model.items()}, target)
