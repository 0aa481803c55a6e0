"""A sweep whose target or harness fails after the story: what was found until then is told, and the rest a doubt."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from harness.errors import TargetError, UsageError
from harness.model import Finding, Verdict
from harness.running.settings import Settings
from harness.running.trial import TrialResult
from harness.sweeping import cast
from harness.sweeping.command import sweep
from harness.sweeping.outcome import Outcome
from harness.sweeping.run import Orders

from .api import DOCUMENT, served
from .test_command import FLAGS

LEAK = Finding("foreign-media", Verdict.INVALID, "alice was served bob's video", "proved")
NOBODY: dict[str, Any] = {"enrol": lambda *_: 1, "run": 7, "canary": None}
"""A register that is asked for numbers alone."""


async def nothing(*_: object, **__: object) -> Any:
    """Stand for whatever goes well and brings nothing."""
    return []


async def busy(*_: object) -> Any:
    """Fail as a target does that has too much to do."""
    raise TargetError("POST /accounts: 503 token=s3cret", definite=False, status=503)


async def hanging(*_: object) -> Any:
    """Never answer."""
    await asyncio.Event().wait()


async def without_credentials(*_: object) -> Any:
    """Fail as a target does whose drivers do not say how their users are signed in."""
    raise UsageError("they do not say with which headers")


Ended = Callable[..., Outcome]


@pytest.fixture
def ended(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Ended:
    """Return a sweep whose story has been told, with a leak in it or none, of a target that does as it is given."""
    monkeypatch.setattr(cast, "OTHERS_S", 0.01)
    monkeypatch.setattr(cast, "perform", nothing)
    (tmp_path / "openapi.json").write_text(json.dumps(DOCUMENT))

    def end(verdict: Verdict, *, others: Any = nothing, confirm: Any = nothing, close: Any = nothing) -> Outcome:
        @asynccontextmanager
        async def rigged(group: Any, *_: object) -> AsyncIterator[tuple[Any, Any]]:
            target = SimpleNamespace(
                name="ours",
                base_url=address,
                openapi=str(tmp_path / "openapi.json"),
                observe=lambda _: None,
                others=others,
            )
            rig = SimpleNamespace(target=target, register=SimpleNamespace(**NOBODY), catalogue=group.plan.catalogue)
            yield rig, SimpleNamespace(watch=SimpleNamespace(confirm=confirm))
            await close()

        def concluded(trial: Any, *_: object, **__: object) -> TrialResult:
            return TrialResult(trial, verdict, (LEAK,) if verdict is Verdict.INVALID else (), 0.0, executed=True)

        monkeypatch.setattr("harness.sweeping.run.rigged", rigged)
        monkeypatch.setattr(cast, "conclude", concluded)
        with served(lambda *_: (404, {})) as address:
            return sweep(Orders(Settings(flags=FLAGS, out=tmp_path / "out")), lambda _: None)

    return end


@pytest.mark.parametrize(("verdict", "code"), [(Verdict.INVALID, 1), (Verdict.VALID, 6)])
@pytest.mark.parametrize(
    ("fault", "why"),
    [
        ({"others": busy}, "a fault after the story: TargetError: POST /accounts: 503 token=REDACTED"),
        ({"others": hanging}, "those whom the target adds were not there within 0.01 s"),
        ({"confirm": busy}, "the flags were not proved to be served to the end: TargetError: POST /accounts: 503"),
        ({"close": busy}, "a fault after the story: TargetError: POST /accounts: 503"),
    ],
    ids=["others fail", "others hang", "watch", "end of the deployment"],
)
def test_a_fault_after_the_story_takes_back_no_leak(
    ended: Ended, tmp_path: Path, verdict: Verdict, code: int, fault: dict[str, Any], why: str
) -> None:
    """With a leak in the story it exits 1, without one 6, and sweep.json tells both the leak and the fault."""
    outcome = ended(verdict, **fault)
    stored = json.loads((tmp_path / "out" / "sweep.json").read_text())
    assert stored["exit_code"] == outcome.exit_code == code
    assert [each["sentence"] for each in stored["story"]] == [LEAK.sentence] * (code == 1)
    assert any(why in doubt for doubt in stored["unknown"])
    assert "s3cret" not in str(stored)


def test_a_control_that_fails_is_a_doubt(ended: Ended, monkeypatch: pytest.MonkeyPatch) -> None:
    """A fault of the control takes back no finding."""

    def broken(*_: object) -> Any:
        raise LookupError("'hex' is not a text encoding")

    monkeypatch.setattr("harness.sweeping.run.control", broken)
    outcome = ended(Verdict.INVALID)
    assert outcome.exit_code == 1
    assert "a fault after the story: LookupError: 'hex' is not a text encoding" in outcome.unknown


def test_an_adapter_without_credentials(ended: Ended) -> None:
    """What an adapter lacks is its author's fault, unless the story has found a leak by then."""
    with pytest.raises(UsageError, match="with which headers"):
        ended(Verdict.VALID, others=without_credentials)
    assert ended(Verdict.INVALID, others=without_credentials).exit_code == 1
