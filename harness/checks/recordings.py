"""What a recording must be: of a consultation, in the medium that it is called, in order, and there once."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from harness.checks.meetings import listed, reference, span
from harness.ledger import Action, Attempt, Entry, Ledger
from harness.model import Finding, Verdict
from harness.provenance import READ, REPLAY_LIST, Provenance, derive

EMPTY = "empty"
WHOLE = (READ, "partial")


def phantom_media(ledger: Ledger) -> list[Finding]:
    """Every replay holds something of the consultation that it is of; an uncertain emission leaves that unknown."""
    sent: dict[str, list[Attempt]] = defaultdict(list)
    for attempt in ledger.attempts(Action.EMIT):
        sent[attempt.begun.data["visit"]].append(attempt)
    found: dict[str, Finding] = {}
    for entry, visit in _own(ledger):
        if entry.data["content"]["outcome"] == EMPTY:
            recording, is_certain = entry.data["recording"], all(attempt.done for attempt in sent[visit])
            found.setdefault(recording, _phantom(entry, recording, visit, "holds nothing", is_certain=is_certain))
    for entry, recording, visit in _listed_after_the_end(ledger):
        if recording not in found and not sent[visit]:
            found[recording] = _phantom(entry, recording, visit, "is there although nobody was seen or heard")
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
        why = _contradiction(called.get(recording, ""), content, provenance) or _disorder(content, ledger)
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
        canaries = frozenset(int(each["value"]) for each in content["canaries"])
        # What is another trial's is told as foreign; how often it was sent is not known here.
        if content["outcome"] == READ and mark and canaries and canaries <= provenance.emissions.keys():
            same[mark, canaries].setdefault(entry.data["recording"], entry)
    sent = _sent(ledger)
    return [
        _duplicate(entries, canaries, provenance)
        for (_, canaries), entries in same.items()
        if len(entries) > _may_be_there(canaries, provenance, sent)
    ]


def _own(ledger: Ledger) -> Iterator[tuple[Entry, str]]:
    """Yield each entry in which somebody opened a replay from their own list, by its id their own, with its visit."""
    for entry in ledger.of(Action.OPEN):
        meeting = reference(ledger, entry)
        is_listed = entry.data["surface"] == REPLAY_LIST and not entry.data["direct"]
        if is_listed and meeting and meeting.standing == "entitled":
            yield entry, meeting.origin


def _listed_after_the_end(ledger: Ledger) -> Iterator[tuple[Entry, str, str]]:
    """Yield each own recording that a list held when its visit had ended, with the list and the visit."""
    ended = {entry.data["visit"]: entry.seq for entry in reversed(ledger.of(Action.END))}
    for entry in ledger.of(Action.LIST):
        for item, meeting in listed(ledger, entry):
            if meeting and meeting.standing == "entitled" and ended.get(meeting.origin, len(ledger)) < span(entry)[0]:
                yield entry, item["recording"], meeting.origin


def _phantom(entry: Entry, recording: str, visit: str, what: str, *, is_certain: bool = True) -> Finding:
    doubt = "" if is_certain else ": whether all that was emitted there arrived is not known"
    return Finding(
        check="phantom-media",
        verdict=Verdict.INVALID if is_certain else Verdict.UNKNOWN,
        sentence=f"{entry.actor}'s {_surface(entry)} held {recording} of {visit}, which {what}{doubt}",
        viewer=entry.actor,
        surface=entry.data["surface"],
        recording=recording,
        evidence=(entry.seq,),
    )


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


def _disorder(content: Mapping[str, Any], ledger: Ledger) -> str:
    """Say which part of somebody's stands before an earlier one, which was over before that one began."""
    sent = _sent(ledger)
    emissions = derive(ledger).emissions
    parts: dict[tuple[str, str, str], list[tuple[float, int]]] = defaultdict(list)
    for sighting in content["canaries"]:
        canary = int(sighting["value"])
        if canary in emissions and "first_s" in sighting:
            emission = emissions[canary]
            parts[emission.actor, emission.visit, sighting["track"]].append((sighting["first_s"], canary))
    for (actor, _, _), seen in parts.items():
        for first_s, one in seen:
            for other_s, other in seen:
                is_over = all(earlier.is_over_before(later) for earlier in sent[one] for later in sent[other])
                if one != other and is_over and first_s > other_s:
                    return (
                        f"has {actor}'s {emissions[other].medium} before the {emissions[one].medium} that came earlier"
                    )
    return ""


def _sent(ledger: Ledger) -> dict[int, list[Attempt]]:
    """Return each canary with the attempts to emit it that were not definitely refused."""
    sent: dict[int, list[Attempt]] = defaultdict(list)
    for attempt in ledger.attempts(Action.EMIT):
        sent[int(attempt.begun.data["canary"])].append(attempt)
    return sent


def _may_be_there(canaries: frozenset[int], provenance: Provenance, sent: Mapping[int, Sequence[Attempt]]) -> int:
    """Return how often media with all of these canaries may rightly be there: what is of several is one composite."""
    if len({provenance.emissions[each].actor for each in canaries}) > 1:
        return 1
    return max(1, min(len(sent[each]) for each in canaries))


def _duplicate(entries: Mapping[str, Entry], canaries: frozenset[int], provenance: Provenance) -> Finding:
    first = next(iter(entries.values()))
    emissions = sorted((provenance.emissions[each] for each in canaries), key=lambda each: each.entry.seq)
    whose = " and ".join(dict.fromkeys(each.actor for each in emissions))
    visit = emissions[0].visit
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
