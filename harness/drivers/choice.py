"""Which hands each role has: `--driver browser`, or `--driver patient=browser,clinician=api`."""

from __future__ import annotations

from collections.abc import Mapping
from typing import get_args

from harness.errors import UsageError, nearest
from harness.model import Hands, Role

API: Hands = "api"
BROWSER: Hands = "browser"
HANDS: tuple[Hands, ...] = get_args(Hands)
AT_ONCE: Mapping[Hands, int] = {API: 16, BROWSER: 2}
"""How many trials may be played at once: a page in a call costs a fifth of a core, and a trial has three or four."""
ROLES: tuple[Role, ...] = ("patient", "clinician")
"""Whose hands can be chosen; the API moves everybody else."""


def choose(text: str) -> Mapping[Role, Hands]:
    """Return each role's hands; a role that is not named has the API. Raises UsageError with the nearest right name."""
    if "=" not in text:
        return _everybody() | dict.fromkeys(ROLES, _hands(text, text))
    chosen: dict[Role, Hands] = {}
    for part in text.split(","):
        name, sign, hands = (word.strip() for word in part.partition("="))
        role = next((role for role in ROLES if role == name), None)
        if role is None or not sign:
            if not sign:
                raise UsageError(f"--driver {text}: '{name}' is not ROLE=HANDS, such as patient={BROWSER}")
            raise UsageError(f"--driver {text}: '{name}' is none of {', '.join(ROLES)}{nearest(name, ROLES)}")
        if role in chosen:
            raise UsageError(f"--driver {text}: {role} is named twice")
        chosen[role] = _hands(hands, text)
    return _everybody() | chosen


def _everybody() -> dict[Role, Hands]:
    return dict.fromkeys(get_args(Role), API)


def _hands(name: str, text: str) -> Hands:
    for hands in HANDS:
        if name == hands:
            return hands
    raise UsageError(f"--driver {text}: '{name}' is not known; there are {', '.join(HANDS)}{nearest(name, HANDS)}")
