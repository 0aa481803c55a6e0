"""The control: what is known to be somebody else's is slipped into real answers, and must be found in each."""

from __future__ import annotations

import io
import json
import zipfile
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace

from harness.sweeping.judging.facts import ACCOUNT, CONSULTATION, NAME, RECORDING, TEXT, Facts, Thing
from harness.sweeping.judging.judge import Request, judge
from harness.sweeping.judging.seeing import Answer, Eye

Sample = tuple[str, Request, Answer]
Slip = tuple[str, str, str, Request, Answer]
"""What it is, the value that must be found, to whom it is shown, and in answer to what."""
KINDS = (CONSULTATION, RECORDING, ACCOUNT, NAME)


@dataclass(frozen=True, slots=True)
class Control:
    """What was slipped in and what of it was found; `missed` says what was not, or why nothing could be."""

    slipped: int
    missed: tuple[str, ...]

    @property
    def has_seen(self) -> bool:
        """True when something was slipped in and all of it was found."""
        return self.slipped > 0 and not self.missed


def control(facts: Facts, samples: Sequence[Sample], eye: Eye) -> Control:
    """Slip foreign references of every kind, a canary in digits and media into real answers, and judge them anew."""
    slipped, missed, kinds = 0, [], set()
    for what, expected, viewer, request, answer in (*_slips(facts, samples, eye), *_kinds(facts, samples)):
        slipped += 1
        kinds.add(what)
        leaks, _ = judge(facts, viewer, request, answer, eye)
        if not any(leak.value == expected for leak in leaks):
            missed.append(f"{what} slipped into {request.operation}")
    nowhere = [needed for needed in ("an identifier", "media") if needed not in kinds]
    missed += [f"{needed} could be slipped into no answer: there was none to take" for needed in nowhere]
    return Control(slipped, tuple(missed))


def _kinds(facts: Facts, samples: Sequence[Sample]) -> Iterator[Slip]:
    """Yield a reference of each kind of thing, slipped in under the name of its kind where it is somebody else's."""
    left = list(dict.fromkeys(thing.kind for thing in facts.things.values() if thing.kind != TEXT))
    for viewer, request, answer in samples:
        for kind in list(left):
            thing = _somebody_elses(facts, viewer, (kind,))
            if thing and isinstance(answer.json(), dict) and not facts.people[viewer].oversees:
                left.remove(kind)
                slipped = json.dumps({**answer.json(), kind: thing.value}).encode()
                yield f"a reference ({kind})", thing.value, viewer, request, replace(answer, body=slipped)


def _slips(facts: Facts, samples: Sequence[Sample], eye: Eye) -> Iterator[Slip]:
    """Yield each kind of slip once, with the value that must be found, in the first answer that takes it."""
    texts = [(viewer, request, answer) for viewer, request, answer in samples if isinstance(answer.json(), dict)]
    files = [sample for sample in samples if _has_own_canary(facts, sample, eye)]
    for viewer, request, answer in texts:
        thing = _somebody_elses(facts, viewer)
        if thing is None or facts.people[viewer].oversees:
            continue
        slipped = json.dumps({**answer.json(), "slipped": [{"id": thing.value}]}).encode()
        yield "an identifier", thing.value, viewer, request, replace(answer, body=slipped)
        headers = {**answer.headers, "X-Slipped": thing.value}
        yield "a header", thing.value, viewer, request, replace(answer, headers=headers)
        canary = next(
            (value for value, (_, visit) in facts.canaries.items() if not facts.may_hear(viewer, visit)), None
        )
        if canary is not None:
            digits = f"{canary:020d}"
            page = f"<html><body>Sorry, {digits} failed</body></html>".encode()
            page_answer = Answer(500, headers={"Content-Type": "text/html"}, body=page)
            yield "an error page", digits, viewer, request, page_answer
        break
    for _, request, answer in files:
        other, digits = next(
            ((who, digits) for who in facts.people if (digits := _not_theirs(facts, who, answer, eye))), ("", "")
        )
        if not other:
            continue
        yield "media", digits, other, request, answer
        packed = io.BytesIO()
        with zipfile.ZipFile(packed, "w") as archive:
            archive.writestr("1.webm", answer.body)
        yield (
            "an export",
            digits,
            other,
            request,
            replace(answer, headers={"Content-Type": "application/zip"}, body=packed.getvalue()),
        )
        break


def _somebody_elses(facts: Facts, viewer: str, kinds: Sequence[str] = KINDS) -> Thing | None:
    return next(
        (thing for thing in facts.things.values() if thing.kind in kinds and not facts.may_see(viewer, thing)), None
    )


def _has_own_canary(facts: Facts, sample: Sample, eye: Eye) -> bool:
    viewer, _, answer = sample
    if not answer.content_type.startswith(("audio/", "video/")):
        return False
    heard = eye.look(answer).canaries
    return any(each.value in facts.canaries and facts.may_hear(viewer, facts.canaries[each.value][1]) for each in heard)


def _not_theirs(facts: Facts, viewer: str, answer: Answer, eye: Eye) -> str:
    """Return the digits of a canary in media that somebody may not hear, empty when there is none."""
    return next(
        (
            f"{each.value:020d}"
            for each in eye.look(answer).canaries
            if each.value in facts.canaries and not facts.may_hear(viewer, facts.canaries[each.value][1])
        ),
        "",
    )
