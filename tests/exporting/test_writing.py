"""Files: the same bytes every time, whole or not at all, and read by `datasets`."""

from __future__ import annotations

import dataclasses
import json
import os
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import datasets
import pyarrow.parquet as pq
import pytest

from tests.exporting.call_tree import call_tree
from tests.exporting.forest import forest
from tests.exporting.principled_tree import principled_tree
from ultrainteract.config import ExportConfig, MixSource
from ultrainteract.errors import ConfigError, StoreError
from ultrainteract.exporting import RunInfo, export_rows, export_trees, known_exporters, read_trees, rendering
from ultrainteract.exporting import writer as writing
from ultrainteract.schema import Tree
from ultrainteract.statistics.statistics import Statistics

INFO = RunInfo(name="forest", fingerprint="f" * 64)
ROOT = Path(__file__).parents[2]


def everything(folder: Path) -> dict[str, bytes]:
    return {
        str(path.relative_to(folder)): path.read_bytes()
        for path in sorted(folder.rglob("*"))
        if path.is_file()
    }


def test_the_same_trees_give_the_same_bytes_in_another_process(tmp_path: Path) -> None:
    config = ExportConfig(formats=tuple(known_exporters()))
    export_trees(forest(), tmp_path / "here", config, INFO)
    program = (
        "from tests.exporting.forest import forest; from ultrainteract.exporting import *\n"
        f"export_trees(forest(), {str(tmp_path / 'there')!r}, ExportConfig(formats=tuple(known_exporters())), "
        "RunInfo(name='forest', fingerprint='f' * 64))"
    )
    environment = {**os.environ, "PYTHONPATH": str(ROOT), "PYTHONHASHSEED": "7"}
    subprocess.run([sys.executable, "-c", program], check=True, cwd=ROOT, env=environment)
    assert everything(tmp_path / "here") == everything(tmp_path / "there")


def test_datasets_loads_every_export(tmp_path: Path) -> None:
    config = ExportConfig(formats=tuple(known_exporters()), difficulty=("never", "hard"))
    export_trees(forest(), tmp_path / "out", config, INFO)
    sources = dict.fromkeys(known_exporters(), forest())
    sources |= {name: [call_tree()] for name in sources if "tools" in name}
    sources |= {name: [principled_tree()] for name in ("sami", "principle-pair")}
    for name, trees in sources.items():
        if len(trees) == 1:
            export_trees(trees, tmp_path / "out", ExportConfig(formats=(name,)), INFO)
    for name in known_exporters():
        loaded = datasets.load_dataset(
            str(tmp_path / "out" / name), split="train", cache_dir=str(tmp_path / "cache")
        )
        kinds, rows = known_exporters()[name].columns, loaded.to_list()
        for row in rows:  # objects come as JSON in the rows themselves
            row |= {field: row[field] and json.dumps(row[field], ensure_ascii=False)
                    for field, kind in kinds.items() if kind == "json"}  # fmt: skip
        assert rows == list(export_rows(name, sources[name], config))
        assert loaded.column_names == list(kinds)


def test_files_say_where_they_come_from(tmp_path: Path) -> None:
    export_trees(forest(), tmp_path, ExportConfig(formats=("sft",)), INFO)
    metadata = pq.read_metadata(tmp_path / "sft" / "train-00000-of-00001.parquet").metadata
    assert metadata[b"ultrainteract.fingerprint"] == b"f" * 64
    assert metadata[b"ultrainteract.simulated"] == b"false"
    assert metadata[b"ultrainteract.schema_version"] == b"1"
    simulated = forest()
    node = simulated[0].turns[0].correct
    assert node is not None
    marked = node.model_copy(update={"provenance": node.provenance.model_copy(update={"simulated": True})})
    turn = simulated[0].turns[0].model_copy(update={"correct": marked})
    simulated[0] = simulated[0].model_copy(update={"turns": (turn, *simulated[0].turns[1:])})
    export_trees(simulated, tmp_path, ExportConfig(formats=("sft",)), INFO)
    metadata = pq.read_metadata(tmp_path / "sft" / "train-00000-of-00001.parquet").metadata
    assert metadata[b"ultrainteract.simulated"] == b"true"
    assert json.loads((tmp_path / "run.json").read_text())["simulated"] is True


def test_shards_and_row_groups_end_at_fixed_sizes(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(rendering, "CHUNK_TREES", 4)
    monkeypatch.setattr(writing, "GROUP_BYTES", 4_000)
    monkeypatch.setattr(writing, "SHARD_BYTES", 60_000)
    trees = [tree for _ in range(20) for tree in forest()]
    export_trees(trees, tmp_path, ExportConfig(formats=("trees", "sft")), INFO)
    shards = sorted((tmp_path / "trees").iterdir())
    assert len(shards) > 2
    assert shards[0].name == f"train-00000-of-{len(shards):05d}.parquet"
    assert max(pq.read_metadata(shard).num_row_groups for shard in shards) > 1
    assert list(read_trees(tmp_path)) == trees
    assert (
        len(datasets.load_dataset(str(tmp_path / "sft"), split="train", cache_dir=str(tmp_path / "c"))) == 140
    )


def test_a_failure_leaves_the_earlier_export(tmp_path: Path) -> None:
    export_trees(forest(), tmp_path, ExportConfig(), INFO)
    before = everything(tmp_path)

    def broken() -> Iterator[Tree]:
        yield from forest()
        raise StoreError("the store is gone")

    with pytest.raises(StoreError, match="the store is gone"):
        export_trees(broken(), tmp_path, ExportConfig(), INFO)
    assert everything(tmp_path) == before


def test_a_write_error_is_named_and_leaves_the_earlier_export(tmp_path: Path) -> None:
    export_trees(forest(), tmp_path, ExportConfig(), INFO)
    before = everything(tmp_path)
    program = (
        "import resource\n"
        "from tests.exporting.forest import forest; from ultrainteract.exporting import *\n"
        "resource.setrlimit(resource.RLIMIT_FSIZE, (2000, 2000))\n"  # files cannot grow beyond this
        f"export_trees(forest(), {str(tmp_path)!r}, ExportConfig(), RunInfo(name='n', fingerprint='0'))"
    )
    done = subprocess.run(
        [sys.executable, "-c", program],
        cwd=ROOT,
        env={**os.environ, "PYTHONPATH": str(ROOT)},
        capture_output=True,
        text=True,
    )
    assert "StoreError: Cannot write the export" in done.stderr
    assert "What was there before is kept" in done.stderr
    assert everything(tmp_path) == before


def test_an_empty_split_beside_a_full_one_is_not_written(tmp_path: Path) -> None:
    counts = export_trees(forest()[:1], tmp_path, ExportConfig(formats=("sft",), validation=0.5), INFO)
    assert sorted(counts.values()) == [0, 2]
    assert len(list((tmp_path / "sft").iterdir())) == 1
    export_trees(forest()[4:], tmp_path, ExportConfig(formats=("sft",)), INFO)
    assert pq.read_table(tmp_path / "sft").num_rows == 0


def test_problems_with_and_without_a_tool_go_to_one_side(tmp_path: Path) -> None:
    trees = []
    for number in range(40):
        for tree in forest()[:2]:
            instruction = tree.instruction.model_copy(
                update={"question": f"Problem {number}", "prompt": f"{tree.id} {number}"}
            )
            trees.append(Tree.model_validate(tree.model_dump() | {"instruction": instruction.model_dump()}))
    counts = export_trees(trees, tmp_path, ExportConfig(formats=("trees",), validation=0.3), INFO)
    assert 4 <= counts["trees/validation"] <= 48
    sides = [
        {
            tree.instruction.question
            for path in (tmp_path / "trees").glob(f"{split}-*")
            for tree in read_trees(path)
        }
        for split in ("train", "validation")
    ]
    assert not sides[0] & sides[1]


def test_balance_draws_the_same_number_from_each_task(tmp_path: Path) -> None:
    trees = forest() + [
        Tree.model_validate(
            forest()[0].model_dump()
            | {"instruction": forest()[0].instruction.model_dump() | {"prompt": f"p{number}"}}
        )
        for number in range(5)
    ]
    config = ExportConfig(formats=("trees",), balance="task")
    export_trees(trees, tmp_path / "one", config, INFO)
    export_trees(trees[::-1], tmp_path / "two", config, INFO)
    one, two = (sorted(tree.id for tree in read_trees(tmp_path / name)) for name in ("one", "two"))
    assert one == two
    tasks = [tree.instruction.task for tree in read_trees(tmp_path / "one")]
    assert {tasks.count(task) for task in set(tasks)} == {1}
    with pytest.raises(ConfigError, match="iterated again"):
        export_trees(iter(trees), tmp_path, config, INFO)


UF = [
    {"prompt": f"Say {n}.", "chosen": [{"role": "user", "content": f"Say {n}."}, {"role": "assistant", "content": f"{n}"}],
     "rejected": [{"role": "user", "content": f"Say {n}."}, {"role": "assistant", "content": "no"}]}
    for n in range(9)
]  # fmt: skip
CHAT = [{"data": [f"Hello {n}", "Hi.", "Bye.", f"Bye {n}."]} for n in range(4)]


def lines(path: Path, rows: list[dict]) -> str:
    path.write_text("".join(json.dumps(row) + "\n" for row in rows))
    return str(path)


def test_other_sets_are_mixed_in_at_their_ratio(tmp_path: Path) -> None:
    mix = {
        "ultrafeedback": MixSource(path=lines(tmp_path / "uf.jsonl", UF), ratio=2),
        "chat": MixSource(path=lines(tmp_path / "chat.jsonl", CHAT), ratio=0.5),
    }
    config = ExportConfig(formats=("trl-preference", "reward", "trl-messages", "pair"), mix=mix)
    counts = export_trees(forest(), tmp_path / "out", config, INFO)
    assert counts == {
        "trl-preference": 14, "trl-preference+ultrafeedback": 9,  # 5 pairs ask for 10, there are 9
        "reward": 19, "reward+ultrafeedback": 9, "trl-messages": 10, "trl-messages+chat": 3, "pair": 5,
    }  # fmt: skip
    rewards = pq.read_table(tmp_path / "out" / "reward").to_pylist()
    assert [row["direct"] for row in rewards].count(False) == 9
    assert all(row["prompt"][0]["content"].startswith("Say") for row in rewards if not row["direct"])
    chats = pq.read_table(tmp_path / "out" / "trl-messages").to_pylist()
    assert max(len(row["messages"]) for row in chats) == 4
    again = export_trees(forest(), tmp_path / "again", config, INFO)
    assert again == counts
    assert everything(tmp_path / "again") == everything(tmp_path / "out")


@pytest.mark.parametrize(
    ("settings", "message"),
    [
        ({"formats": ("nothing",)}, "there is no export 'nothing'; there are: axolotl-dpo"),
        ({"formats": ("sft", "sft")}, "only once"),
        ({"formats": ("sft",), "sft_history": "turns"}, "'turns' does not fit the format `sft`"),
        ({"formats": ("axolotl-dpo",), "level": "trajectory"}, "'trajectory' does not fit the format `axolotl-dpo`"),
        ({"mix": {"x": {"path": "missing.jsonl", "ratio": 1}}}, "export.mix.x: cannot read missing.jsonl"),
    ],
)  # fmt: skip
def test_settings_that_do_not_fit_are_refused(settings: dict, message: str, tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match=message):
        export_trees(forest(), tmp_path, ExportConfig.model_validate(settings), INFO)


def test_a_source_that_fits_no_format_is_refused(tmp_path: Path) -> None:
    mix = {"uf": MixSource(path=lines(tmp_path / "uf.jsonl", UF), ratio=1)}
    with pytest.raises(ConfigError, match="holds preferences, and none of the formats takes those"):
        export_trees(forest(), tmp_path, ExportConfig(formats=("pair", "trl-messages"), mix=mix), INFO)


def test_statistics_of_what_is_exported_are_counted_on_the_way(tmp_path: Path) -> None:
    counted = Statistics()
    config = ExportConfig.model_validate({"filter": {"tasks": ["Math_PoT"]}})
    export_trees(forest(), tmp_path, config, INFO, counted)
    assert counted.figures().model_dump(mode="json")["trees"] == 1


def test_guards_costs_and_evidence_are_counted() -> None:
    counted = Statistics()
    for tree in forest():
        counted.add(tree)
    figures = counted.figures().model_dump(mode="json")
    assert figures["critiques"] == {
        "total": 3, "leaked": 2, "leak_rate": 2 / 3, "clean": 1, "asked_again": 1, "redacted": 1
    }  # fmt: skip
    assert figures["guards"] == {"critique_asked_again": 1, "critique_redacted": 1}
    assert figures["states"] == {"complete": 3, "sft_only": 1, "unsolved": 1}
    # 14 nodes and 3 critiques at a tenth of a cent
    assert figures["kept"]["cost"] == pytest.approx(0.017)
    assert figures["kept"]["cost_per_pair"] == pytest.approx(0.017 / 5)
    assert figures["hard_trees"] == 1
    assert figures["evidence"] == [
        {"check": "equivalence", "label": "correct", "actions": 4},
        {"check": "equivalence", "label": "wrong", "actions": 7},
        {"check": "judge", "label": "correct", "actions": 1},
        {"check": "tests", "label": "correct", "actions": 2},
    ]
    # "Ada" is right twice in one tree
    assert figures["same_answer_agreement"] == {"couples": 1, "agree": 1, "share": 1.0}
    sample = next(row for row in figures["steps"] if row["step"] == "sample")
    assert (sample["drawn"], sample["correct"]) == (77, 9)
    assert figures["same_model_share"] == pytest.approx(1 / 5)


@pytest.mark.parametrize("fault", ["raises", "does not fit its columns"])
def test_a_tree_that_an_export_cannot_render_is_left_out_of_it(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture, fault: str
) -> None:
    trees = forest()
    bad = next(tree for tree in trees if list(known_exporters()["sft"].rows(tree, ExportConfig())))
    usual = known_exporters()["sft"]

    def rows(tree: Tree, config: ExportConfig) -> list[dict[str, object]]:
        found = [dict(row) for row in usual.rows(tree, config)]
        if tree.id == bad.id:
            if fault == "raises":
                raise RecursionError("of one tree")
            found[-1]["response"] = 5
        return found

    broken = dataclasses.replace(usual, rows=rows)
    chosen = rendering.chosen_exporters
    monkeypatch.setattr(
        rendering,
        "chosen_exporters",
        lambda config: [broken if e.name == "sft" else e for e in chosen(config)],
    )
    config = ExportConfig(formats=("sft", "trees"))
    written = export_trees(trees, tmp_path / "out", config, INFO)
    lost = sum(len(list(usual.rows(tree, config))) for tree in trees if tree.id == bad.id)
    whole = sum(len(list(usual.rows(tree, config))) for tree in trees)
    assert (lost > 0, written["sft"], written["trees"]) == (True, whole - lost, len(trees))
    assert f"tree {bad.id}" in caplog.text

    monkeypatch.undo()
    everywhere = dataclasses.replace(usual, rows=lambda tree, config: [{"response": 5}])
    monkeypatch.setattr(rendering, "chosen_exporters", lambda config: [everywhere])
    with pytest.raises(StoreError, match="'sft' failed for all"):
        export_trees(trees, tmp_path / "out", ExportConfig(formats=("sft",)), INFO)
    assert (tmp_path / "out" / "trees").is_dir(), "what was there before is kept"


def test_files_that_no_export_wrote_stay_where_they_are(tmp_path: Path) -> None:
    export_trees(forest(), tmp_path, ExportConfig(formats=("sft", "trees"), validation=0.5), INFO)
    mine = {
        "sft/notes.md": "mine",
        "sft/sub/more.parquet": "other",
        "trees/.keep": "",
        "sft/my-00000.parquet": "p",
    }
    for name, text in mine.items():
        (tmp_path / name).parent.mkdir(exist_ok=True)
        (tmp_path / name).write_text(text)
    (tmp_path / "trees").rename(tmp_path / ".trees.old")  # a kill between the two renames
    export_trees(forest(), tmp_path, ExportConfig(formats=("sft", "trees")), INFO)
    assert {name: (tmp_path / name).read_text() for name in mine} == mine
    assert [path.name for path in sorted((tmp_path / "sft").glob("*-of-*"))] == [
        "train-00000-of-00001.parquet"
    ]
    assert not list(tmp_path.glob(".*.old"))
