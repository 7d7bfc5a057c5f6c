"""The public Python API: one function for each command, which does the work and returns what the command prints.

Functions have the commands' names (`import_` stands for the keyword) and live in modules named by nouns, so that no
function hides a module. They are imported when first used: `import ultrainteract` costs nothing. `docs/api.md` lists
them beside their commands.

Example:
    ```python
    from ultrainteract import export, load_config, open_run, run

    config = load_config("configs/demo.yaml", ["output=runs/mine"])
    report = run(config, base="configs")
    with open_run("runs/mine") as store:
        for tree in store.trees():
            print(tree.id, tree.state, [turn.pass_rate for turn in tree.turns])
        export(store, "runs/mine/exports")
    ```
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from ultrainteract.api.annotations import classify_annotations, plan_annotation, run_annotation
    from ultrainteract.api.configuration import load_config
    from ultrainteract.api.curation import curate
    from ultrainteract.api.datasets import ExportReport, data_rules, export, import_, stats, validate_data
    from ultrainteract.api.evaluation import (
        best_of_n,
        compare_evaluations,
        evaluate,
        evaluate_async,
        evaluation_report,
        export_samples,
        load_evaluation,
        mint_outputs,
        pairwise_accuracy,
        quick_evaluation,
    )
    from ultrainteract.api.instructions import (
        build_seeds,
        check_seeds,
        make_tests,
        make_word_problems,
        seed_datasets,
        selection_rules,
    )
    from ultrainteract.api.isolation import build_sandbox, check_sandbox, prune_sandbox, sandbox_shell
    from ultrainteract.api.judgments import rate_votes, rate_writing, vote_pairs, writing_pairs
    from ultrainteract.api.lookup import build_wikipedia, search_wikipedia
    from ultrainteract.api.preparation import init, plan, plan_cluster, validate, validate_async
    from ultrainteract.api.principles import answer_under_principles, score_principles, write_principles
    from ultrainteract.api.publication import check_push, push, watch_push
    from ultrainteract.api.rewarding import reward, reward_async, serve
    from ultrainteract.api.rows import seed_rows, to_dataset, to_pandas, to_rows
    from ultrainteract.api.runs import (
        Compaction,
        compact,
        delete_run,
        merge,
        open_run,
        run,
        run_async,
        run_info,
        status,
    )
    from ultrainteract.api.training import plan_training, push_model, score, train, train_rounds
    from ultrainteract.api.trees import find_tree, list_inputs, recorded_calls
    from ultrainteract.api.viewing import push_viewer, view, write_bundle, write_tree_page
    from ultrainteract.config import config_docs, load_train_config

HOMES = {
    name: f"ultrainteract.{module}"
    for module, names in {
        "api.annotations": ("classify_annotations", "plan_annotation", "run_annotation"),
        "api.configuration": ("load_config",),
        "api.curation": ("curate",),
        "api.datasets": ("ExportReport", "data_rules", "export", "import_", "stats", "validate_data"),
        "api.evaluation": (
            "best_of_n", "compare_evaluations", "evaluate", "evaluate_async", "evaluation_report",
            "export_samples", "load_evaluation", "mint_outputs", "pairwise_accuracy", "quick_evaluation",
        ),
        "api.instructions": (
            "build_seeds", "check_seeds", "make_tests", "make_word_problems", "seed_datasets", "selection_rules",
        ),
        "api.isolation": ("build_sandbox", "check_sandbox", "prune_sandbox", "sandbox_shell"),
        "api.judgments": ("rate_votes", "rate_writing", "vote_pairs", "writing_pairs"),
        "api.lookup": ("build_wikipedia", "search_wikipedia"),
        "api.preparation": ("init", "plan", "plan_cluster", "validate", "validate_async"),
        "api.principles": ("answer_under_principles", "score_principles", "write_principles"),
        "api.publication": ("check_push", "push", "watch_push"),
        "api.runs": (
            "Compaction", "compact", "delete_run", "merge", "open_run", "run", "run_async", "run_info", "status",
        ),
        "api.rewarding": ("reward", "reward_async", "serve"),
        "api.rows": ("seed_rows", "to_dataset", "to_pandas", "to_rows"),
        "api.training": ("plan_training", "push_model", "score", "train", "train_rounds"),
        "api.trees": ("find_tree", "list_inputs", "recorded_calls"),
        "api.viewing": ("push_viewer", "view", "write_bundle", "write_tree_page"),
        "config": ("config_docs", "load_train_config"),
    }.items()
    for name in names
}  # fmt: skip
"""Where each name of the API lives."""

__all__ = [
    "Compaction",
    "ExportReport",
    "answer_under_principles",
    "best_of_n",
    "build_sandbox",
    "build_seeds",
    "build_wikipedia",
    "check_push",
    "check_sandbox",
    "check_seeds",
    "classify_annotations",
    "compact",
    "compare_evaluations",
    "config_docs",
    "curate",
    "data_rules",
    "delete_run",
    "evaluate",
    "evaluate_async",
    "evaluation_report",
    "export",
    "export_samples",
    "find_tree",
    "import_",
    "init",
    "list_inputs",
    "load_config",
    "load_evaluation",
    "load_train_config",
    "make_tests",
    "make_word_problems",
    "merge",
    "mint_outputs",
    "open_run",
    "pairwise_accuracy",
    "plan",
    "plan_annotation",
    "plan_cluster",
    "plan_training",
    "prune_sandbox",
    "push",
    "push_model", "push_viewer",
    "quick_evaluation",
    "rate_votes",
    "rate_writing",
    "recorded_calls",
    "reward",
    "reward_async",
    "run",
    "run_annotation",
    "run_async",
    "run_info",
    "sandbox_shell",
    "score",
    "score_principles",
    "search_wikipedia",
    "seed_datasets",
    "seed_rows",
    "selection_rules",
    "serve",
    "stats",
    "status",
    "to_dataset",
    "to_pandas",
    "to_rows",
    "train",
    "train_rounds",
    "validate",
    "validate_async",
    "validate_data",
    "view",
    "vote_pairs",
    "watch_push",
    "write_bundle",
    "write_principles",
    "write_tree_page",
    "writing_pairs",
]  # fmt: skip


def __getattr__(name: str) -> object:
    if name in HOMES:
        return getattr(import_module(HOMES[name]), name)
    raise AttributeError(f"module 'ultrainteract.api' has no attribute '{name}'")
