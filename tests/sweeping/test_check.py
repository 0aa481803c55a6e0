"""foreign_data in a real Schemathesis run of one's own: by hooks module, by pytest and by hand."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import schemathesis
from schemathesis.core.failures import FailureGroup

from harness.errors import UsageError
from harness.sweeping.check import account_of, foreign_data, foreign_data_of
from harness.sweeping.judging.facts import Person

from .api import DOCUMENT, served
from .test_facts import store
from .world import ALICE, HERS, HIS, facts, ledger

HOOKS = """
import schemathesis
from harness.sweeping.check import foreign_data

schemathesis.check(foreign_data)
"""
RUN_S = 120.0
NOTHING: Any = None
"""What the check does not look at."""


@pytest.fixture(scope="module", params=[HERS, HIS], ids=["sound", "leaking"])
def target(request: pytest.FixtureRequest) -> Iterator[tuple[str, bool]]:
    """Yield the address of an API whose list holds Alice's visit, or Bob's; and whether it leaks to Alice."""
    with served(lambda *_: (200, {"items": [{"id": request.param}]})) as address:
        yield address, request.param == HIS


def run(folder: Path, hooks: str, address: str, token: str, **environment: str) -> subprocess.CompletedProcess[str]:
    """Run `schemathesis run` with a hooks module, in a folder with a stored run."""
    store(folder / "run", ledger())
    (folder / "ours.py").write_text(hooks)
    schemathesis_ = str(Path(sys.executable).with_name("schemathesis"))
    options = ["--checks", "foreign_data", "--header", f"Authorization: Bearer {token}", "--max-examples", "2"]
    names = ["--include-path", "/visits", "--include-method", "GET", "--phases", "fuzzing", "--no-color"]
    return subprocess.run(
        [schemathesis_, "run", f"{address}/openapi.json", *options, *names],
        cwd=folder,
        capture_output=True,
        text=True,
        timeout=RUN_S,
        check=False,
        env={
            "SCHEMATHESIS_HOOKS": "ours",
            "PYTHONPATH": str(folder),
            "HYPOTHESIS_STORAGE_DIRECTORY": str(folder),
            **environment,
        },
    )


def test_a_team_s_own_run(tmp_path: Path, target: tuple[str, bool]) -> None:
    """`schemathesis run` with the check in a hooks module fails for the leak, and passes without."""
    address, leaks = target
    ended = run(tmp_path, HOOKS, address, "hers", HARNESS_RUN="run", HARNESS_VIEWER="alice")
    assert ended.returncode == (1 if leaks else 0), ended.stdout + ended.stderr
    assert (f"GET /visits showed alice bob's consultation {HIS}" in ended.stdout) is leaks


def made() -> Any:
    """Return a case of the small API's list."""
    schema = schemathesis.openapi.from_dict(dict(DOCUMENT), config=schemathesis.Config.from_dict({}))
    return schema["/visits"]["GET"].Case()


def test_by_hand(target: tuple[str, bool]) -> None:
    """`case.call_and_validate` with the check raises what Schemathesis raises for any failure, signed in or not."""
    address, leaks = target
    checks = [foreign_data_of(facts(), viewer="alice")]
    signed_in = {"Authorization": "Bearer x"}
    if leaks:
        with pytest.raises(FailureGroup, match="showed alice bob's consultation"):
            made().call_and_validate(base_url=address, headers=signed_in, checks=checks)
    else:
        made().call_and_validate(base_url=address, headers=signed_in, checks=checks)
    with pytest.raises(FailureGroup, match="somebody who is not signed in"):
        made().call_and_validate(base_url=address, checks=checks)


def test_several_users_by_their_tokens(tmp_path: Path, target: tuple[str, bool]) -> None:
    """Where credentials are named, each request is judged as its own user's; one that was not named is refused."""
    address, leaks_to_alice = target
    store(tmp_path / "run", ledger())
    checks = [foreign_data_of(tmp_path / "run", viewer={"hers": "alice", "his": "bob"})]
    for token, leaks in (("hers", leaks_to_alice), ("his", not leaks_to_alice)):
        headers = {"Authorization": f"Bearer {token}"}
        if leaks:
            with pytest.raises(FailureGroup):
                made().call_and_validate(base_url=address, headers=headers, checks=checks)
        else:
            made().call_and_validate(base_url=address, headers=headers, checks=checks)
    with pytest.raises(UsageError, match="a credential of nobody"):
        made().call_and_validate(base_url=address, headers={"Authorization": "Bearer other"}, checks=checks)


def test_a_viewer_must_be_known(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Names are checked at once: an unknown one has its nearest, one of several people is refused, none is told."""
    with pytest.raises(UsageError, match="nobody in the ledgers is called 'alise'; did you mean 'alice'"):
        foreign_data_of(facts(), viewer="alise")
    with pytest.raises(UsageError, match="did you mean 'bob'"):
        foreign_data_of(facts(), viewer={"token": "bobb"})
    with pytest.raises(UsageError, match="no ledger is there"):
        foreign_data_of(tmp_path, viewer="alice")
    known = facts()
    known.add_person(Person("alice.x9x9x9-t2", "alice.x9x9x9", "patient"))
    with pytest.raises(UsageError, match="2 people are called 'alice'"):
        account_of(known, "alice")
    assert account_of(known, ALICE) == ALICE
    monkeypatch.delenv("HARNESS_RUN", raising=False)
    with pytest.raises(UsageError, match="set HARNESS_RUN"):
        foreign_data(NOTHING, NOTHING, NOTHING)
