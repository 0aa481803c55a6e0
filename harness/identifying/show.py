"""What was identified, for people and for programs."""

from __future__ import annotations

import json
from collections.abc import Iterable
from pathlib import Path
from typing import Any

from harness.canary import MODES, Canary, pack
from harness.identifying.command import Identified
from harness.identifying.looking import TEXT, Looked, Seen
from harness.identifying.runs import Found, Origin
from harness.model import printable

SCHEMA = 1
MAX_LINES = 200
"""Of one file; `--json` has all."""
_OUTCOMES = {
    "partial": "not all of it could be read as ours",
    "unknown-tag": "some of it is tagged with another key",
    "no-canary": "no canary",
    "unreadable": "cannot be read",
    "empty": "nothing in it to be seen or heard",
}


def as_text(identified: Identified) -> str:
    """Return a paragraph for each file: what it is, what shows when, and who that is."""
    parts = ["\n".join(_file(each, identified.found)) for each in identified.files]
    if not identified.runs:
        parts.append("no stored run was found; name where they are with --runs")
    parts += [f"note: {remark}" for remark in identified.found.remarks]
    return printable("\n\n".join(parts))


def as_json(identified: Identified) -> str:
    """Return everything as JSON; docs/identify.md has the fields."""
    told = {
        "schema": SCHEMA,
        "exit_code": identified.exit_code,
        "runs": [str(each) for each in identified.runs],
        "files": [_as_object(each, identified.found) for each in identified.files],
        "remarks": identified.found.remarks,
    }
    return json.dumps(told, indent=1)


def _file(file: Looked, found: Found) -> list[str]:
    lines = [f"{file.name}: {_kind(file)}"]
    seen = list(file.seen)
    spans = [f"{_place(each)}{_when(each)}{_where(each)}" for each in seen]
    width = max(map(len, spans), default=0)
    lines += [f"  {span:<{width}}  {_short(each.canary, found)}" for span, each in zip(spans, seen, strict=True)]
    for canary in dict.fromkeys(each.canary for each in seen):
        lines += _who(canary, found)
    if len(lines) > MAX_LINES:
        lines[MAX_LINES:] = [f"  ... and {len(lines) - MAX_LINES:,} lines more; --json has them"]
    return lines


def _kind(file: Looked) -> str:
    """Say what a file is, and what of it was not read."""
    words = []
    if file.outcome == TEXT:
        words.append("words")
    elif file.tracks and file.duration_s:
        words.append(f"{file.duration_s:.1f} s, {_and(dict.fromkeys(file.tracks))}")
    elif file.tracks:
        words.append("a picture" if "video" in file.tracks else "sound")
    if file.outcome in _OUTCOMES and not file.is_identified:
        words.append(_OUTCOMES[file.outcome])
    if not file.seen and file.outcome in ("canaries", TEXT):
        words.append("no canary")
    return "; ".join([*words, *filter(None, [file.note])])


def _when(seen: Seen) -> str:
    if seen.where == "words" or (seen.from_s == 0 and seen.to_s == 0):
        return ""
    return f"{seen.from_s:.1f} to {seen.to_s:.1f} s, "


def _where(seen: Seen) -> str:
    return "picture" if seen.where == "video" and seen.to_s == 0 else seen.where


def _place(seen: Seen) -> str:
    return f"{seen.member}: " if seen.member else ""


def _short(canary: Canary, found: Found) -> str:
    """Return whose a canary is in a few words."""
    origins = found.origins.get(canary, [])
    if not origins:
        return _numbers(canary)
    return " or ".join(f"{each.actor} of trial {each.trial}, {_segment(canary, each.what)}" for each in origins)


def _who(canary: Canary, found: Found) -> list[str]:
    """Return all that is known of a canary, a few lines for each run that knows it."""
    origins = found.origins.get(canary, [])
    if not origins:
        return [f"  {_numbers(canary)}: {_unknown(canary, found)}"]
    lines = []
    for each in origins:
        lines.append(f"  {each.actor} of trial {each.trial}, {_segment(canary, each.what)}:")
        facts = {
            "role": each.role,
            "account": each.account,
            "visit": each.visit,
            "consultation": each.consultation,
            "scenario": each.scenario,
            "run": f"{each.run:05x} in {each.directory}",
            "user": f"{canary.user} of run {canary.run:05x}; canary {pack(canary):020d}",
            "note": "" if each.acknowledged else "the target never acknowledged that it took this",
        }
        lines += [f"    {name:<13}{fact}" for name, fact in facts.items() if fact]
    return lines


def _unknown(canary: Canary, found: Found) -> str:
    places = found.directories.get(canary.run, [])
    if not places:
        return "no stored run has that number"
    return f"no ledger in {_and(map(str, places))}, which may be that run, has this canary"


def _numbers(canary: Canary) -> str:
    return f"user {canary.user} of run {canary.run:05x}, {_segment(canary)}"


def _segment(canary: Canary, what: str = "") -> str:
    """Return call and medium in words; call 0 is none."""
    mode = what or (MODES[canary.mode] if canary.mode < len(MODES) else f"mode {canary.mode}")
    carried = f"on {mode}" if mode in ("audio", "video") else f"in a {mode}"
    return f"call {canary.call}, {carried}" if canary.call else carried


def _and(words: Iterable[str]) -> str:
    return " and ".join(words)


def _as_object(file: Looked, found: Found) -> dict[str, Any]:
    return {
        "file": file.name,
        "identified": file.is_identified,
        "outcome": file.outcome,
        "tracks": list(file.tracks),
        "duration_s": file.duration_s,
        "note": file.note,
        "timeline": [
            {
                "canary": f"{pack(each.canary):020d}",
                "where": each.where,
                "from_s": each.from_s,
                "to_s": each.to_s,
                "member": each.member,
            }
            for each in file.seen
        ],
        "canaries": [_canary(each, found) for each in dict.fromkeys(seen.canary for seen in file.seen)],
    }


def _canary(canary: Canary, found: Found) -> dict[str, Any]:
    return {
        "canary": f"{pack(canary):020d}",
        "run": canary.run,
        "user": canary.user,
        "call": canary.call,
        "what": MODES[canary.mode] if canary.mode < len(MODES) else None,
        "runs_of_that_number": [str(each) for each in found.directories.get(canary.run, [])],
        "origins": [_origin(each) for each in found.origins.get(canary, [])],
    }


def _origin(origin: Origin) -> dict[str, Any]:
    directory: Path = origin.directory
    return {
        "directory": str(directory),
        "run": origin.run,
        "trial": origin.trial,
        "scenario": origin.scenario,
        "actor": origin.actor,
        "role": origin.role,
        "account": origin.account,
        "visit": origin.visit,
        "consultation": origin.consultation,
        "what": origin.what,
        "acknowledged": origin.acknowledged,
    }
