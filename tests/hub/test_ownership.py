"""Publishing touches nothing that is not ours, makes nothing before it must, and lets no secret out."""

from __future__ import annotations

import asyncio
import json
import threading
from pathlib import Path
from typing import Any

import pytest

from tests.builders import config as run_config
from tests.exporting.forest import forest
from tests.hub.repositories import Blob, Repo
from tests.hub.server import Fault, HubServer
from tests.hub.test_push import CONFIG, INFO, publication, publish
from ultrainteract import api
from ultrainteract.config import ExportConfig, ModelConfig, PublishConfig, SeedConfig, parse_config
from ultrainteract.dataset.info import RunInfo, public_name
from ultrainteract.errors import ConfigError, HubError
from ultrainteract.exporting import export_trees
from ultrainteract.hub import check_rights, prepare, push
from ultrainteract.hub.watch import watch
from ultrainteract.statistics.statistics import Statistics
from ultrainteract.store import Outcome, RunStore

THEIRS = {
    "sft/train-00000-of-00001.parquet": b"theirs", "sft/train-00001-of-00002.parquet": b"theirs too",
    "figures/turns.png": b"theirs", "data.csv": b"a,b\n",
}  # fmt: skip


def commit(repo: Repo, files: dict[str, bytes]) -> None:
    head = dict(repo.commits[repo.branches["main"]]) if repo.branches else {}
    repo.commit(
        "main", head | {name: Blob(data, name.endswith(".parquet")) for name, data in files.items()}, "theirs"
    )


def grown_run(folder: Path, count: int = 3, **fields: Any) -> RunStore:
    store = RunStore.create(folder, run_config().model_copy(update=fields))
    grow(store, count)
    asyncio.run(store.put_inputs(count))
    return store


def grow(store: RunStore, count: int, first: int = 0) -> None:
    for tree in forest()[first : first + count]:
        outcome = Outcome(key=tree.id, state=tree.state, dataset=tree.instruction.dataset, source="")
        asyncio.run(store.put_outcomes([(outcome, tree)]))


# ---------------------------------------------------------------------------------------------- our own files


def test_no_file_of_others_is_replaced_or_deleted_even_with_replace(hub: HubServer, tmp_path: Path) -> None:
    repo = hub.repos["alice/trees"] = Repo("alice/trees", False)
    commit(repo, THEIRS)
    with pytest.raises(HubError, match="is taken"):
        check_rights(CONFIG)
    rights = check_rights(CONFIG, replace=True)
    with pytest.raises(
        HubError, match=r"sft/train-00000-of-00001\.parquet, which no push of this program made"
    ):
        push(publication(tmp_path / "in"), rights, CONFIG)
    repo.commits[repo.branches["main"]].pop("sft/train-00000-of-00001.parquet")
    push(publication(tmp_path / "in"), rights, CONFIG)
    push(publication(tmp_path / "other", ("pair",)), check_rights(CONFIG), CONFIG)
    left = hub.files("alice/trees")
    assert {name: left.get(name) for name in list(THEIRS)[1:]} == dict(list(THEIRS.items())[1:])
    assert "sft/train-00000-of-00001.parquet" not in left


@pytest.mark.parametrize(
    "content",
    [b"{}", b"not json", INFO.model_dump_json().encode(), b'{"published": {"files": ["data.csv"]}}'],
    ids=["empty", "text", "a run's own", "a list without itself"],
)
def test_a_foreign_run_json_makes_nothing_ours(content: bytes, hub: HubServer, tmp_path: Path) -> None:
    repo = hub.repos["alice/trees"] = Repo("alice/trees", False)
    commit(repo, {"run.json": content, "data.csv": b"a"})
    with pytest.raises(HubError, match="is taken"):
        check_rights(CONFIG)
    with pytest.raises(HubError, match=r"run\.json, which no push"):
        push(publication(tmp_path), check_rights(CONFIG, replace=True), CONFIG)
    assert hub.files("alice/trees")["run.json"] == content


def test_exports_that_are_gone_take_their_index_with_them(hub: HubServer, tmp_path: Path) -> None:
    push(
        publication(tmp_path / "a", ("sft", "llama-factory-kto", "llama-factory-sft")),
        check_rights(CONFIG),
        CONFIG,
    )
    assert len(json.loads(hub.files("alice/trees")["dataset_info.json"])) == 2
    push(publication(tmp_path / "b", ("sft", "llama-factory-kto")), check_rights(CONFIG), CONFIG)
    assert list(json.loads(hub.files("alice/trees")["dataset_info.json"])) == ["ultrainteract_kto"]
    push(publication(tmp_path / "c", ("sft",)), check_rights(CONFIG), CONFIG)
    assert "dataset_info.json" not in hub.files("alice/trees")


def test_a_dry_run_leaves_no_old_shards_and_no_file_of_others_is_touched(tmp_path: Path) -> None:
    out = tmp_path / "out"
    publication(tmp_path / "a").write(out, "alice/trees", CONFIG)
    (out / "mine.txt").write_text("mine")
    publication(tmp_path / "b", ("pair",)).write(out, "alice/trees", CONFIG)
    assert [path.relative_to(out).as_posix() for path in out.rglob("*.parquet")] == [
        "pair/train-00000-of-00001.parquet"
    ]
    assert (out / "mine.txt").read_text() == "mine"
    other = tmp_path / "other"
    (other / "pair").mkdir(parents=True)
    (other / "pair" / "train-00000-of-00001.parquet").write_bytes(b"theirs")
    with pytest.raises(HubError, match="not of an earlier dry run"):
        publication(tmp_path / "b", ("pair",)).write(other, "alice/trees", CONFIG)


# ----------------------------------------------------------------------------------------------------- rights


def test_a_check_makes_nothing(hub: HubServer) -> None:
    rights = check_rights(PublishConfig(repo="alice/new", private=True))
    assert not rights.exists
    assert not hub.repos
    assert not hub.requests("POST", "/")


def test_private_into_a_public_dataset_is_refused(hub: HubServer, tmp_path: Path) -> None:
    publish(tmp_path)
    private = CONFIG.model_copy(update={"private": True})
    with pytest.raises(HubError, match="is public, and a private one is asked for"):
        check_rights(private)
    del hub.repos["alice/trees"]
    rights = check_rights(private)
    hub.repos["alice/trees"] = Repo("alice/trees", False)  # made by somebody in between
    commit(hub.repos["alice/trees"], {})
    with pytest.raises(HubError, match="is public"):
        push(publication(tmp_path), rights, private)


def test_a_wrong_format_is_found_before_anything_is_made(hub: HubServer, tmp_path: Path) -> None:
    publication(tmp_path)
    for formats, message in (
        (("sfft",), "is called 'sfft'|is no export 'sfft'"),
        (("trl-kto",), "has no export 'trl-kto'"),
    ):
        with pytest.raises(ConfigError, match=message):
            api.push(tmp_path, "alice/trees", formats=formats)
    assert not hub.repos


@pytest.mark.parametrize(("method", "path"), [("GET", "whoami"), ("POST", "/repos/create")])
@pytest.mark.parametrize("after", [False, True])
def test_whoami_and_create_are_retried(
    method: str, path: str, after: bool, hub: HubServer, tmp_path: Path
) -> None:
    hub.faults.append(Fault(method, path, 503, after=after, times=2))
    hub.faults.append(Fault(method, path, None, after=after))
    rights = check_rights(CONFIG, sleep=lambda _: None)
    push(publication(tmp_path), rights, CONFIG, sleep=lambda _: None)
    assert len(hub.repos["alice/trees"].log) == 2


def test_a_pull_request_reaches_datasets_of_others_and_is_updated(
    hub: HubServer, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    repo = hub.repos["bob/trees"] = Repo("bob/trees", False)
    commit(repo, {"data.csv": b"a"})
    config = PublishConfig(repo="bob/trees", create_pr=True)
    with pytest.raises(HubError, match="--create-pr"):
        check_rights(config.model_copy(update={"create_pr": False}))
    rights = check_rights(config, replace=True)
    first = push(publication(tmp_path / "a"), rights, config)
    second = push(publication(tmp_path / "b", ("pair",)), rights, config)
    assert len(repo.requests) == 1
    assert first.url == second.url
    assert second.revision == repo.branches["refs/pr/1"]
    proposed = hub.files("bob/trees", "refs/pr/1")
    assert "pair/train-00000-of-00001.parquet" in proposed
    assert "sft/train-00000-of-00001.parquet" not in proposed
    assert list(hub.files("bob/trees")) == ["data.csv"]
    assert not push(publication(tmp_path / "b", ("pair",)), rights, config).changed
    monkeypatch.setenv("HF_TOKEN", "hf_bob")  # somebody else's request of that title is not theirs to change
    push(publication(tmp_path / "c", ("sft",)), check_rights(config, replace=True), config)
    assert len(repo.requests) == 2


# ---------------------------------------------------------------------------------------------------- secrets


def test_run_json_goes_out_without_addresses_or_keys_or_paths() -> None:
    config = run_config()
    actor = next(iter(config.models))
    models = dict(config.models)
    models[actor] = ModelConfig(
        provider="vllm", model="../weights/secret-project/actor", base_url="http://10.1.2.3:8000/v1", api_key_env="MY_KEY",
        options={"tensor_parallel_size": 2, "download_dir": "/mnt/x", "my_option": "hush", "dtype": "bfloat16"},
        extra_body={"top_k": 20, "metadata": {"team": "hush"}, "user": "hush"},
    )  # fmt: skip
    seeds = (
        SeedConfig(
            dataset="gsm8k",
            path="secret-project/seeds/train.jsonl",
            options={"tables": "hush/tables", "max_tests": 3},
        ),
    )
    text = RunInfo.of_run(config.model_copy(update={"models": models, "seeds": seeds})).model_dump_json()
    for part in ("hush", "secret-project", "10.1.2.3", "MY_KEY", "/mnt", "weights"):
        assert part not in text
    published = json.loads(text)["config"]
    assert published["models"][actor]["model"] == "actor"
    assert published["models"][actor]["options"] == {"tensor_parallel_size": 2, "dtype": "bfloat16"}
    assert published["models"][actor]["extra_body"] == {"top_k": 20}
    assert published["seeds"][0]["path"] == "train.jsonl"
    assert published["seeds"][0]["options"] == {"max_tests": 3}


@pytest.mark.parametrize(
    ("place", "public"),
    [("openai/gsm8k", "openai/gsm8k"), ("data/gsm8k/train.jsonl", "train.jsonl"), ("data/train.jsonl", "train.jsonl"),
     ("/abs/set", "set"), ("~/set", "set"), ("./runs/x", "x"), ("s3://bucket/key.parquet?token=1", "key.parquet")],
)  # fmt: skip
def test_paths_are_cut_to_their_last_part_and_hub_ids_are_not(place: str, public: str) -> None:
    assert public_name(place) == public


@pytest.mark.parametrize(
    "fields",
    [
        {"base_url": "https://ada:hunter2@models.lab/v1"},
        {"base_url": ["http://ok/v1", "https://models.lab/v1?api_key=abc"]},
        {"options": {"hf_token": "hf_x"}},
        {"extra_body": {"auth": {"api_key": "x"}}},
    ],
)
def test_credentials_in_a_configuration_are_refused(fields: dict[str, Any]) -> None:
    data = run_config().model_dump(mode="json")
    name = next(iter(data["models"]))
    data["models"][name] |= fields
    with pytest.raises(ConfigError, match="api_key_env"):
        parse_config(data)
    data["models"][name] |= {
        "base_url": "http://models.lab/v1?api-version=2",
        "options": {"max_tokens": 5},
        "extra_body": {},
    }
    parse_config(data)


def test_a_run_that_was_stored_with_credentials_opens_and_shows_none_of_them(tmp_path: Path) -> None:
    """Such runs were made before credentials in a configuration were refused."""
    key = "hf_" + "qZ7RtY2mKp9WvX4cLs8NdJ3hGf6BxT5yUe"
    clean = run_config()
    data = clean.model_dump(mode="json")
    data["models"]["actor"] |= {
        "base_url": f"https://ada:{key}@models.lab/v1", "options": {"hf_token": key}, "extra_body": {"auth": {"token": key}},
    }  # fmt: skip
    data["seeds"][0]["options"] = {"secret": key}
    with RunStore.create(tmp_path / "run", parse_config(data, stored=True)) as store:
        grow(store, 3)
        asyncio.run(store.put_inputs(3))
    with RunStore.open(tmp_path / "run") as store:
        stored = store.config()
        differences = list(store.differences(clean.frozen()))
    assert stored.models["actor"].options == {"hf_token": key}
    assert any("hf_token" in line for line in differences)
    assert any("secret" in line for line in differences)
    assert key not in "".join(differences)
    assert api.stats(tmp_path / "run").trees == 3
    api.export(tmp_path / "run", tmp_path / "exports")
    assert all(key.encode() not in file.read_bytes() for file in tmp_path.glob("exports/**/*.*"))


def test_runs_of_different_settings_are_published_as_one_only_where_that_is_asked_for(tmp_path: Path) -> None:
    runs = tmp_path / "runs"
    for seed, trees in ((0, 3), (4, 2)):
        grown_run(runs / f"shard-{seed}-of-5", trees, seed=seed).close()
    settings: dict[str, Any] = {"formats": ["pair"], "allow_simulated": True}
    with pytest.raises(ConfigError, match="different settings"):
        api.push(runs, "alice/trees", dry_run=tmp_path / "refused", **settings)
    for place in (str(runs), f"{runs}/shard-*"):
        out = tmp_path / f"out-{len(place)}"
        assert api.push(place, "alice/trees", dry_run=out, mixed=True, **settings) is None
        assert json.loads((out / "stats.json").read_bytes())["trees"] == 3, "an instruction counts once"


def test_a_push_to_the_hub_of_runs_of_different_settings(hub: HubServer, tmp_path: Path) -> None:
    runs = tmp_path / "runs"
    for seed in (0, 4):
        grown_run(runs / f"shard-{seed}-of-5", 3, seed=seed).close()
    said: list[str] = []
    for _ in range(2):
        published = api.push(
            runs, "alice/trees", formats=["pair"], allow_simulated=True, mixed=True, say=said.append
        )
    assert published is not None
    assert not published.changed
    assert "pair/train-00000-of-00001.parquet" in hub.files("alice/trees")


def exported(folder: Path, text: str, **settings: Any) -> Any:
    tree = forest()[0]
    changed = tree.model_copy(update={"instruction": tree.instruction.model_copy(update={"prompt": text})})
    counted = Statistics()
    config = ExportConfig.model_validate({"formats": ("sft", "pair"), **settings})
    export_trees([changed, *forest()[1:]], folder, config, INFO, counted)
    return prepare(folder, INFO, counted.figures(), draw_figures=False)


def test_keys_are_refused_and_can_be_left_out(tmp_path: Path) -> None:
    key = "hf_" + "qZ7RtY2mKp9WvX4cLs8NdJ3hGf6BxT5yUe"
    with pytest.raises(HubError, match=r"sft/train.* row 1, instruction: Hugging Face token hf_q") as caught:
        exported(tmp_path, f"Log in with {key}.")
    assert key not in str(caught.value)
    assert "filter.without" in str(caught.value)
    left = exported(tmp_path, f"Log in with {key}.", filter={"without": ["secret"]})
    assert left.data.figures.trees == 4


def test_personal_data_is_counted_on_the_card(tmp_path: Path) -> None:
    found = exported(tmp_path, "Write to ada@lovelace.org, ada@lovelace.org or call +44 20 7946 0958.")
    assert dict(found.findings.counts) == {"email": 1, "phone": 1}
    (mail, phone) = found.findings.lines()
    assert "1 mail addresses were found" in mail
    assert "filter.without=[phone]" in phone
    card = found.contents("alice/trees", CONFIG)["README.md"].decode()
    assert "1 mail addresses and 1 telephone numbers were." in card


def test_terms_of_models_stand_on_the_card(tmp_path: Path) -> None:
    made = publication(tmp_path, models={"critic": "gpt-4o", "sample": "Qwen/Qwen2.5-7B-Instruct"})
    card = made.contents("alice/trees", CONFIG)["README.md"].decode()
    assert "| `gpt-4o` | critic | OpenAI: output must not be used to develop models that compete" in card
    own = CONFIG.model_copy(update={"model_terms": {"gpt-4o": "by contract"}})
    assert "| `gpt-4o` | critic | by contract |" in made.contents("alice/trees", own)["README.md"].decode()


# ------------------------------------------------------------------------------------------------------- runs


def test_a_push_publishes_what_lies_in_exports_with_its_formats_and_filters(
    hub: HubServer, tmp_path: Path
) -> None:
    run = tmp_path / "run"
    grown_run(run).close()
    api.export(run, changes={"formats": ["pair", "trl-kto"], "filter.tasks": ["Math_PoT"]})
    said: list[str] = []
    api.push(run, "alice/trees", allow_simulated=True, say=said.append)
    files = hub.files("alice/trees")
    for name in ("pair", "trl-kto"):
        path = f"{name}/train-00000-of-00001.parquet"
        assert files[path] == (run / "exports" / path).read_bytes()
    assert not any(name.startswith("sft/") for name in files)
    assert json.loads(files["stats.json"])["trees"] == 1
    assert json.loads(files["run.json"])["export"]["filter"]["tasks"] == ["Math_PoT"]
    assert said[0].startswith(f"Publishing what lies in {run / 'exports'}")
    assert not (run / "publish").exists()


def test_a_push_says_where_it_makes_its_own_exports(hub: HubServer, tmp_path: Path) -> None:
    run = tmp_path / "run"
    store = grown_run(run, 2)
    said: list[str] = []
    api.push(run, "alice/trees", allow_simulated=True, say=said.append)
    assert "has none with a record of their settings" in said[0]
    api.export(run, changes={"formats": ["pair"], "filter.tasks": ["Math_PoT"]})
    grow(store, 1, first=2)
    api.push(run, "alice/trees", allow_simulated=True, say=said.append)
    assert "were made from 2 trees, and the run has 3" in said[1]
    files = hub.files("alice/trees")  # with the settings that those exports record
    assert [name for name in files if name.endswith(".parquet")] == ["pair/train-00000-of-00001.parquet"]
    api.push(run, "alice/trees", formats=("sft",), allow_simulated=True, say=said.append)
    assert "sft" in said[2]
    store.close()


def test_two_pushes_of_one_run_at_once_wait_for_each_other(hub: HubServer, tmp_path: Path) -> None:
    run = tmp_path / "run"
    grown_run(run).close()
    done: list[Any] = []
    threads = [
        threading.Thread(target=lambda: done.append(api.push(run, "alice/trees", allow_simulated=True)))
        for _ in range(2)
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(200)
    assert len(done) == 2
    assert sorted(published.changed for published in done) == [False, True]
    assert len(hub.repos["alice/trees"].log) == 2


@pytest.mark.parametrize("minutes", [0, -1, float("nan"), float("inf"), 0.001])
def test_a_watch_checks_its_interval(minutes: float, hub: HubServer, tmp_path: Path) -> None:
    grown_run(tmp_path / "run").close()
    with pytest.raises(ConfigError, match="--watch takes minutes between"):
        list(api.watch_push(tmp_path / "run", "alice/trees", minutes=minutes, allow_simulated=True))
    assert not hub.repos


def test_a_watch_notices_a_dead_run_and_honours_the_message(hub: HubServer, tmp_path: Path) -> None:
    run = tmp_path / "run"
    store = grown_run(run, 2)
    asyncio.run(store.put_inputs(5))
    store.close()  # as after kill -9: nobody holds the directory any more
    waits: list[float] = []
    steps = watch(
        run,
        check_rights(CONFIG),
        CONFIG,
        minutes=1,
        message="Nightly",
        allow_simulated=True,
        sleep=waits.append,
    )
    assert next(steps).changed  # type: ignore[union-attr]
    with pytest.raises(HubError, match=r"No process is growing .* 2 of 5 instructions have an outcome"):
        next(steps)
    assert waits == [60]
    assert hub.repos["alice/trees"].log[-1][2] == "Nightly"
