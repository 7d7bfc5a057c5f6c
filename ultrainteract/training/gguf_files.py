"""Between llama.cpp's files and checkpoints: a GGUF model becomes trainable, and a trained one runs in llama.cpp again.

Only the architecture `llama` is written. Tokenizer and hyperparameters are taken from the file that the model began as,
so that both forms of a model agree; `token_ids` asks llama.cpp, to compare.
"""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

from ultrainteract.errors import ConfigError, require

_SKIPPED = ("GGUF.", "general.architecture", "general.file_type", "general.quantization_version")


def to_checkpoint(weights: Path, folder: Path) -> Path:
    """Writes a GGUF model as a plain float32 checkpoint with its tokenizer; quantized weights are dequantized.

    Args:
        weights: The GGUF file.
        folder: Where to write.

    Raises:
        ConfigError: The extra `train` is not installed, or the file cannot be read.
    """
    for module in ("torch", "transformers", "gguf"):
        require(module, "train")
    import torch
    from transformers import AutoModelForCausalLM, AutoTokenizer, GgufConfig

    place = {"pretrained_model_name_or_path": str(weights.parent), "gguf_file": weights.name}
    try:
        model = AutoModelForCausalLM.from_pretrained(
            **place, dtype=torch.float32, quantization_config=GgufConfig(dequantize=True)
        )
        tokenizer = AutoTokenizer.from_pretrained(**place)
    except (OSError, ValueError) as error:
        raise ConfigError(f"{weights} cannot be made a checkpoint: {error}") from error
    model.save_pretrained(folder)
    tokenizer.save_pretrained(folder)
    return folder


def from_checkpoint(folder: Path, origin: Path, target: Path, kind: str = "F16") -> Path:
    """Writes a checkpoint as a GGUF file for llama.cpp.

    Args:
        folder: The checkpoint, trained from `origin`.
        origin: The GGUF file whose tokenizer and hyperparameters are taken.
        target: File to write.
        kind: Type of the weight matrices: `F32`, `F16` or `Q8_0`.

    Raises:
        ConfigError: The architecture is another one, or the checkpoint is not of `origin`'s shape.
    """
    for module in ("torch", "transformers", "gguf"):
        require(module, "train")
    import gguf
    import torch
    from transformers import AutoModelForCausalLM

    reader = gguf.GGUFReader(origin)
    architecture = reader.fields["general.architecture"].contents()
    if architecture != "llama":
        raise ConfigError(f"{origin} has the architecture {architecture}: only `llama` can be written.")
    model = AutoModelForCausalLM.from_pretrained(folder, dtype=torch.float32)
    config, state = model.config, model.state_dict()
    names = gguf.get_tensor_name_map(gguf.MODEL_ARCH.LLAMA, config.num_hidden_layers)
    shapes = {tensor.name: tuple(int(size) for size in reversed(tensor.shape)) for tensor in reader.tensors}
    writer = gguf.GGUFWriter(target, architecture)
    for field in reader.fields.values():
        if not field.name.startswith(_SKIPPED):
            listed = field.types[0] == gguf.GGUFValueType.ARRAY
            writer.add_key_value(
                field.name, field.contents(), field.types[0], field.types[-1] if listed else None
            )
    writer.add_file_type(getattr(gguf.LlamaFileType, "ALL_F32" if kind == "F32" else f"MOSTLY_{kind}"))
    writer.add_quantization_version(gguf.GGML_QUANT_VERSION)
    for name, tensor in state.items():
        if name == "lm_head.weight" and config.tie_word_embeddings:
            continue
        written = names.get_name(name, try_suffixes=(".weight",))
        weight: Any = tensor.numpy()
        if shapes.get(written) != weight.shape:
            raise ConfigError(
                f"{folder}: {name} is of the shape {weight.shape}, and {origin} has {shapes.get(written)} there: it "
                "was not trained from this file."
            )
        for part, heads in (("q_proj", config.num_attention_heads), ("k_proj", config.num_key_value_heads)):
            if part in name:  # llama.cpp keeps the two halves of a rotary pair side by side
                weight = weight.reshape(heads, 2, -1, weight.shape[-1]).swapaxes(1, 2).reshape(weight.shape)
        stored = gguf.GGMLQuantizationType.F32 if weight.ndim == 1 else gguf.GGMLQuantizationType[kind]
        writer.add_tensor(written, gguf.quants.quantize(weight, stored), raw_dtype=stored)
    writer.write_header_to_file()
    writer.write_kv_data_to_file()
    writer.write_tensors_to_file()
    writer.close()
    return target


def token_ids(weights: Path, texts: Sequence[str]) -> list[list[int]]:
    """The ids that llama.cpp gives texts; marks of the chat template in them count as such.

    Args:
        weights: The GGUF file.
        texts: The texts.

    Raises:
        ConfigError: xllamacpp is not installed.
    """
    require("xllamacpp", "llamacpp")
    import httpx2
    import xllamacpp

    parameters = xllamacpp.CommonParams()
    parameters.model.path = str(weights)
    parameters.n_ctx, parameters.n_parallel, parameters.warmup, parameters.verbosity = 256, 1, False, 0
    parameters.api_keys = ["local"]
    server = xllamacpp.Server(parameters)
    with httpx2.Client(
        base_url=server.listening_address, headers={"Authorization": "Bearer local"}
    ) as client:
        return [
            client.post("/tokenize", json={"content": text, "add_special": False, "parse_special": True})
            .raise_for_status()
            .json()["tokens"]
            for text in texts
        ]
