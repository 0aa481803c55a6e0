"""What a sweep shows: a verdict and its findings as people read them, and sweep.json."""

from __future__ import annotations

import json
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from harness.model import OFF, printable
from harness.running.directory import write_whole
from harness.running.settings import DEFAULT_TARGET
from harness.sweeping.asking.found import Found
from harness.sweeping.asking.reach import Reach
from harness.sweeping.outcome import Outcome

SCHEMA = 1
REPORT = "sweep.json"
SHOWN, TOLD = 12, 3
"""How many findings are printed, and how many of the story's; sweep.json has all."""
NOBODY = "not signed in"


def text(outcome: Outcome) -> str:
    """Return the whole as people read it, the verdict in its first line."""
    on = " ".join(f"{flag}={variant}" for flag, variant in outcome.combination.items() if variant != OFF)
    lines = [
        sentence(outcome),
        f"  asked       {len(outcome.reach)} operations, {outcome.requests:,} requests in {outcome.elapsed_s:.0f} s",
        f"  document    {outcome.document}",
        f"  as          {', '.join(outcome.called.values())}, and {NOBODY}",
        f"  flags       {on or 'all off'} (the others off)",
        f"  reached     {len(outcome.proved)} of {outcome.described} with own data ({outcome.share:.1%})",
    ]
    lines += [f"  unknown     {reason}" for reason in outcome.unknown]
    if outcome.control and outcome.control.has_seen:
        lines.append(f"  control     found, {outcome.control.slipped} of {outcome.control.slipped}")
    lines += ["", *_found(outcome), *_asked_again(outcome)] if outcome.findings else []
    if outcome.told:
        lines += ["", "the story itself leaked, as `harness run` would have said"]
        lines += [f"     {each.check}, {each.degree}: {each.sentence}" for each in outcome.told[:TOLD]]
        left = len(outcome.told) - TOLD
        lines += [f"     and {left} more in {outcome.report or REPORT}"] if left > 0 else []
    if outcome.not_proved:
        lines += ["", "not proved: nobody was let in with what is theirs"]
        lines += [f"  {label:<50} {_statuses(outcome.reach[label])}" for label in outcome.not_proved]
    if outcome.broken:
        lines += ["", "not proved: the document does not say how to ask", *(f"  {why}" for why in outcome.broken)]
    if outcome.remarks:
        lines += ["", "remarks", *(f"  {remark}" for remark in outcome.remarks)]
    lines += [f"report: {outcome.report}"] if outcome.report else []
    return printable("\n".join(lines))


def _asked_again(outcome: Outcome) -> list[str]:
    """Return how to get what the commands ask: the reference clinic ends with its sweep."""
    if not outcome.again:
        return []
    gone = "  (the clinic has ended with this sweep, and its references with it)"
    return [f"again: {outcome.again}{gone if outcome.target == DEFAULT_TARGET else ''}"]


def sentence(outcome: Outcome) -> str:
    """Return the sweep in one sentence."""
    if outcome.interrupted:
        return f"sweep of {outcome.target}: interrupted, {len(outcome.found)} findings so far"
    owners = {found.leak.owner for found in outcome.found}
    what = {
        "valid": "no answer held anything of somebody else's",
        "unknown": outcome.unknown[0] if outcome.unknown else "",
        "invalid": f"{_count(len(outcome.found), 'finding')}, data of {_count(len(owners), 'owner')} met"
        if outcome.found
        else "the story itself leaked",
    }[outcome.verdict.value]
    return f"sweep of {outcome.target}: {outcome.verdict.value.upper()}: {what}"


def _count(number: int, word: str) -> str:
    return f"{number} {word}{'' if number == 1 else 's'}"


def _found(outcome: Outcome) -> list[str]:
    """Return the worst finding of each operation with its command, and who met whose data there."""
    by_operation: dict[str, list[Found]] = {}
    for found in outcome.findings:
        by_operation.setdefault(found.leak.operation, []).append(found)
    lines = []
    for number, there in enumerate(list(by_operation.values())[:SHOWN], 1):
        worst = there[0]
        lines += [f"{number:>3}  foreign_data, {worst.leak.degree}: {worst.leak.sentence}", f"     {worst.curl}"]
        lines += [f"     {len(there)} findings: {_met(there, outcome)}"] if len(there) > 1 else []
    left = sum(len(there) for there in list(by_operation.values())[SHOWN:])
    return [*lines, f"     and {left} more in {outcome.report or REPORT}"] if left else lines


def _met(findings: Sequence[Found], outcome: Outcome) -> str:
    """Return whose data each viewer met, such as `alice <- bob, diaz`."""
    owners: dict[str, list[str]] = {}
    for found in findings:
        viewer = NOBODY if found.leak.viewer is None else outcome.called.get(found.leak.viewer, found.leak.viewer)
        owners.setdefault(viewer, []).append(outcome.called.get(found.leak.owner, found.leak.owner))
    return "; ".join(f"{viewer} <- {', '.join(dict.fromkeys(met))}" for viewer, met in owners.items())


def _statuses(reach: Reach) -> str:
    """Return the statuses that came with own references, or with any when there were none."""
    own: dict[int, int] = {}
    anyhow: dict[int, int] = {}
    for (_, how), counted in reach.statuses.items():
        for status, times in counted.items():
            anyhow[status] = anyhow.get(status, 0) + times
            if how in ("own", "story"):
                own[status] = own.get(status, 0) + times
    told = own or anyhow
    words = [f"{status or 'no answer'} x{times}" for status, times in sorted(told.items())]
    return ", ".join(words) or "never asked: there was nothing of one's own to ask for"


def write(outcome: Outcome, directory: Path) -> None:
    """Write DIR/sweep.json, whole or not at all."""
    write_whole(directory / REPORT, json.dumps(_writable(as_json(outcome)), indent=1) + "\n")


def _writable(node: Any) -> Any:
    """Return JSON of which every text is Unicode: not every reader takes half a pair of surrogates."""
    if isinstance(node, str):
        return printable(node)
    if isinstance(node, dict):
        return {printable(key): _writable(value) for key, value in node.items()}
    return [_writable(each) for each in node] if isinstance(node, list) else node


def as_json(outcome: Outcome) -> dict[str, Any]:
    """Return the outcome as docs/sweep.md describes it."""
    return {
        "schema": SCHEMA,
        "verdict": outcome.verdict.value,
        "exit_code": int(outcome.exit_code),
        "sentence": sentence(outcome),
        "interrupted": outcome.interrupted,
        "unknown": list(outcome.unknown),
        "target": outcome.target,
        "address": outcome.address,
        "document": outcome.document,
        "combination": dict(outcome.combination),
        "seed": outcome.seed,
        "again": outcome.again,
        "people": list(outcome.called.values()),
        "requests": outcome.requests,
        "elapsed_s": round(outcome.elapsed_s, 1),
        "reached": len(outcome.proved),
        "operations": [_operation(label, reach, outcome) for label, reach in outcome.reach.items()],
        "reach": round(outcome.share, 4),
        "reach_wanted": outcome.bound,
        "not_proved": list(outcome.not_proved),
        "not_understood": list(outcome.broken),
        "findings": [_finding(found, outcome) for found in outcome.findings],
        "story": [
            {"check": each.check, "verdict": each.verdict.value, "degree": each.degree, "sentence": each.sentence}
            for each in outcome.told
        ],
        "control": None
        if outcome.control is None
        else {"slipped": outcome.control.slipped, "missed": list(outcome.control.missed)},
        "remarks": list(outcome.remarks),
    }


def _operation(label: str, reach: Reach, outcome: Outcome) -> dict[str, Any]:
    actors: dict[str, dict[str, Any]] = {}
    for (account, how), counted in reach.statuses.items():
        name = NOBODY if account is None else outcome.called.get(account, account)
        actor = actors.setdefault(name, {"reached": reach.by(account), "statuses": {}})
        actor["statuses"][how] = {str(status or "none"): times for status, times in sorted(counted.items())}
    return {"operation": label, "reached": reach.is_reached, "actors": actors}


def _finding(found: Found, outcome: Outcome) -> dict[str, Any]:
    leak = found.leak
    return {
        "check": "foreign_data",
        "degree": leak.degree,
        "operation": leak.operation,
        "viewer": NOBODY if leak.viewer is None else outcome.called.get(leak.viewer, leak.viewer),
        "owner": outcome.called.get(leak.owner, leak.owner),
        "what": leak.what,
        "where": leak.where,
        "how": found.how,
        "status": found.status,
        "sentence": leak.sentence,
        "curl": found.curl,
    }
