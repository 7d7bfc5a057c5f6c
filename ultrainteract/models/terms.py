"""What the terms of well-known models say about training on their outputs.

A short reading made in 2026 from the providers' published terms; it is no legal advice, and terms change: follow the
address. `publish.model_terms` replaces it for a model.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from typing import NamedTuple


class Terms(NamedTuple):
    """The terms of a family of models."""

    summary: str
    """What they say of outputs, in one sentence."""
    restrictive: bool
    """Whether they restrict training other models on outputs, or ask something of those who do."""


_OPENAI = "OpenAI: output must not be used to develop models that compete with OpenAI (openai.com/policies)"
_ANTHROPIC = "Anthropic: output must not be used to train competing models (anthropic.com/legal)"
_GOOGLE = "Google: output must not be used to develop competing models (ai.google.dev/gemini-api/terms)"
_LLAMA_NEW = "Llama license: a model trained on output must have a name that begins with 'Llama' (llama.com)"
_LLAMA_OLD = (
    "Llama 2 and 3 license: output must not be used to improve other large language models (llama.com)"
)
_GEMMA = "Gemma terms: models trained on output are derivatives, under the same use restrictions (ai.google.dev/gemma/terms)"
_KNOWN: tuple[tuple[str, Terms], ...] = (
    (r"gpt-oss", Terms("Apache-2.0: no restriction on outputs", False)),
    (r"(^|/)(gpt-|chatgpt|o[1-9](-|$)|davinci|text-davinci)", Terms(_OPENAI, True)),
    (r"claude", Terms(_ANTHROPIC, True)),
    (r"gemini|palm-2", Terms(_GOOGLE, True)),
    (r"gemma-?4", Terms("Apache-2.0: no restriction on outputs", False)),
    (r"gemma", Terms(_GEMMA, True)),
    (r"deepseek.*(r1|v3)|deepseek-(chat|reasoner)", Terms("DeepSeek: training on outputs, distillation included, is allowed", False)),
    (r"(code-?llama|llama-?2|meta-llama-3-|llama-3-)", Terms(_LLAMA_OLD, True)),
    (r"llama-?[34]", Terms(_LLAMA_NEW, True)),
    (r"command-[ar]|aya-", Terms("Cohere CC-BY-NC: non-commercial use alone (cohere.com)", True)),
    (r"codestral|mistral-large|pixtral-large|ministral-8b", Terms("Mistral research or non-production license: no commercial use (mistral.ai)", True)),
    (r"mistral-7b|mixtral|mathstral|mistral-nemo|mistral-small", Terms("Apache-2.0: no restriction on outputs", False)),
    (r"grok", Terms("xAI: output must not be used to train competing models (x.ai/legal)", True)),
    (r"qwen2(\.5)?-(72b|3b)|qwen2\.5-coder-3b", Terms("Qwen license: a model trained on output must say 'Built with Qwen' or 'Improved using Qwen'", True)),
    (r"qwen|qwq|smollm|olmo|phi-[3-9]|granite", Terms("Apache-2.0 or MIT: no restriction on outputs", False)),
)  # fmt: skip


def terms_of(model: str) -> Terms | None:
    """The terms of a model by its name at the provider; None where they are not known here.

    Example:
        >>> terms_of("openai/gpt-4o").restrictive, terms_of("Qwen/Qwen2.5-7B-Instruct").restrictive, terms_of("actor-8b")
        (True, False, None)
    """
    return next((terms for pattern, terms in _KNOWN if re.search(pattern, model, re.IGNORECASE)), None)


def restrictive_terms(models: Iterable[str]) -> list[str]:
    """A line for each of `models` whose terms restrict training on its outputs."""
    found = ((model, terms_of(model)) for model in dict.fromkeys(models))
    return [f"{model}: {terms.summary}" for model, terms in found if terms is not None and terms.restrictive]
