"""
What Meta's published loaders make of a params.json: their dataclasses, with the fields and defaults of llama/model.py of
meta-llama/llama and meta-llama/llama3, and of models/llama3/args.py of meta-llama/llama-models, which drops the keys that it does not know.
"""

import json
import sys
from dataclasses import dataclass
from typing import Optional


@dataclass
class Llama:
    dim: int = 4096
    n_layers: int = 32
    n_heads: int = 32
    n_kv_heads: Optional[int] = None
    vocab_size: int = -1
    multiple_of: int = 256
    ffn_dim_multiplier: Optional[float] = None
    norm_eps: float = 1e-5
    max_batch_size: int = 32
    max_seq_len: int = 2048


@dataclass
class Llama3(Llama):
    rope_theta: float = 500000


@dataclass(init=False)
class LlamaModels(Llama3):
    use_scaled_rope: bool = False

    def __init__(self, **kwargs):
        for key, value in kwargs.items():
            if hasattr(self, key):
                setattr(self, key, value)


with open(sys.argv[1]) as file:
    params = json.load(file)

for loader in Llama, Llama3, LlamaModels:
    try:
        args = loader(max_seq_len=512, max_batch_size=4, **params)
    except TypeError:
        print("refused")
    else:
        # precompute_freqs_cis of meta-llama/llama has this base of its own; the factor is a constant of meta-llama/llama-models, too.
        scaled = " scaled by 8" if getattr(args, "use_scaled_rope", False) else ""
        print(f"{args.dim} wide, {args.vocab_size} words, {getattr(args, 'rope_theta', 10000.0):g}{scaled}")
