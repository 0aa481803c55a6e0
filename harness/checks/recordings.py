"""What a recording must be: of a consultation, in the medium that it is called, in order, and there once."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator, Mapping
from typing import Any

from harness.checks.meetings import reference
from harness.ledger import Action, Entry, Ledger, Outcome
from harness.model import Finding, Verdict
from harness.provenance import READ, REPLAY_LIST, Emission, Provenance, derive

EMPTY = "empty"
WHOLE = (READ, "partial")


def phantom_media(ledger: Ledger) -> list[Finding]:
    """Every replay holds something of the consultation that it is of; an uncertain emission leaves that unknown."""
    provenance = derive(ledger)
    found: dict[str, Finding] = {}
    for entry, visit in _own(ledger):
        recording = entry.data["recording"]
        emitted = [each for each in provenance.emissions.values() if each.visit == visit]
        is_empty = entry.data["content"]["outcome"] == EMPTY
        if recording in found or not (is_empty or not emitted):
            continue
        certain = all(each.entry.outcome in (Outcome.OK, Outcome.FAIL) for each in emitted)
        what = "holds nothing" if is_empty else "is there although nobody was seen or heard"
        found[recording] = Finding(
            check="phantom-media",
            verdict=Verdict.INVALID if certain else Verdict.UNKNOWN,
            sentence=f"{entry.actor}'s {_surface(entry)} held {recording} of {visit}, which {what}"
            + ("" if certain else ": whether all that was emitted there arrived is not known"),
            viewer=entry.actor,
            surface=entry.data["surface"],
            recording=recording,
            evidence=(entry.seq,),
        )
    return list(found.values())


def wrong_medium(ledger: Ledger) -> list[Finding]:
    """A recording has pictures if it is called video and none if it is called audio, and its parts are in order."""
    provenance = derive(ledger)
    called = dict(_called(ledger))
    found: dict[str, Finding] = {}
    for entry, visit in _own(ledger):
        recording, content = entry.data["recording"], entry.data["content"]
        if content["outcome"] not in WHOLE or recording in found:
            continue
        why = _contradiction(called.get(recording, ""), content, provenance) or _disorder(content, provenance)
        if why:
            found[recording] = Finding(
                check="wrong-medium",
                verdict=Verdict.INVALID,
                sentence=f"{recording} of {visit}, which {entry.actor} opened, {why}",
                degree="proved",
                viewer=entry.actor,
                surface=entry.data["surface"],
                recording=recording,
                evidence=(entry.seq,),
            )
    return list(found.values())


def duplicate_media(ledger: Ledger) -> list[Finding]:
    """The same media is not there under more references than the times that it was sent."""
    provenance = derive(ledger)
    same: dict[tuple[str, frozenset[int]], dict[str, Entry]] = defaultdict(dict)
    for entry, _ in _own(ledger):
        content = entry.data["content"]
        mark = content.get("packets") or entry.data.get("sha256", "")
        if content["outcome"] == READ and mark:
            canaries = frozenset(int(each["value"]) for each in content["canaries"])
            same[mark, canaries].setdefault(entry.data["recording"], entry)
    return [
        _duplicate(entries, canaries, provenance)
        for (_, canaries), entries in same.items()
        if len(entries) > _attempts(canaries, provenance, ledger)
    ]


def _own(ledger: Ledger) -> Iterator[tuple[Entry, str]]:
    """Yield each entry in which somebody opened a replay from their own list, by its id their own, with its visit."""
    for entry in ledger.of(Action.OPEN):
        meeting = reference(ledger, entry)
        is_listed = entry.data["surface"] == REPLAY_LIST and not entry.data["direct"]
        if is_listed and meeting and meeting.standing == "entitled":
            yield entry, meeting.origin


def _called(ledger: Ledger) -> Iterator[tuple[str, str]]:
    """Yield each recording with the medium that the target says it has; the last word counts."""
    for action in (Action.RECORDINGS, Action.LIST):
        for entry in ledger.of(action):
            for item in entry.data["items"]:
                yield item["recording"], item["medium"]


def _contradiction(called: str, content: Mapping[str, Any], provenance: Provenance) -> str:
    tracks = content.get("tracks")
    if tracks is not None and called == "audio" and "video" in tracks:
        return "is called audio and has pictures"
    if tracks is not None and called == "video" and "video" not in tracks:
        return "is called video and has no pictures"
    for sighting in content["canaries"]:
        emission = provenance.emissions.get(int(sighting["value"]))
        if emission and emission.medium == "audio" and sighting["track"] == "video":
            return f"has pictures where {emission.actor} was on audio only"
    return ""


def _disorder(content: Mapping[str, Any], provenance: Provenance) -> str:
    """Say which part of somebody's stands before an earlier one, which was over before that one began."""
    parts: dict[tuple[str, str], list[tuple[float, Emission]]] = defaultdict(list)
    for sighting in content["canaries"]:
        emission = provenance.emissions.get(int(sighting["value"]))
        if emission and "first_s" in sighting:
            parts[emission.actor, sighting["track"]].append((sighting["first_s"], emission))
    for (actor, _), seen in parts.items():
        for first_s, emission in seen:
            for other_s, other in seen:
                over, begun = emission.entry, other.entry.of
                if over.outcome is Outcome.OK and begun is not None and over.seq < begun and first_s > other_s:
                    return f"has {actor}'s {other.medium} before the {emission.medium} that came earlier"
    return ""


def _attempts(canaries: frozenset[int], provenance: Provenance, ledger: Ledger) -> int:
    """Return how often media with all of these canaries may rightly be there: what is of several is one composite."""
    owners = {provenance.emissions[each].actor for each in canaries if each in provenance.emissions}
    if len(owners) != 1:
        return 1
    refused = {entry.of for entry in ledger.of(Action.EMIT, Outcome.FAIL)}
    sent = [
        entry
        for entry in ledger.of(Action.EMIT, Outcome.INTENT)
        if int(entry.data["canary"]) in canaries and entry.seq not in refused
    ]
    return max(1, len(sent))


def _duplicate(entries: Mapping[str, Entry], canaries: frozenset[int], provenance: Provenance) -> Finding:
    first = next(iter(entries.values()))
    emissions = [provenance.emissions[each] for each in sorted(canaries) if each in provenance.emissions]
    whose = " and ".join(dict.fromkeys(each.actor for each in emissions)) or "somebody"
    visit = emissions[0].visit if emissions else "a visit"
    return Finding(
        check="duplicate-media",
        verdict=Verdict.INVALID,
        sentence=f"the same media of {whose} in {visit} is there {len(entries)} times: {', '.join(entries)}",
        degree="proved",
        viewer=first.actor,
        owner=whose,
        surface=first.data["surface"],
        recording=first.data["recording"],
        evidence=tuple(entry.seq for entry in entries.values()),
    )


def _surface(entry: Entry) -> str:
    return str(entry.data["surface"]).replace("-", " ")
