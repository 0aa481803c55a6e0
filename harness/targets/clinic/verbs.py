"""What the clinic's users do beyond the call itself, as requests, whoever sends them."""

from __future__ import annotations

import json
from urllib.parse import quote

from harness.targets.clinic.shared import pharmacy
from harness.targets.clinic.surfaces import Ask

AS_JSON = {"Content-Type": "application/json"}
DOSE = "once a day"
MEASURED, VALUE = "pulse", 72
"""What every measurement is of: the words that tell whose it is stand in its unit, of at most 40 characters."""


async def share(ask: Ask, recording: str, carer: str) -> None:
    """Share a recording with a carer."""
    await _say(ask, "POST", f"/replays/{_quoted(recording)}/shares", {"carer": carer})


async def revoke(ask: Ask, recording: str, carer: str) -> None:
    """Take a share back."""
    await ask("DELETE", f"/replays/{_quoted(recording)}/shares/{_quoted(carer)}")


async def hand_over(ask: Ask, consultation: str, clinician: str) -> None:
    """Hand a live consultation over."""
    await _say(ask, "POST", f"/consultations/{_quoted(consultation)}/hand-over", {"clinician": clinician})


async def prescribe(ask: Ask, consultation: str, medicine: str) -> None:
    """Prescribe in a consultation, in a fixed dose."""
    body = {"medicine": medicine, "dose": DOSE}
    await _say(ask, "POST", f"/consultations/{_quoted(consultation)}/prescriptions", body)


async def choose_pharmacy(ask: Ask, pharmacist: str) -> None:
    """Choose the pharmacy of a pharmacist's account."""
    await _say(ask, "PUT", "/me/pharmacy", {"pharmacy": pharmacy(pharmacist)})


async def measure(ask: Ask, words: str) -> None:
    """Record a measurement whose unit these words are."""
    await _say(ask, "POST", "/metrics", {"kind": MEASURED, "value": VALUE, "unit": words})


async def switch_replays(ask: Ask, *, is_open: bool) -> None:
    """Throw the operator's switch."""
    await _say(ask, "POST", "/operations/replay-access", {"open": is_open})


async def _say(ask: Ask, method: str, path: str, body: object) -> None:
    await ask(method, path, json.dumps(body).encode(), headers=AS_JSON)


def _quoted(reference: str) -> str:
    return quote(reference, safe="")
