"""What the hands on the clinic share, be they requests or pages: who its users are, and how long they wait."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Awaitable, Callable, Mapping, Sequence
from typing import Any
from urllib.parse import quote

from harness.errors import TargetError
from harness.model import Recording, Role

PASSWORD = "a-synthetic-patient"  # noqa: S105 - the account exists for one trial and holds a QR code
OPERATOR = "operator"
"""The account that is as old as the clinic: whoever acts as an operator signs in to it."""
OPERATOR_PASSWORD = "CLINIC_OPERATOR_PASSWORD"  # noqa: S105 - the variable's name, as the clinic itself reads it
MAX_PAGES = 5_000
FINISHED_S = 30.0
FIRST_PAUSE_S, LAST_PAUSE_S = 0.05, 0.8
"""Recordings appear late: how long they are waited for, and how often they are looked for."""

Ask = Callable[[str], Awaitable[Mapping[str, Any]]]
"""GET a path and return the answer's JSON."""


def insurer(name: str) -> str:
    """Return the private insurer of a patient: each of a trial's patients has another."""
    return f"insurer:{name}"


def member_number(account: str) -> str:
    """Return what the usernames of a trial have in common: a number that its patients share."""
    return "-".join(account.partition("~")[0].split("-")[1:3])


def pharmacy(account: str) -> str:
    """Return the pharmacy at which a pharmacist works: one of their own, which their account alone tells."""
    return f"pharmacy-{account.partition('~')[0]}"


def membership(account: str, name: str, role: Role, patient: str) -> dict[str, str]:
    """Return what an account has beside role and name, so that its owner can do what they are there for.

    The patients of a trial have one member number, each of another insurer. A carer has the insurer of the patient for
    whom they care, or one of their own, and a number of their own; a pharmacist has a pharmacy.
    """
    if role == "patient":
        return {"payer": insurer(name), "member_number": member_number(account)}
    if role == "carer":
        return {"payer": insurer(patient or name), "member_number": account.partition("~")[0]}
    return {"pharmacy": pharmacy(account)} if role == "pharmacist" else {}


async def finished_recordings(ask: Ask, consultation: str) -> Sequence[Recording]:
    """Return what the clinic recorded in a consultation of one's own, once its worker has finished all of it.

    Raises TargetError, not definite, when that takes longer than FINISHED_S.
    """
    path = f"/consultations/{quote(consultation, safe='')}/recordings"
    deadline_s = time.monotonic() + FINISHED_S
    pause_s = FIRST_PAUSE_S
    while True:
        items = (await ask(path))["items"]
        waiting = [item["id"] for item in items if item["status"] == "processing"]
        if not waiting:
            return [Recording(item["id"], consultation, item["medium"]) for item in items]
        if time.monotonic() > deadline_s:
            raise TargetError(f"GET {path}: {waiting[0]} was not finished in {FINISHED_S:g} s", definite=False)
        await asyncio.sleep(pause_s)
        pause_s = min(2 * pause_s, LAST_PAUSE_S)
