"""Who read or was pushed words that they may not see: foreign-text on pages, pushed-foreign on live channels."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from harness.checks.meetings import ELSEWHERE, SHOWING, Meeting, named, words
from harness.ledger import Action, Entry, Ledger
from harness.model import Degree, Finding, Verdict


def foreign_text(ledger: Ledger) -> list[Finding]:
    """No page and nothing that goes with a recording holds somebody else's words, or names their visit."""
    shown = (entry for action in SHOWING for entry in ledger.of(action))
    return list(_strange("foreign-text", ledger, shown))


def pushed_foreign(ledger: Ledger) -> list[Finding]:
    """Nothing is pushed to somebody that holds another's words, or names a visit in which they have no part."""
    return list(_strange("pushed-foreign", ledger, ledger.of(Action.HEAR)))


def _strange(check: str, ledger: Ledger, entries: Iterable[Entry]) -> Iterator[Finding]:
    """Yield one finding for what a viewer met of one owner on one surface: the words before the visit's mere name."""
    found: dict[tuple[str, str, str, str], tuple[Degree, Meeting, list[int]]] = {}
    for entry in entries:
        met: list[tuple[Degree, Meeting]] = [("proved", each) for each in words(ledger, entry)]
        # What names a visit beside a recording is told of the recording.
        if entry.action in (Action.READ, Action.HEAR):
            met += [("presented", each) for each in named(ledger, entry)]
        for degree, meeting in met:
            if meeting.is_foreign or _is_misplaced(meeting):
                key = meeting.viewer, entry.data["surface"], meeting.owner, meeting.origin
                known = found.setdefault(key, (degree, meeting, []))
                known[2].extend([*meeting.made, entry.seq])
                if degree == "proved" and known[0] != "proved":
                    found[key] = degree, meeting, known[2]
    for degree, meeting, evidence in found.values():
        yield _finding(check, degree, meeting, evidence)


def _is_misplaced(meeting: Meeting) -> bool:
    """True for what one person measured on the page of another, though the viewer may see both."""
    about = meeting.entry.data.get("about", "")
    return bool(about) and meeting.what == "metric" and meeting.owner != about


def _finding(check: str, degree: Degree, meeting: Meeting, evidence: list[int]) -> Finding:
    verb = "brought" if meeting.entry.action is Action.HEAR else "showed"
    surface = meeting.entry.data["surface"]
    about = meeting.entry.data.get("about", "")
    here = "" if meeting.origin in ("", ELSEWHERE) else f" in {meeting.origin}"
    where = f"{meeting.viewer}'s {surface.replace('-', ' ')}" + (f" of {about}" if about else "")
    what = f"named the visit of {meeting.owner}{here}"
    if degree == "proved":
        what = f"{verb} {meeting.told}"
    why = f"which {meeting.viewer} may not see" if meeting.is_foreign else f"which is not {about}'s"
    return Finding(
        check=check,
        verdict=Verdict.INVALID,
        sentence=f"{where} {what}, {why}",
        degree=degree,
        viewer=meeting.viewer,
        owner=meeting.owner,
        surface=surface,
        recording=meeting.recording,
        evidence=tuple(sorted(set(evidence))),
    )
