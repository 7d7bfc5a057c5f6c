"""The card: its owner's metadata and text are kept word for word, whatever they look like."""

from __future__ import annotations

from pathlib import Path

import pytest
import yaml
from huggingface_hub import DatasetCard

from tests.hub.test_push import publication
from ultrainteract.config import PublishConfig
from ultrainteract.errors import ConfigError, HubError
from ultrainteract.hub import Publication
from ultrainteract.hub.front_matter import BEGIN, END, LAST_WORDS
from ultrainteract.hub.rights import list_in

CONFIG = PublishConfig(repo="alice/trees")
OWNERS = """---
language:
- de
license: cc-by-4.0  # agreed with the lab
task_categories: question-answering
tags:
# ours since 2024
- mine
- dpo
my_version: 1.10
my_text: 'quoted: so'
---

# My set\x20\x20

Owner text stays.
"""


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> Publication:
    return publication(tmp_path_factory.mktemp("exports"))


def pushed(made: Publication, card: str, config: PublishConfig = CONFIG, times: int = 1) -> str:
    """The card after some pushes over `card`."""
    previous = None
    for _ in range(times):
        contents = made.contents("alice/trees", config, card, previous)
        card, previous = contents["README.md"].decode(), list_in(contents["run.json"])
    return card


@pytest.mark.parametrize("times", [1, 2, 3])
def test_the_owners_card_is_kept_word_for_word_at_every_push(made: Publication, times: int) -> None:
    card = pushed(made, OWNERS, times=times)
    front, _, body = card.removeprefix("---\n").partition("\n---\n")
    for line in ("- de", "license: cc-by-4.0  # agreed with the lab", "task_categories: question-answering", "# ours since 2024",
                 "my_version: 1.10", "my_text: 'quoted: so'"):  # fmt: skip
        assert line in front.splitlines()
    assert "license_name" not in front
    header = yaml.safe_load(front)
    assert header["language"] == ["de"]
    assert header["tags"] == ["mine", "dpo", "ultrainteract", "preference", "reasoning", "synthetic"]
    assert [entry["config_name"] for entry in header["configs"]] == ["sft", "pair", "trees"]
    assert body.startswith("\n# My set  \n\nOwner text stays.\n")
    assert card.count(BEGIN) == card.count(END) == 1
    assert DatasetCard(card).data.license == "cc-by-4.0"


def test_a_second_push_changes_nothing_and_what_was_ours_follows_the_configuration(made: Publication) -> None:
    first = pushed(made, OWNERS)
    assert pushed(made, OWNERS, times=2) == first
    ours = pushed(made, "")
    assert pushed(made, "", times=2) == ours
    previous = list_in(made.contents("alice/trees", CONFIG)["run.json"])
    config = CONFIG.model_copy(update={"tags": ("new",), "language": ("en", "fr")})
    header = DatasetCard(
        made.contents("alice/trees", config, ours, previous)["README.md"].decode()
    ).data.to_dict()
    assert header["language"] == ["en", "fr"]
    assert header["tags"][-1] == "new"
    other = DatasetCard(
        made.contents("alice/trees", PublishConfig(license="MIT"), first, previous)["README.md"].decode()
    )
    assert other.data.license == "mit"  # stated in the configuration


def test_an_edit_of_our_fields_makes_them_the_owners(made: Publication) -> None:
    contents = made.contents("alice/trees", CONFIG)
    previous = list_in(contents["run.json"])
    edited = (
        contents["README.md"]
        .decode()
        .replace("- text-generation", "- question-answering")
        .replace("- reasoning\n", "")
    )
    header = DatasetCard(
        made.contents("alice/trees", CONFIG, edited, previous)["README.md"].decode()
    ).data.to_dict()
    assert header["task_categories"] == ["question-answering"]


@pytest.mark.parametrize(
    "card",
    [
        "\n" + OWNERS,
        "\ufeff" + OWNERS,
        "  \n\n" + OWNERS,
        OWNERS.replace("\n", "\r\n"),
    ],
    ids=["newline", "byte order mark", "white space", "carriage returns"],
)
def test_what_stands_before_the_metadata_costs_nothing(card: str, made: Publication) -> None:
    for times in (1, 2):
        found = pushed(made, card, times=times)
        assert found.startswith("---\nlanguage:\n")
        assert DatasetCard(found).data.to_dict()["my_version"] == 1.1
        assert "my_version: 1.10\n" in found
        assert "Owner text stays." in found


@pytest.mark.parametrize(
    "card",
    [
        "---\n---\n\nText.\n",
        "---\n# a comment alone\n---\nText.\n",
        "Text.\n",
        "---\nNo metadata, two rules.\n---\nText.\n",
        "Before.\n\n---\nlicense: mit\n---\nText.\n",
    ],
)
def test_no_text_is_lost(card: str, made: Publication) -> None:
    found = pushed(made, card, times=2)
    for line in card.splitlines():
        assert line in found.splitlines()
    assert DatasetCard(found).data.to_dict()["configs"]
    assert pushed(made, card, times=3) == found


@pytest.mark.parametrize("cut", [END, LAST_WORDS + "\n" + END])
def test_a_deleted_end_marker_loses_no_text(cut: str, made: Publication) -> None:
    contents = made.contents("alice/trees", CONFIG, OWNERS)
    previous = list_in(contents["run.json"])
    edited = contents["README.md"].decode().replace(cut, "") + "\nAfterword.\n"
    again = made.contents("alice/trees", CONFIG, edited, previous)["README.md"].decode()
    assert "Owner text stays." in again
    assert "Afterword.\n" in again
    assert again.count(BEGIN) == again.count(END) == 1
    if cut == END:
        assert again.count("## Statistics") == 1


def test_one_item_may_stand_where_a_list_may(made: Publication) -> None:
    card = pushed(
        made,
        "---\ntags: mine\nconfigs:\n  config_name: own\n  data_files: own.csv\n  default: true\n---\n",
        times=2,
    )
    header = DatasetCard(card).data.to_dict()
    assert header["tags"][:2] == ["mine", "ultrainteract"]
    assert [entry["config_name"] for entry in header["configs"]] == ["own", "sft", "pair", "trees"]
    assert [bool(entry.get("default")) for entry in header["configs"]] == [True, False, False, False]


def test_a_configuration_of_the_owners_with_our_name_is_refused(made: Publication) -> None:
    with pytest.raises(HubError, match="a configuration 'sft' that no push"):
        pushed(made, "---\nconfigs:\n- config_name: sft\n  data_files: own.csv\n---\n")


def test_broken_metadata_is_said(made: Publication) -> None:
    with pytest.raises(HubError, match="not valid YAML"):
        pushed(made, "---\na: [\n---\n")


def test_licenses_are_the_hubs_and_others_are_named(made: Publication, tmp_path: Path) -> None:
    header = DatasetCard(pushed(made, "")).data.to_dict()
    assert header["license"] == ["apache-2.0", "cc-by-sa-4.0", "mit", "other"]
    stated = publication(
        tmp_path, licenses={"reclor": "LicenseRef-ReClor-research-only", "numglue": "ODC-By-1.0"}
    )
    header = DatasetCard(pushed(stated, "")).data.to_dict()
    assert "odc-by" in header["license"]
    assert header["license_name"] == "reclor-research-only"
    config = PublishConfig(
        license="other", license_name="lab-license-2.0", license_link="https://example.com"
    )
    header = DatasetCard(pushed(made, "", config)).data.to_dict()
    assert (header["license"], header["license_name"]) == ("other", "lab-license-2.0")


def test_files_of_others_are_not_read_as_ours(made: Publication) -> None:
    contents = made.contents("alice/trees", CONFIG, "", None, ["sft/train-extra.parquet"])
    (sft, pair, _) = DatasetCard(contents["README.md"].decode()).data.to_dict()["configs"]
    assert sft["data_files"] == [{"split": "train", "path": ["sft/train-00000-of-00001.parquet"]}]
    assert pair["data_files"] == [{"split": "train", "path": "pair/train-*"}]


@pytest.mark.parametrize("spelling", ["license", "licence"])
def test_both_spellings_are_read(spelling: str) -> None:
    assert PublishConfig.model_validate({spelling: "Apache-2.0"}).license == "apache-2.0"


def test_a_wrong_license_is_found_before_a_run(tmp_path: Path) -> None:
    from ultrainteract import load_config

    demo = Path(__file__).parents[2] / "configs" / "demo.yaml"
    with pytest.raises(ConfigError, match=r"publish\.license.*is it apache-2\.0"):
        load_config(demo, ["publish.license=apache-2.1"])
    with pytest.raises(ConfigError, match="needs a license_name"):
        load_config(demo, ["publish.license=other"])
