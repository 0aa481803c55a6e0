"""`foreign_data` as a Schemathesis check, for anybody's own run against a deployment whose people and data are known.

Known from a stored run: the ledgers of `harness run`, or those of `harness sweep` with what it learnt (`facts.json`).

    import schemathesis
    from harness.sweeping.check import foreign_data_of

    schemathesis.check(foreign_data_of("reports/sweep", viewer={TOKEN_OF_BOB: "bob"}))

Or, with the directory in HARNESS_RUN and the name of whoever is signed in in HARNESS_VIEWER:

    from harness.sweeping.check import foreign_data

    schemathesis.check(foreign_data)
"""

from __future__ import annotations

import os
from collections.abc import Callable, Mapping
from functools import lru_cache
from pathlib import Path
from typing import TYPE_CHECKING, Any

from harness.errors import UsageError, nearest
from harness.sweeping.asking.caller import as_request
from harness.sweeping.directory import load
from harness.sweeping.judging.facts import Facts
from harness.sweeping.judging.judge import judge
from harness.sweeping.judging.seeing import Answer, Eye

if TYPE_CHECKING:
    from schemathesis import Case as AnyCase
    from schemathesis import CheckContext, Response

    Case = AnyCase[Any]

RUN, VIEWER = "HARNESS_RUN", "HARNESS_VIEWER"

Check = Callable[["CheckContext", "Response", "Case"], bool | None]
Viewer = str | Mapping[str, str] | Callable[["Case", "Response"], str | None]
"""Who asked: one name for all requests, the name of each credential (a bearer token), or a function; None is nobody."""


def foreign_data_of(known: Facts | Path | str, viewer: Viewer) -> Check:
    """Return the check over known facts, or those of a stored run's directory.

    A person is named by account, or by name where that is one person's alone. A request without credentials is
    nobody's. The check raises AssertionError with what was found in a response. UsageError is raised for a directory
    without ledgers and for somebody who is not known, at once where they are named here.
    """
    facts = known if isinstance(known, Facts) else load(Path(known))
    eye = Eye()
    if isinstance(viewer, str):
        account_of(facts, viewer)
    elif isinstance(viewer, Mapping):
        for name in viewer.values():
            account_of(facts, name)

    def foreign_data(_ctx: CheckContext, response: Response, case: Case) -> bool | None:
        who = _viewer(viewer, response, case)
        account = None if who is None else account_of(facts, who)
        headers = {name: ", ".join(values) for name, values in response.headers.items()}
        answer = Answer(
            response.status_code, response.message, headers, response.content or b"", response.stream_cut_short
        )
        leaks, _ = judge(facts, account, as_request(case.operation.label, response.request), answer, eye)
        if leaks:
            raise AssertionError("\n".join(f"{leak.degree}: {leak.sentence}" for leak in leaks))
        return None

    return foreign_data


def foreign_data(ctx: CheckContext, response: Response, case: Case) -> bool | None:
    """Check against the stored run in HARNESS_RUN as the viewer in HARNESS_VIEWER; UsageError where one is missing."""
    directory, viewer = os.environ.get(RUN, ""), os.environ.get(VIEWER, "")
    if not directory or not viewer:
        raise UsageError(f"foreign_data: set {RUN} to a stored run's directory, and {VIEWER} to whoever is signed in")
    return _from_environment(directory, viewer)(ctx, response, case)


@lru_cache(maxsize=8)
def _from_environment(directory: str, viewer: str) -> Check:
    return foreign_data_of(directory, viewer)


def account_of(facts: Facts, who: str) -> str:
    """Return the account of somebody by account or name; raise UsageError for an unknown one, or one of several."""
    if who in facts.people:
        return who
    found = [person.account for person in facts.people.values() if who in (person.name, person.called)]
    if len(found) == 1:
        return found[0]
    if found:
        raise UsageError(f"foreign_data: {len(found)} people are called '{who}': name an account, such as {found[0]}")
    names = {person.called for person in facts.people.values()}
    raise UsageError(f"foreign_data: nobody in the ledgers is called '{who}'{nearest(who, names)}")


def _viewer(viewer: Viewer, response: Response, case: Case) -> str | None:
    if callable(viewer):
        return viewer(case, response)
    credential = str(response.request.headers.get("Authorization") or "")
    if not credential:
        return None
    if isinstance(viewer, str):
        return viewer
    found = viewer.get(credential) or viewer.get(credential.partition(" ")[2].strip())
    if found is None:
        raise UsageError("foreign_data: a request had a credential of nobody who was named as a viewer")
    return found
