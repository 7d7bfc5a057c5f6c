"""Pushing with the real client to a Hub on this machine: what arrives, what survives, what is refused."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest
import yaml

from tests.exporting.forest import forest
from tests.hub.repositories import Blob, Repo
from tests.hub.server import Fault, HubServer
from ultrainteract.config import ExportConfig, PublishConfig
from ultrainteract.errors import HubError
from ultrainteract.exporting import RunInfo, export_rows, export_trees, known_exporters
from ultrainteract.hub import Publication, Published, check_rights, prepare, push
from ultrainteract.hub.front_matter import BEGIN, END
from ultrainteract.statistics.statistics import Statistics

ROOT = Path(__file__).parents[2]
INFO = RunInfo(name="forest", fingerprint="ab" * 32, models={"sample": "actor-8b"})
CONFIG = PublishConfig(repo="alice/trees")

EXPORT = ExportConfig(difficulty=("never", "hard"))


def publication(
    folder: Path, formats: tuple[str, ...] = ("sft", "pair", "trees"), **fields: object
) -> Publication:
    counted = Statistics()
    info = INFO.model_copy(update=fields)
    export_trees(forest(), folder, EXPORT.model_copy(update={"formats": formats}), info, counted)
    return prepare(
        folder, info, counted.figures(), allow_simulated=bool(fields.get("simulated")), draw_figures=False
    )


def publish(folder: Path, config: PublishConfig = CONFIG) -> Published:
    return push(publication(folder), check_rights(config), config, sleep=lambda _: None)


def card(hub: HubServer, repo: str = "alice/trees") -> tuple[dict, str]:
    _, front, body = hub.files(repo)["README.md"].decode().split("---\n", 2)
    return yaml.safe_load(front), body


def test_a_push_is_one_commit_and_load_dataset_reads_every_config_back(
    hub: HubServer, tmp_path: Path
) -> None:
    formats = [
        name for name in known_exporters() if "tools" not in name and name not in ("sami", "principle-pair")
    ]  # no tree of the forest has functions
    every = publication(tmp_path, tuple(formats))
    done = push(every, check_rights(CONFIG), CONFIG)
    assert [title for _, _, title in hub.repos["alice/trees"].log] == [
        "initial commit",
        f"Publish forest ({'ab' * 6})",
    ]
    assert done.changed
    assert done.revision == hub.repos["alice/trees"].branches["main"]
    program = (
        "import datasets, json, sys\n"
        "names = datasets.get_dataset_config_names('alice/trees')\n"
        "rows = {name: datasets.load_dataset('alice/trees', name, split='train').to_list() for name in names}\n"
        "rows['(default)'] = datasets.load_dataset('alice/trees', split='train').to_list()\n"
        "json.dump(rows, sys.stdout)"
    )
    environment = {
        **os.environ,
        "HF_DATASETS_CACHE": str(tmp_path / "cache"),
        "HF_DATASETS_DISABLE_PROGRESS_BARS": "1",
    }
    read = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, env=environment)
    assert read.returncode == 0, read.stderr
    rows = json.loads(read.stdout)
    default = rows.pop("(default)")
    assert set(rows) == set(formats)
    for name in formats:
        assert rows[name] == list(export_rows(name, forest(), EXPORT))
    assert default == rows["sft"]


def test_the_card_is_complete(hub: HubServer, tmp_path: Path) -> None:
    publish(tmp_path)
    header, body = card(hub)
    assert [entry["config_name"] for entry in header["configs"]] == ["sft", "pair", "trees"]
    assert [entry.get("default", False) for entry in header["configs"]] == [True, False, False]
    assert header["license"] == ["apache-2.0", "cc-by-sa-4.0", "mit", "other"]
    assert header["size_categories"] == ["n<1K"]
    assert header["language"] == ["en"]
    (sft,) = [entry for entry in header["dataset_info"] if entry["config_name"] == "sft"]
    assert sft["splits"][0]["num_examples"] == 7
    assert [feature["name"] for feature in sft["features"]][:2] == ["task", "dataset"]
    for part in ("## Statistics", "## Method", "## Models", "`critic-70b`", "## Decontamination", "## Known limits",
                 "## How to load", "## Citation", "fingerprint"):  # fmt: skip
        assert part in body
    assert "**Simulated data.**" not in body
    files = hub.files("alice/trees")
    assert json.loads(files["run.json"])["fingerprint"] == INFO.fingerprint
    assert json.loads(files["stats.json"])["pairs"] == 5


def test_the_owners_own_text_and_metadata_are_kept(hub: HubServer, tmp_path: Path) -> None:
    repo = hub.repos["alice/trees"] = Repo("alice/trees", False)
    own = (
        "---\nlicense: cc0-1.0\npretty_name: My trees\ncontact: me\ntags: [mine]\nconfigs:\n- config_name: extra\n"
        "  data_files: extra.csv\n  default: true\n---\n\n# Mine\n\nBy hand.\n"
    )
    repo.commit("main", {"README.md": Blob(own.encode(), False)}, "by hand")
    publish(tmp_path)
    header, body = card(hub)
    assert header["contact"] == "me"
    assert header["license"] == "cc0-1.0"
    assert header["pretty_name"] == "My trees"
    assert header["tags"][0] == "mine"
    assert [entry["config_name"] for entry in header["configs"] if entry.get("default")] == ["extra"]
    assert body.startswith("\n# Mine\n\nBy hand.\n\n" + BEGIN)
    edited = hub.files("alice/trees")["README.md"].decode() + "\nAfterword.\n"
    files = dict(repo.commits[repo.branches["main"]])
    repo.commit("main", files | {"README.md": Blob(edited.encode(), False)}, "afterword")
    publish(tmp_path)
    _, again = card(hub)
    assert again.count(BEGIN) == again.count(END) == 1
    assert again.endswith(f"{END}\n\nAfterword.\n")
    assert "By hand." in again


def test_pushing_again_changes_nothing(hub: HubServer, tmp_path: Path) -> None:
    first = publish(tmp_path)
    uploads = len(hub.uploads)
    second = publish(tmp_path)
    assert second.revision == first.revision
    assert not second.changed
    assert len(hub.uploads) == uploads


def test_shards_that_are_gone_are_deleted_and_files_of_others_are_kept(
    hub: HubServer, tmp_path: Path
) -> None:
    publish(tmp_path)
    repo = hub.repos["alice/trees"]
    files = dict(repo.commits[repo.branches["main"]])
    theirs = {
        "pair/train-00001-of-00002.parquet": Blob(b"theirs", True),
        "notes/mine.parquet": Blob(b"mine", True),
        "figures/mine.png": Blob(b"mine", True),
    }
    repo.commit("main", files | theirs, "more files")
    push(publication(tmp_path / "fewer", ("sft",)), check_rights(CONFIG), CONFIG)
    left = hub.files("alice/trees")
    assert [name for name in left if name.endswith(".parquet")] == [
        "sft/train-00000-of-00001.parquet",
        "pair/train-00001-of-00002.parquet",
        "notes/mine.parquet",
    ]
    assert all(left[name] == blob.data for name, blob in theirs.items())


FAULTS = {
    "commit refused for now": Fault("POST", "/commit/", 503, times=2),
    "commit dropped": Fault("POST", "/commit/", None),
    "answer to the commit lost": Fault("POST", "/commit/", None, after=True),
    "commit taken, answer 500": Fault("POST", "/commit/", 500, after=True),
    "upload refused for now": Fault("PUT", "/lfs/", 500, times=3),
    "upload dropped": Fault("PUT", "/lfs/", None, times=2),
    "uploads refused for long": Fault("PUT", "/lfs/", 503, times=8),
    "batch dropped": Fault("POST", "/objects/batch", None),
    "preupload at fault": Fault("POST", "/preupload/", 502, times=2),
    "listing at fault": Fault("GET", "/tree/", 500),
    "rate limit": Fault("POST", "/commit/", 429, times=2),
}


@pytest.mark.parametrize("fault", FAULTS)
def test_faults_are_survived(fault: str, hub: HubServer, tmp_path: Path) -> None:
    rights = check_rights(CONFIG)
    planned = FAULTS[fault]
    hub.faults.append(Fault(planned.method, planned.path, planned.status, planned.after, planned.times))
    done = push(publication(tmp_path), rights, CONFIG, sleep=lambda _: None)
    assert hub.faults[0].times == 0
    assert len(hub.repos["alice/trees"].log) == 2  # one commit of ours, whatever happened
    assert done.revision == hub.repos["alice/trees"].branches["main"]
    assert (
        hub.files("alice/trees")["sft/train-00000-of-00001.parquet"]
        == (tmp_path / "sft/train-00000-of-00001.parquet").read_bytes()
    )


def test_a_commit_in_between_is_built_upon(hub: HubServer, tmp_path: Path) -> None:
    rights = check_rights(CONFIG)

    def interfere(server: HubServer) -> None:
        repo = server.repos["alice/trees"]
        files = dict(repo.commits[repo.branches["main"]])
        repo.commit("main", files | {"README.md": Blob(b"# Written meanwhile\n", False)}, "meanwhile")

    hub.faults.append(Fault("POST", "/commit/", action=interfere))
    push(publication(tmp_path), rights, CONFIG, sleep=lambda _: None)
    assert hub.requests("POST", "/commit/") == 2  # the first met a 412
    _, body = card(hub)
    assert "# Written meanwhile" in body
    assert BEGIN in body


def test_attempts_run_out_with_a_word_on_how_to_go_on(hub: HubServer, tmp_path: Path) -> None:
    rights = check_rights(CONFIG)
    hub.faults.append(Fault("POST", "/commit/", 503, times=1000))
    waits: list[float] = []
    with pytest.raises(HubError, match="Repeat the command to go on"):
        push(publication(tmp_path), rights, CONFIG, sleep=waits.append)
    assert waits == [2, 4, 8, 16, 32]
    hub.faults.clear()
    uploads = len(hub.uploads)
    publish(tmp_path)
    assert len(hub.uploads) == uploads  # what had arrived was not sent again


def test_a_kill_in_the_middle_is_finished_by_repeating(hub: HubServer, tmp_path: Path) -> None:
    publication(tmp_path / "exports")
    program = [sys.executable, "-m", "tests.hub.push_command", str(tmp_path / "exports"), "alice/trees"]
    environment = {**os.environ, "PYTHONPATH": str(ROOT)}
    running: list[subprocess.Popen[bytes]] = []
    hub.faults.append(Fault("POST", "/commit/", 503, action=lambda _: running[0].kill()))
    running.append(
        subprocess.Popen(
            program, cwd=ROOT, env=environment, stderr=subprocess.DEVNULL, stdout=subprocess.DEVNULL
        )
    )
    assert running[0].wait(200) == -9
    sent = len(hub.uploads)
    assert sent >= 3
    finished = subprocess.run(program, cwd=ROOT, env=environment, capture_output=True, text=True)
    assert finished.returncode == 0, finished.stderr
    assert len(hub.uploads) == sent
    assert "sft/train-00000-of-00001.parquet" in hub.files("alice/trees")


def test_what_the_hub_has_is_compared_with_what_was_sent(hub: HubServer, tmp_path: Path) -> None:
    rights = check_rights(CONFIG)

    def corrupt(server: HubServer) -> None:
        server.lfs = {oid: data[:-1] + b"?" for oid, data in server.lfs.items()}

    hub.faults.append(Fault("POST", "/commit/", action=corrupt))
    with pytest.raises(HubError, match="is not what was sent"):
        push(publication(tmp_path), rights, CONFIG, sleep=lambda _: None)


def test_a_branch_and_a_pull_request(hub: HubServer, tmp_path: Path) -> None:
    branch = CONFIG.model_copy(update={"revision": "v2"})
    publish(tmp_path, branch)
    repo = hub.repos["alice/trees"]
    assert "sft/train-00000-of-00001.parquet" in hub.files("alice/trees", "v2")
    assert list(hub.files("alice/trees", "main")) == [".gitattributes"]
    hub.faults.append(Fault("POST", "/commit/", None, after=True))
    request = CONFIG.model_copy(update={"create_pr": True})
    done = publish(tmp_path, request)
    assert len(repo.requests) == 1  # the lost answer did not open a second one
    assert done.revision == repo.branches["refs/pr/1"]
    assert list(hub.files("alice/trees", "main")) == [".gitattributes"]


def test_simulated_data_is_refused_and_if_allowed_marked(hub: HubServer, tmp_path: Path) -> None:
    counted = Statistics()
    info = INFO.model_copy(update={"simulated": True})
    export_trees(forest(), tmp_path, ExportConfig(), info, counted)
    with pytest.raises(HubError, match="--allow-simulated"):
        prepare(tmp_path, info, counted.figures())
    with pytest.raises(HubError, match="--allow-simulated"):  # the files themselves say so
        prepare(tmp_path, INFO, counted.figures())
    allowed = prepare(tmp_path, INFO, counted.figures(), allow_simulated=True)
    push(allowed, check_rights(CONFIG), CONFIG)
    header, body = card(hub)
    assert "simulated" in header["tags"]
    assert "**Simulated data.**" in body


@pytest.mark.parametrize(
    ("token", "repo", "message"),
    [
        ("hf_wrong", "alice/trees", "refuses the token"),
        ("hf_reader", "alice/trees", "can only read"),
        ("hf_alice", "carol/trees", "cannot publish as 'carol'"),
        ("hf_alice", "alice/bad name!", "is no dataset id"),
        ("hf_alice", None, "No dataset id"),
    ],
)
def test_what_cannot_succeed_is_refused_before_any_work(
    token: str, repo: str | None, message: str, hub: HubServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("HF_TOKEN", token)
    with pytest.raises(HubError, match=message):
        check_rights(PublishConfig(repo=repo))
    assert not hub.repos


def test_no_token_at_all(hub: HubServer, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("HF_TOKEN")
    monkeypatch.setattr("huggingface_hub.constants.HF_TOKEN_PATH", "/nonexistent")
    with pytest.raises(HubError, match="No Hub token"):
        check_rights(CONFIG)


def test_a_taken_name_is_refused_unless_told(hub: HubServer) -> None:
    repo = hub.repos["alice/trees"] = Repo("alice/trees", False)
    repo.commit("main", {"data/train.parquet": Blob(b"theirs", True)}, "other data")
    with pytest.raises(HubError, match="is taken"):
        check_rights(CONFIG)
    assert check_rights(CONFIG, replace=True).exists


def test_an_organisation_may_be_published_to_and_a_bare_name_is_the_users(
    hub: HubServer, tmp_path: Path
) -> None:
    assert check_rights(PublishConfig(repo="lab/trees")).repo == "lab/trees"
    config = PublishConfig(repo="mine", private=True)
    rights = check_rights(config)
    assert (rights.repo, rights.exists) == ("alice/mine", False)
    assert not hub.repos
    push(publication(tmp_path), rights, config)
    assert hub.repos["alice/mine"].private


def test_a_hub_that_is_down_is_named(hub: HubServer) -> None:
    hub.faults.append(Fault("GET", "whoami", 503, times=100))
    waits: list[float] = []
    with pytest.raises(HubError, match="cannot be reached or is at fault"):
        check_rights(CONFIG, sleep=waits.append)
    assert waits == [1, 2, 4]


def test_the_folder_can_be_written_instead(tmp_path: Path) -> None:
    publication(tmp_path / "in").write(tmp_path / "out", "alice/trees", CONFIG)
    names = {
        str(path.relative_to(tmp_path / "out")) for path in (tmp_path / "out").rglob("*") if path.is_file()
    }
    assert names == {
        "README.md",
        "run.json",
        "stats.json",
        *(f"{name}/train-00000-of-00001.parquet" for name in ("sft", "pair", "trees")),
    }
