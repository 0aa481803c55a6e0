"""Every planted flaw: it leaks what it says and nothing else, when its flags wake it, and the sound clinic nothing.

What the flaws do is told by the stories in the modules `leaks_*`.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from contextlib import AbstractContextManager, ExitStack, contextmanager
from dataclasses import replace

import pytest

from harness.clinic import flaws

from . import leaks_by_reference, leaks_elsewhere, leaks_in_content, leaks_in_lists
from .flag_server import serving, snapshot
from .leaks import CASES, GLOBAL, Case, Stage
from .nursery import Newborn, running, starting
from .people import Deployment

TOLD_IN = {
    flaws.LIST: leaks_in_lists,
    flaws.REFERENCE: leaks_by_reference,
    flaws.CONTENT: leaks_in_content,
    flaws.ELSEWHERE: leaks_elsewhere,
}
DOWN = [case for case in CASES if case.flaw.name == flaws.OPEN_WHILE_FLAGS_ARE_DOWN]
TOLD = [case for case in CASES if case not in DOWN]
BY_THE_CLINICS_OWN_FLAG = [case for case in TOLD if case.for_all()]
CHANGES_FLAGS = {flaws.CACHE_KEY_WITHOUT_FLAGS}

Staged = Callable[..., AbstractContextManager[Stage]]


def arguments(flag_server: str, database: str, planted: Sequence[str] = ()) -> list[str]:
    """Return a clinic's command line."""
    given = ["--unleash-url", flag_server, "--unleash-token", "default:development.test", "--refresh-s", "0.05"]
    return [*given, "--database", database, *(word for flaw in planted for word in ("--flaw", flaw))]


@pytest.fixture(scope="session")
def staged(new_database: Callable[[], str]) -> Staged:
    """Return what opens a stage with a clinic and a flag server of its own, and the flags on that wake a flaw."""

    @contextmanager
    def stage(case: Case, *planted: str, toggled: str | None = None) -> Iterator[Stage]:
        features = snapshot(for_all=case.for_all(toggled=toggled))
        with (
            serving(features) as server,
            running(*arguments(server.url, new_database(), planted)) as clinic,
        ):
            yield Stage(clinic, server, case.flags())

    return stage


@pytest.fixture(scope="session", autouse=True)
def unanswered(new_database: Callable[[], str]) -> Iterator[dict[str, Newborn]]:
    """Return a sound and a flawed clinic whose flag server never answers; it takes them seconds to give up on it."""
    with ExitStack() as stack:
        server = stack.enter_context(serving(None))
        planted = {"sound": (), "flawed": (flaws.OPEN_WHILE_FLAGS_ARE_DOWN,)}
        yield {
            name: stack.enter_context(starting(*arguments(server.url, new_database(), names)))
            for name, names in planted.items()
        }


def name(case: Case) -> str:
    """Return the name of a test's flaw."""
    return case.flaw.name


def test_every_flaw_has_a_story() -> None:
    """Each flaw has one story that shows it, told among those of its kind."""
    assert [name(case) for case in CASES if not case.leaks] == []
    assert sorted(map(name, CASES)) == sorted(flaw.name for flaw in flaws.FLAWS)
    assert {name(case): case.story.__module__ for case in CASES} == {
        flaw.name: TOLD_IN[flaw.where].__name__ for flaw in flaws.FLAWS
    }


@pytest.mark.parametrize("case", TOLD, ids=name)
def test_leaks(staged: Staged, case: Case) -> None:
    """With the flaw planted its story's leaks come true and nothing else, and without one of its flags nothing."""
    with staged(case, case.flaw.name) as stage:
        for flag in case.flaw.flags:
            if flag not in GLOBAL:
                asleep = replace(stage, flags=case.flags(toggled=flag))
                assert (flag, case.told_on(asleep)) == (flag, set())
        assert case.told_on(stage) == case.leaks


@pytest.mark.parametrize("case", TOLD, ids=name)
def test_sound(clinic: Deployment, staged: Staged, case: Case) -> None:
    """Told in the sound clinic, word for word and with the same flags, the same story shows no leak."""
    with ExitStack() as stack:
        if case.for_all() or case.flaw.name in CHANGES_FLAGS:
            stage = stack.enter_context(staged(case))
        else:
            server = stack.enter_context(serving(None))
            stage = Stage(clinic, server, case.flags())
        assert case.told_on(stage) == set()


@pytest.mark.parametrize("case", BY_THE_CLINICS_OWN_FLAG, ids=name)
def test_sleeps_without_the_clinics_own_flag(staged: Staged, case: Case) -> None:
    """A flaw that a flag of the whole clinic wakes shows nothing in a clinic without it."""
    (flag,) = case.for_all()
    with staged(case, case.flaw.name, toggled=flag) as stage:
        assert case.told_on(stage) == set()


@pytest.mark.parametrize("planted", ["sound", "flawed"])
@pytest.mark.parametrize("case", DOWN, ids=name)
def test_flags_are_down(unanswered: dict[str, Newborn], case: Case, planted: str) -> None:
    """While no flag is known the sound clinic keeps replays closed, and the flawed one opens them."""
    clinic = Deployment(unanswered[planted].url())
    with serving(None) as server:
        assert case.told_on(Stage(clinic, server)) == (case.leaks if planted == "flawed" else set())
    clinic.close()


def test_find() -> None:
    """A flaw is found by its name, and a slip of the pen gets the nearest right one."""
    assert flaws.find("video-branch-skips-owner").seen_by == "foreign-media"
    with pytest.raises(flaws.UnknownFlawError, match="did you mean 'video-branch-skips-owner'"):
        flaws.find("video-branch-skip-owner")
