"""The tables: one name for each pass, and pipelines that say what they are."""

from __future__ import annotations

import inspect
from pathlib import Path

import pytest

from graphc.errors import ArgumentError
from graphc.passes import pipelines
from graphc.passes.pipelines import PASSES, PIPELINES, is_exact, passes_named

HELPERS = {"__init__", "arrangement", "base", "layout_rules", "pipelines", "rewrite"}


def test_file_name_is_pass_name_is_function_name() -> None:
    files = {path.stem for path in Path(inspect.getfile(pipelines)).parent.glob("*.py")} - HELPERS
    assert files == set(PASSES)
    for name, info in PASSES.items():
        assert info.run.__name__ == name
        assert info.run.__module__ == f"graphc.passes.{name}"
        assert info.doc.endswith(".")
        assert (inspect.getmodule(info.run).__doc__ or "").startswith(f"``{name}``: "), "the docstring shows the pass"


def test_pipelines_are_made_of_listed_passes() -> None:
    listed = {info.run for info in PASSES.values()}
    assert all(set(passes) <= listed for passes in PIPELINES.values())
    assert PIPELINES["O0"] == ()
    assert is_exact(PIPELINES["O1"]), "training sees exact passes only"
    assert not is_exact(PIPELINES["O2"])


def test_passes_by_name() -> None:
    assert passes_named("O1") == PIPELINES["O1"]
    assert [one.__name__ for one in passes_named("cse, prune")] == ["cse", "prune"]


@pytest.mark.parametrize(
    ("name", "hint"),
    [("O3", "Known: O0, O1, O2, cse"), ("prone", 'Did you mean "prune"'), ("cse,,", "Known: "), ("", "Known: ")],
)
def test_unknown_names(name: str, hint: str) -> None:
    with pytest.raises(ArgumentError, match=rf"There is no pass or pipeline '.*'\. ?{hint}"):
        passes_named(name)
