"""Which arithmetic a run uses: decided at the first use, by the environment or by what the run has used so far, and never again."""

from __future__ import annotations

import pytest

from search_engine.base.errors import BadInput
from search_engine.primitives.native import choice
from search_engine.primitives.native.choice import TORCH, Choice, current, name_of, using

from .compiler import compiled_kernel


def test_the_environment_decides_for_a_new_run(monkeypatch: pytest.MonkeyPatch) -> None:
    found = compiled_kernel()
    for asked, expected in (("0", None), ("1", found), ("auto", found)):
        monkeypatch.setenv("NASCOPE_NATIVE", asked)
        new = Choice()
        assert new.decided is None, "it decides when it is asked"
        assert new.kernel() is expected and new.decided == (TORCH if expected is None else name_of(found))
        monkeypatch.setenv("NASCOPE_NATIVE", "1" if expected is None else "0")
        assert new.kernel() is expected, "not again"


def test_a_run_keeps_to_what_it_has_used(monkeypatch: pytest.MonkeyPatch) -> None:
    """Whatever the environment says now: both are here."""
    found = compiled_kernel()
    monkeypatch.setenv("NASCOPE_NATIVE", "1")
    assert Choice(TORCH).kernel() is None
    monkeypatch.setenv("NASCOPE_NATIVE", "0")
    assert Choice(name_of(found)).kernel() is found


def test_without_a_compiler_it_is_torchs_own(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(choice, "kernel", lambda: None)
    monkeypatch.setenv("NASCOPE_NATIVE", "auto")
    new, resumed = Choice(), Choice("c-0123456789ab")
    assert (new.kernel(), new.decided) == (None, TORCH)
    assert (resumed.kernel(), resumed.decided) == (None, TORCH)
    monkeypatch.setenv("NASCOPE_NATIVE", "1")
    with pytest.raises(BadInput, match="cannot be built here"):
        Choice().kernel()


def test_a_wrong_word_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("NASCOPE_NATIVE", "yes")
    with pytest.raises(BadInput, match="0, 1, auto"):
        Choice().kernel()


def test_a_choice_holds_inside_its_block() -> None:
    one = Choice(TORCH)
    with using(one):
        assert current() is one
        with using(Choice("c-0123456789ab")):
            assert current() is not one
        assert current() is one
    assert current() is not one
