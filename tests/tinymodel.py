"""A tiny Llama with random weights, its tokenizer and a chat template: a real model made on the spot, in seconds.

Run as a program it writes the model to the folder it is given.
"""

from __future__ import annotations

import json
import random
import string
import sys
from pathlib import Path
from typing import NamedTuple

CHAT_TEMPLATE = (
    "{% for message in messages %}"
    "{{ '<|' + message['role'] + '|>' }}{{ message['content'] }}{{ '<|end|>' }}"
    "{% endfor %}"
    "{% if add_generation_prompt %}{{ '<|assistant|>' }}{% endif %}"
)
SPECIAL = ("<|end|>", "<|system|>", "<|user|>", "<|assistant|>")
VOCABULARY = 1024


class Shape(NamedTuple):
    """Size of the network."""

    hidden: int = 64
    layers: int = 2
    heads: int = 2
    kv_heads: int = 1
    intermediate: int = 128


TINY = Shape()


def build_tiny_model(
    folder: Path, *, shape: Shape = TINY, positions: int = 2048, weights: bool = True, seed: int = 0
) -> Path:
    """Writes a model that `transformers` and vLLM load.

    Args:
        folder: Where to; made if it is missing.
        shape: Size of the network.
        positions: Longest context, tokens.
        weights: False leaves them to the loader (vLLM: `load_format: dummy`).
        seed: Seed of the weights.

    Returns:
        The folder.
    """
    folder.mkdir(parents=True, exist_ok=True)
    _write_tokenizer(folder)
    config = _config(shape, positions)
    if weights:
        import torch
        from transformers import LlamaForCausalLM

        torch.manual_seed(seed)
        LlamaForCausalLM(config).save_pretrained(folder)
    else:
        config.save_pretrained(folder)
    return folder


def _config(shape: Shape, positions: int):  # type: ignore[no-untyped-def]
    from transformers import LlamaConfig

    return LlamaConfig(
        vocab_size=VOCABULARY,
        hidden_size=shape.hidden,
        intermediate_size=shape.intermediate,
        num_hidden_layers=shape.layers,
        num_attention_heads=shape.heads,
        num_key_value_heads=shape.kv_heads,
        head_dim=shape.hidden // shape.heads,
        max_position_embeddings=positions,
        bos_token_id=0,
        eos_token_id=0,
        pad_token_id=0,
        initializer_range=0.2,  # large enough that the next token depends on the context
        tie_word_embeddings=False,
        architectures=["LlamaForCausalLM"],
        dtype="float32",
    )


def _write_tokenizer(folder: Path) -> None:
    from tokenizers import Tokenizer, decoders, models, pre_tokenizers, trainers
    from transformers import PreTrainedTokenizerFast

    tokenizer = Tokenizer(models.BPE())
    tokenizer.pre_tokenizer = pre_tokenizers.ByteLevel(add_prefix_space=False)
    tokenizer.decoder = decoders.ByteLevel()
    trainer = trainers.BpeTrainer(
        vocab_size=VOCABULARY,
        special_tokens=list(SPECIAL),
        initial_alphabet=pre_tokenizers.ByteLevel.alphabet(),
        show_progress=False,
    )
    rng = random.Random(0)
    words = ("".join(rng.choices(string.ascii_lowercase, k=rng.randint(2, 6))) for _ in range(4000))
    tokenizer.train_from_iterator((f" {word}" for word in words), trainer)
    fast = PreTrainedTokenizerFast(tokenizer_object=tokenizer, eos_token="<|end|>", bos_token="<|end|>")
    fast.chat_template = CHAT_TEMPLATE
    fast.save_pretrained(folder)
    known = json.loads((folder / "tokenizer.json").read_text(encoding="utf-8"))["model"]["vocab"]
    if len(known) > VOCABULARY:
        raise AssertionError(f"the tokenizer has {len(known)} tokens, the network {VOCABULARY}")


if __name__ == "__main__":
    print(build_tiny_model(Path(sys.argv[1])))
