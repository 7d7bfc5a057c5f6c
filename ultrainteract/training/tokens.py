"""A stage's rows as the data set of token ids that its trainer gets, and the plan that says what was dropped or cut.

TRL cuts and drops without a word; here it is done before, and counted. What a trainer is given needs no further
preparation.
"""

from __future__ import annotations

import math
from collections import Counter, defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from ultrainteract.config.training import KtoStage, Stage, StageConfig
from ultrainteract.errors import ConfigError, DataError
from ultrainteract.exporting.order import spread
from ultrainteract.schema import content_hash
from ultrainteract.training.encoding import Encoder
from ultrainteract.training.plan import Lengths, TrainPlan
from ultrainteract.training.rows import StageRows

_SIDES: dict[Stage, tuple[str, ...]] = {
    "sft": ("completion_ids",),
    "kto": ("completion_ids",),
    "dpo": ("chosen_ids", "rejected_ids"),
    "nca": ("chosen_ids", "rejected_ids"),
    "reward": ("chosen_ids", "rejected_ids"),
}
_IGNORED = -100
"""Label of a token that carries no loss."""


@dataclass(frozen=True)
class Prepared:
    """What a trainer is given."""

    train: Any
    """`datasets.Dataset`."""
    validation: Any
    """The same for the validation split; None where there is none."""
    plan: TrainPlan
    """What is in them."""


def tokenize(
    stage: Stage,
    section: StageConfig,
    rows: StageRows,
    encoder: Encoder,
    *,
    cache: Path,
    context: int,
    start: str,
    seed: int,
) -> Prepared:
    """Turns a stage's rows into what its trainer is given.

    Args:
        stage: The stage.
        section: Its settings.
        rows: Its rows.
        encoder: The tokenizer with the chat template.
        cache: Folder of the token ids, which are read from there as long as the result is used: memory stays flat.
        context: Longest context of the model, tokens.
        start: What the plan calls the model.
        seed: Orders the rows of KTO, which TRL takes as they come.

    Raises:
        ConfigError: The template does not keep prompts, or `max_length` is beyond the model's context.
        DataError: No row is left.
    """
    if section.max_length is not None and section.max_length > context:
        raise ConfigError(
            f"{stage}.max_length is {section.max_length}, the model's context {context} tokens."
        )
    sides = _SIDES[stage]
    encoded, refusals = _encoded(stage, rows.files, encoder, section.limit, cache / "train", seed)
    if not len(encoded):
        raise DataError(f"{refusals[0]} So it is with all {len(refusals):,} rows.")
    totals = _totals(stage, encoded)
    held_out, held_out_refusals, held_out_totals = None, list[str](), list[list[int]]()
    if rows.validation:
        held_out, held_out_refusals = _encoded(
            stage, rows.validation, encoder, None, cache / "validation", seed
        )
        held_out_totals = _totals(stage, held_out)
    prompts = [len(ids) for ids in encoded["prompt_ids"]]
    max_length = section.max_length or min(context, max(map(max, totals + held_out_totals)))
    fitted, dropped, cut = _fitted(stage, section, encoded, totals, max_length)
    dropped = rows.left_out.counts + _refused(refusals) + dropped
    if not len(fitted):
        raise DataError(f"No row is left (max_length is {max_length}): {_told(dropped)}.")
    longest = max(fitted, key=lambda row: sum(len(row[side]) for side in sides) + len(row["prompt_ids"]))
    validation, validation_dropped = None, rows.validation_left_out.counts + _refused(held_out_refusals)
    if held_out is not None:
        held_out, unfit, _ = _fitted(stage, section, held_out, held_out_totals, max_length)
        validation = _for_trainer(stage, section, held_out)[0] if len(held_out) else None
        validation_dropped += unfit
    train, neighbours = _for_trainer(stage, section, fitted)
    steps = section.max_steps or math.ceil(math.ceil(len(train) / section.batch_size) * section.epochs)
    learned = sum(len(row[side]) for row in fitted for side in sides)
    warnings = []
    if not encoder.ends_answers:
        warnings.append(
            "The chat template ends no answer with the end-of-sequence token: the model does not learn to stop."
        )
    warnings += [
        f"rows left out{of}: {left_out.told()}."
        for of, left_out in (("", rows.left_out), (" of the validation split", rows.validation_left_out))
        if left_out.counts
    ]
    warnings += [f"{len(refusals):,} rows left out: {refusals[0]}"] if refusals else []
    warnings += [f"{origin}: none of its rows is used." for origin, count in rows.counts.items() if not count]
    if cut:
        warnings.append(f"{cut} completions are cut at {max_length} tokens: their end is not learned.")
    kinds = _kinds(stage, fitted)
    if stage == "kto" and 0 in kinds.values():
        warnings.append(
            f"All rows are {'wanted' if kinds['wanted'] else 'unwanted'}: KTO learns from the difference between "
            "wanted and unwanted ones."
        )
    if both := _with_both_labels(fitted) if stage == "kto" else 0:
        warnings.append(
            f"{both} completions are wanted in one row and unwanted in another, as those that are better than one "
            "answer and worse than the next."
        )
    if neighbours:
        warnings.append(
            f"{neighbours} rows estimate KTO's KL term from a completion of their own prompt: there are "
            "too few prompts."
        )
    return Prepared(
        train,
        validation,
        TrainPlan(
            stage=stage,
            start=start,
            rows=rows.counts,
            kinds=kinds,
            kept=len(train),
            validation=len(validation) if validation is not None else 0,
            validation_dropped=dict(validation_dropped),
            dropped=dict(dropped),
            cut=cut,
            max_length=max_length,
            lengths={
                "prompt": _summary(prompts),
                **{
                    side.removesuffix("_ids"): _summary([len(ids) for ids in encoded[side]]) for side in sides
                },
                "row": _summary(list(map(max, totals))),
            },
            tokens=learned + sum(len(row["prompt_ids"]) * len(sides) for row in fitted),
            learned_tokens=learned if stage != "reward" else 0,
            steps=steps,
            batch_size=section.batch_size,
            same_prompt_neighbours=neighbours,
            example="\n".join(encoder.marked(longest["prompt_ids"], longest[side]) for side in sides),
            warnings=tuple(warnings),
        ),
    )


def _encoded(
    stage: Stage, files: Sequence[Path], encoder: Encoder, limit: int | None, cache: Path, seed: int
) -> tuple[Any, list[str]]:
    """The rows' token ids; and why the chat template refuses others."""
    import datasets

    data = datasets.Dataset.from_parquet([str(file) for file in files], cache_dir=str(cache))
    if limit is not None and limit < len(data):
        drawn = sorted(range(len(data)), key=lambda place: content_hash(["limit", data[place]["prompt"]]))
        data = data.select(sorted(drawn[:limit]))
    if stage == "kto":  # TRL shuffles every other stage's rows by the seed
        asked = [content_hash([seed, _problem(prompt)]) for prompt in data["prompt"]]
        data = data.select(list(spread((problem, place) for place, problem in enumerate(asked))))
    numbers = datasets.Sequence(datasets.Value("int64"))
    flags = {"kto": ("label",), "reward": ("direct", "augmented")}.get(stage, ())
    columns = dict.fromkeys(("prompt_ids", *_SIDES[stage]), numbers)
    columns |= dict.fromkeys(flags, datasets.Value("bool"))
    columns |= {"refused": datasets.Value("string")}

    def row_ids(row: Mapping[str, Any]) -> dict[str, Any]:
        try:
            return {**encoder.row(stage, row), "refused": None}
        except DataError as error:
            return {**dict.fromkeys(columns), "refused": str(error)}

    found = data.map(
        row_ids,
        remove_columns=data.column_names,
        features=datasets.Features(columns),
        load_from_cache_file=False,
    )
    reasons = found["refused"]
    accepted = [place for place, reason in enumerate(reasons) if reason is None]
    refusals = [reason for reason in reasons if reason is not None]
    return found.select(accepted).remove_columns("refused"), refusals


def _refused(refusals: list[str]) -> Counter[str]:
    return +Counter({"refused by the chat template": len(refusals)})


def _totals(stage: Stage, encoded: Any) -> list[list[int]]:
    """Tokens of each row's sides, prompt included."""
    return [[len(row["prompt_ids"]) + len(row[side]) for side in _SIDES[stage]] for row in encoded]


def _problem(prompt: Sequence[Mapping[str, str]]) -> str:
    """What the prompts of a problem's turns have in common: their first question."""
    return next((message for message in prompt if message["role"] == "user"), prompt[0])["content"]


def _fitted(
    stage: Stage, section: StageConfig, encoded: Any, totals: Sequence[Sequence[int]], max_length: int
) -> tuple[Any, Counter[str], int]:
    """Rows within `max_length` whose sides differ, the number of dropped ones by reason, and that of cut ones."""
    cutting = section.overlong == "cut" and stage != "reward"
    kept, dropped, cut = [], Counter[str](), 0
    for place, (prompt, lengths) in enumerate(zip(encoded["prompt_ids"], totals, strict=True)):
        if len(prompt) >= max_length:
            dropped["prompt fills max_length"] += 1
        elif max(lengths) > max_length and not cutting:
            dropped["longer than max_length"] += 1
        else:
            cut += max(lengths) > max_length
            kept.append(place)
    fitted = encoded.select(kept)
    if cut:
        fitted = fitted.map(
            lambda row: {side: row[side][: max_length - len(row["prompt_ids"])] for side in _SIDES[stage]},
            load_from_cache_file=False,
        )
    if len(_SIDES[stage]) == 2:
        useful = [n for n, row in enumerate(fitted) if row["chosen_ids"] != row["rejected_ids"]]
        dropped["sides are equal as tokens"] = len(fitted) - len(useful)
        fitted = fitted.select(useful)
    return fitted, +dropped, cut


def _for_trainer(stage: Stage, section: StageConfig, fitted: Any) -> tuple[Any, int]:
    """The columns that the trainer reads; and how many KTO rows are mismatched with their own prompt."""
    names = fitted.column_names
    if stage == "sft":
        return fitted.map(
            lambda row: {
                "input_ids": row["prompt_ids"] + row["completion_ids"],
                "labels": [_IGNORED] * len(row["prompt_ids"]) + row["completion_ids"],
            },
            remove_columns=names,
            load_from_cache_file=False,
        ), 0
    if stage == "reward":
        return fitted.map(
            lambda row: {side: row["prompt_ids"] + row[side] for side in _SIDES[stage]},
            remove_columns=["prompt_ids", "augmented"],
            load_from_cache_file=False,
        ), 0
    if stage == "kto" and isinstance(section, KtoStage):
        sources = _mismatched(len(fitted), section.micro_batch_size)
        problems = [content_hash(ids) for ids in fitted["prompt_ids"]]
        same = sum(problems[place] == problems[source] for place, source in enumerate(sources))
        return fitted.map(
            lambda row, place: {"KL_completion_ids": fitted[sources[place]]["completion_ids"]},
            with_indices=True,
            load_from_cache_file=False,
        ), same
    return fitted, 0


def _mismatched(count: int, batch: int) -> list[int]:
    """For each row the row whose completion it is mismatched with: the one before it in its batch.

    The mismatched completions of a batch are then the completions of that batch, as the estimate of the KL term wants
    it. A last batch of one row takes the completion of the row before it.
    """
    sources = []
    for place in range(count):
        first = place // batch * batch
        last = min(first + batch, count) - 1
        sources.append(place - 1 if place > first or first == last else last)
    return [source % count for source in sources]


def _kinds(stage: Stage, fitted: Any) -> dict[str, int]:
    if stage == "kto":
        wanted = sum(fitted["label"])
        return {"wanted": wanted, "unwanted": len(fitted) - wanted}
    if stage == "reward":
        direct, augmented = sum(fitted["direct"]), sum(fitted["augmented"])
        return {"direct": direct - augmented, "augmented": augmented, "other": len(fitted) - direct}
    return {}


def _with_both_labels(fitted: Any) -> int:
    """How many completions of KTO have both labels behind the same prompt."""
    labels: defaultdict[str, set[bool]] = defaultdict(set)
    for row in fitted:
        labels[content_hash([row["prompt_ids"], row["completion_ids"]])].add(row["label"])
    return sum(len(found) == 2 for found in labels.values())


def _summary(lengths: list[int]) -> Lengths:
    ordered = sorted(lengths)
    return Lengths(
        median=ordered[len(ordered) // 2], p95=ordered[int(0.95 * (len(ordered) - 1))], longest=ordered[-1]
    )


def _told(counts: Mapping[str, int]) -> str:
    return ", ".join(f"{number:,} {reason}" for reason, number in counts.items())
