"""Column types of every export, spelled out once: nothing is ever inferred from a first chunk of rows."""

from __future__ import annotations

import functools
from collections.abc import Mapping
from typing import Any


@functools.cache
def arrow_types() -> dict[str, Any]:
    """Arrow types by the names that exporters use."""
    import pyarrow as pa

    text, integer, real, flag = pa.string(), pa.int64(), pa.float64(), pa.bool_()
    message = pa.struct([("role", text), ("content", text)])
    from_value = pa.struct([("from", text), ("value", text)])
    node = pa.struct(
        [
            ("text", text), ("answer", text), ("output", text), ("status", text), ("label", text), ("check", text),
            ("detail", text), ("reliability", real), ("critique", text), ("critic", text), ("syntax_ok", flag),
            ("tool_calls", integer), ("model", text), ("provider", text), ("simulated", flag), ("step", text),
            ("prompt_tokens", integer), ("completion_tokens", integer), ("cost", real),
        ]
    )  # fmt: skip
    step = pa.struct(
        [("step", text), ("model", text), ("drawn", integer), ("judged", integer), ("correct", integer)]
    )
    turn = pa.struct(
        [
            ("turn", integer), ("paired", flag), ("pass_rate", real), ("first_correct", flag), ("correct", node),
            ("incorrect", node), ("extra", pa.list_(pa.struct([("chosen", node), ("rejected", node)]))),
            ("more_correct", pa.list_(node)), ("steps", pa.list_(step)),
        ]
    )  # fmt: skip
    measured = [("pass_rate", real), ("samples", integer), ("difficulty", text)]
    told = [("id", text), ("task", text), ("dataset", text), ("grader", text)]
    return {
        "string": text,
        "json": pa.json_(),
        "int": integer,
        "float": real,
        "bool": flag,
        "strings": pa.list_(text),
        "bools": pa.list_(flag),
        "matrix": pa.list_(pa.list_(real)),
        "message": message,
        "messages": pa.list_(message),
        "training_messages": pa.list_(pa.struct([*message, pa.field("training", flag)])),
        "from_value": from_value,
        "from_value_turns": pa.list_(from_value),
        "tree_turns": pa.list_(turn),
        "verl_reward_model": pa.struct([("style", text), ("ground_truth", text)]),
        "verl_extra_info": pa.struct([("index", integer), ("problem", text), *told, *measured]),
    }


def arrow_schema(columns: Mapping[str, str]) -> Any:
    """The Arrow schema of named columns.

    Args:
        columns: Type names (keys of `arrow_types()`) by column name, in order.
    """
    import pyarrow as pa

    types = arrow_types()
    return pa.schema([(name, types[kind]) for name, kind in columns.items()])
