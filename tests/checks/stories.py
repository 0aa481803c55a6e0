"""Hand-built ledgers: `sound()` is a whole trial that proves something, `story()` an empty one to fill by hand.

Visit `visit-N` is the target's consultation `con-N`, and `rec-N` is its recording. Every verb writes the intent
and the outcome of one call, as the harness does, and returns the story.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import replace

from harness.ledger import HARNESS, Action, Entry, Ledger, Outcome
from harness.model import Medium, short_id

CAST = {"alice": "patient", "bob": "patient", "chen": "clinician"}
TICK_S = 0.001
"""From one entry to the next."""
FLAGS = {"replay-cache": "on", "video-upgrade": "off"}


def canary(actor: str, visit: str, medium: Medium = "video") -> str:
    """Return the canary, 20 digits, that an actor emits in a visit."""
    return f"{int(short_id(actor, visit, medium), 16):020d}"


def item(recording: str, consultation: str = "", elsewhere: str | None = None) -> dict[str, str | None]:
    """Return an entry of a replay list."""
    consultation = consultation or recording.replace("rec", "con")
    return {"recording": recording, "consultation": consultation, "medium": "video", "elsewhere": elsewhere}


def word(actor: str, what: str, visit: str = "") -> str:
    """Return the canary, 20 digits, of words that an actor writes."""
    return canary(actor, f"{what} {visit}", "audio")


def _words(values: tuple[str, ...], refs: tuple[str, ...]) -> dict[str, object]:
    return {
        "texts": [{"value": value, "owner": "eve of trial 0000beef"} for value in values],
        "refs": [{"consultation": ref, "elsewhere": None} for ref in refs],
    }


class Story:
    """A ledger in the making."""

    def __init__(self, entries: Iterable[Entry] = ()) -> None:
        before = list(entries)
        self._now_s = 0.0
        self._ledger = Ledger(entries=before, clock=self._tick)
        self._now_s = before[-1].at_s + TICK_S if before else 0.0

    def _tick(self) -> float:
        now_s, self._now_s = self._now_s, self._now_s + TICK_S
        return now_s

    def ledger(self) -> Ledger:
        """Return the ledger as it stands."""
        return self._ledger

    def call(self, actor: str, action: Action, outcome: Outcome, asked: Mapping[str, object], **told: object) -> Story:
        """Write an intent with what was asked; unless that is all there was, its outcome with what was told."""
        intent = self._ledger.intend(actor, action, **asked)
        if outcome is not Outcome.INTENT:
            error = {} if outcome is Outcome.OK else {"error": "409 refused" if outcome is Outcome.FAIL else "silence"}
            self._ledger.conclude(intent, outcome, **(told if outcome is Outcome.OK else error))
        return self

    def proves(
        self, *actors: str, outcome: Outcome = Outcome.OK, differs: str = "", wanted: Mapping[str, str] = FLAGS
    ) -> Story:
        """Ask the target, as these actors, for their flags."""
        differences = [differs] if differs else []
        for actor in actors:
            self.call(actor, Action.FLAGS, outcome, {"wanted": dict(wanted)}, seen={}, differences=differences)
        return self

    def books(self, patient: str, visit: str, outcome: Outcome = Outcome.OK, consultation: str = "") -> Story:
        """Book a visit with Chen."""
        consultation = consultation or visit.replace("visit", "con")
        asked = {"visit": visit, "clinician": "chen", "medium": "video"}
        return self.call(patient, Action.BOOK, outcome, asked, consultation=consultation)

    def joins(self, actor: str, visit: str, outcome: Outcome = Outcome.OK) -> Story:
        """Enter the call."""
        return self.call(actor, Action.JOIN, outcome, {"visit": visit})

    def emits(self, actor: str, visit: str, outcome: Outcome = Outcome.OK) -> Story:
        """Send a clip into the call."""
        return self.call(
            actor, Action.EMIT, outcome, {"visit": visit, "medium": "video", "canary": canary(actor, visit)}
        )

    def switches(self, actor: str, visit: str, medium: Medium, outcome: Outcome = Outcome.OK) -> Story:
        """Change the call's medium."""
        return self.call(actor, Action.SWITCH, outcome, {"visit": visit, "medium": medium})

    def ends(self, visit: str, outcome: Outcome = Outcome.OK) -> Story:
        """Let Chen end the call."""
        return self.call("chen", Action.END, outcome, {"visit": visit})

    def holds(self, patient: str, visit: str) -> Story:
        """Book a visit and hold it, the patient and Chen on video, to its end."""
        self.books(patient, visit)
        for actor in (patient, "chen"):
            self.joins(actor, visit).emits(actor, visit)
        return self.ends(visit)

    def writes(
        self,
        actor: str,
        what: str,
        *,
        visit: str = "",
        to: tuple[str, ...] = (),
        outcome: Outcome = Outcome.OK,
    ) -> Story:
        """Write words that carry a canary."""
        asked = {"what": what, "visit": visit, "to": list(to), "canary": word(actor, what, visit)}
        return self.call(actor, Action.WRITE, outcome, asked)

    def reads(
        self,
        actor: str,
        surface: str,
        *values: str,
        about: str = "",
        refs: tuple[str, ...] = (),
        outcome: Outcome = Outcome.OK,
    ) -> Story:
        """Read a page and find canaries in its words, and consultations that it names."""
        return self.call(actor, Action.READ, outcome, {"surface": surface, "about": about}, **_words(values, refs))

    def hears(self, actor: str, *values: str, refs: tuple[str, ...] = ()) -> Story:
        """Be told something by a live channel."""
        found = _words(values, refs)
        self._ledger.note(actor, Action.HEAR, surface="live-updates", texts=found["texts"], refs=found["refs"])
        return self

    def shares(self, recording: str, carer: str = "carol", outcome: Outcome = Outcome.OK) -> Story:
        """Let Alice share a recording of visit-1."""
        asked = {"visit": "visit-1", "recording": recording, "carer": carer}
        return self.call("alice", Action.SHARE, outcome, asked)

    def revokes(self, recording: str, carer: str = "carol", outcome: Outcome = Outcome.OK) -> Story:
        """Let Alice take it back."""
        asked = {"visit": "visit-1", "recording": recording, "carer": carer}
        return self.call("alice", Action.REVOKE, outcome, asked)

    def hands_over(self, visit: str, clinician: str, outcome: Outcome = Outcome.OK) -> Story:
        """Let Chen hand a call over."""
        return self.call("chen", Action.HAND_OVER, outcome, {"visit": visit, "clinician": clinician})

    def switches_replays(self, *, is_open: bool, outcome: Outcome = Outcome.OK) -> Story:
        """Let the operator open or close replay access."""
        return self.call("olga", Action.ACCESS, outcome, {"open": is_open})

    def passes(self, seconds: float) -> Story:
        """Let time go by."""
        self._now_s += seconds
        return self

    def told(self, error: str = "", *, assertion: bool = False) -> Story:
        """End the story, well or with an error."""
        if error:
            self._ledger.note(HARNESS, Action.STORY, Outcome.FAIL, error=error, assertion=assertion)
        else:
            self._ledger.note(HARNESS, Action.STORY)
        return self

    def records(self, patient: str, visit: str, *recordings: str, outcome: Outcome = Outcome.OK) -> Story:
        """Ask the target what was recorded in a visit."""
        items = [{"recording": recording, "medium": "video"} for recording in recordings]
        return self.call(patient, Action.RECORDINGS, outcome, {"visit": visit}, items=items)

    def lists(self, actor: str, *items: Mapping[str, str | None], outcome: Outcome = Outcome.OK) -> Story:
        """Ask for a replay list."""
        return self.call(actor, Action.LIST, outcome, {"surface": "replay-list"}, items=list(items))

    def opens(
        self,
        actor: str,
        recording: str,
        *canaries: str,
        reading: str = "canaries",
        size: int = 9000,
        direct: bool = False,
        surface: str = "",
        outcome: Outcome = Outcome.OK,
        sha256: str = "",
        words: tuple[str, ...] = (),
        **content: object,
    ) -> Story:
        """Open a recording, listed or by a direct reference, and find canaries in it."""
        surface = surface or ("replay-media" if direct else "replay-list")
        asked = {"surface": surface, "recording": recording, "direct": direct}
        sightings = [
            {"value": value, "track": "video", "owner": "eve of trial 0000beef", "first_s": float(at)}
            for at, value in enumerate(canaries)
        ]
        told = {"outcome": reading, "canaries": sightings, **content}
        return self.call(
            actor, Action.OPEN, outcome, asked, size=size, sha256=sha256, content=told, **_words(words, ())
        )

    def tries(self, actor: str, *recordings: str) -> Story:
        """Try recordings directly, and be refused."""
        for recording in recordings:
            self.opens(actor, recording, direct=True, outcome=Outcome.FAIL)
        return self

    def closed(self, served: str = "") -> Ledger:
        """Prove everybody's flags once more, and that they were served to the end unless `served` says why not."""
        self.proves(*CAST)
        if served:
            self._ledger.note(HARNESS, Action.FLAGS, Outcome.FAIL, error=served)
        else:
            self._ledger.note(HARNESS, Action.FLAGS)
        return self._ledger

    def with_deed(self, deed: Callable[[Story], Story]) -> Story:
        """Return the story with more done before its end; the entries after it are numbered anew."""
        entries = list(self._ledger)
        end = next(entry.seq for entry in entries if entry.action is Action.STORY)
        told = list(deed(Story(entries[:end])).ledger())
        shift = len(told) - end
        rest = (replace(e, seq=e.seq + shift, of=None if e.of is None else e.of + shift) for e in entries[end:])
        return Story([*told, *rest])

    def without(self, action: Action, actor: str = "", **data: object) -> Story:
        """Return the story with the calls left out that fit; the entries are numbered anew."""
        kept = [
            entry
            for entry in self._ledger
            if entry.action is not action
            or (actor and entry.actor != actor)
            or any(entry.data.get(name) != value for name, value in data.items())
        ]
        number = {entry.seq: seq for seq, entry in enumerate(kept)}
        return Story(
            Entry(number[e.seq], e.at_s, e.actor, e.action, e.outcome, e.data, None if e.of is None else number[e.of])
            for e in kept
        )


Surfaces = Mapping[str, Sequence[Mapping[str, object]]]
"""Actor -> what their driver declares."""


def declares(name: str, about: str = "oneself", *needs: str) -> dict[str, object]:
    """Return a surface as a trial's first entry declares it."""
    return {"name": name, "about": about, "needs": list(needs)}


def story(
    *not_offered: str,
    cast: Mapping[str, str] = CAST,
    grace_s: float = 0.0,
    policy: str = "",
    surfaces: Surfaces | None = None,
) -> Story:
    """Return a trial that has only begun; `not_offered` is what its combination takes away."""
    new = Story()
    new.ledger().note(
        HARNESS,
        Action.TRIAL,
        trial="3f9a2c00",
        scenario="two_visits",
        combination=dict(FLAGS),
        seed=7,
        run=1,
        cast=dict(cast),
        not_offered=list(not_offered),
        grace_s=grace_s,
        policy=policy,
        surfaces={} if surfaces is None else surfaces,
    )
    return new


def sound(*not_offered: str, surfaces: Surfaces | None = None) -> Story:
    """Return a trial that lacks only `closed()`: Alice and Bob each saw Chen, and all that must be asked was."""
    new = story(*not_offered, surfaces=surfaces).proves(*CAST).holds("alice", "visit-1").holds("bob", "visit-2").told()
    new.records("alice", "visit-1", "rec-1").records("bob", "visit-2", "rec-2")
    if "replays" in not_offered:
        for actor in CAST:
            new.lists(actor, outcome=Outcome.FAIL).tries(actor, "rec-1", "rec-2")
        return new
    new.lists("alice", item("rec-1")).lists("bob", item("rec-2")).lists("chen", item("rec-1"), item("rec-2"))
    for patient, visit, recording in (("alice", "visit-1", "rec-1"), ("bob", "visit-2", "rec-2")):
        for viewer in (patient, "chen"):
            new.opens(viewer, recording, canary(patient, visit), canary("chen", visit))
    return new.tries("alice", "rec-2").tries("bob", "rec-1")
