"""The control: what is known to be somebody else's is slipped into real answers, and must be found in each."""

from __future__ import annotations

import io
import json
import zipfile
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace

from harness.sweeping.facts import ACCOUNT, CONSULTATION, NAME, RECORDING, Facts, Thing
from harness.sweeping.judging import Request, judge
from harness.sweeping.seeing import Answer, Eye

Sample = tuple[str, Request, Answer]


@dataclass(frozen=True, slots=True)
class Control:
    """What was slipped in and what of it was found; `missed` says what was not, or why nothing could be."""

    slipped: int
    missed: tuple[str, ...]

    @property
    def has_seen(self) -> bool:
        """True when something was slipped in and all of it was found."""
        return self.slipped > 0 and not self.missed


def control(facts: Facts, samples: Sequence[Sample]) -> Control:
    """Slip a foreign identifier, a canary in digits and foreign media into real answers, and judge them anew."""
    slipped, missed, kinds = 0, [], set()
    for what, viewer, request, answer in _slips(facts, samples):
        slipped += 1
        kinds.add(what)
        leaks, _ = judge(facts, viewer, request, answer, Eye())
        if not leaks:
            missed.append(f"{what} slipped into {request.operation}")
    nowhere = [needed for needed in ("an identifier", "media") if needed not in kinds]
    missed += [f"{needed} could be slipped into no answer: there was none to take" for needed in nowhere]
    return Control(slipped, tuple(missed))


def _slips(facts: Facts, samples: Sequence[Sample]) -> Iterator[tuple[str, str, Request, Answer]]:
    """Yield each kind of slip once, into the first answer that takes it."""
    texts = [(viewer, request, answer) for viewer, request, answer in samples if isinstance(answer.json(), dict)]
    files = [sample for sample in samples if _has_own_canary(facts, sample)]
    for viewer, request, answer in texts:
        thing = _somebody_elses(facts, viewer)
        if thing is None or facts.people[viewer].oversees:
            continue
        slipped = json.dumps({**answer.json(), "slipped": [{"id": thing.value}]}).encode()
        yield "an identifier", viewer, request, replace(answer, body=slipped)
        yield "a header", viewer, request, replace(answer, headers={**answer.headers, "X-Slipped": thing.value})
        canary = next(
            (value for value, (_, visit) in facts.canaries.items() if not facts.may_hear(viewer, visit)), None
        )
        if canary is not None:
            page = f"<html><body>Sorry, {canary:020d} failed</body></html>".encode()
            yield "an error page", viewer, request, Answer(500, headers={"Content-Type": "text/html"}, body=page)
        break
    for _, request, answer in files:
        other = next((who for who in facts.people if not _may_all(facts, who, answer)), None)
        if other is None:
            continue
        yield "media", other, request, answer
        packed = io.BytesIO()
        with zipfile.ZipFile(packed, "w") as archive:
            archive.writestr("1.webm", answer.body)
        yield (
            "an export",
            other,
            request,
            replace(answer, headers={"Content-Type": "application/zip"}, body=packed.getvalue()),
        )
        break


def _somebody_elses(facts: Facts, viewer: str) -> Thing | None:
    kinds = (CONSULTATION, RECORDING, ACCOUNT, NAME)
    return next(
        (thing for thing in facts.things.values() if thing.kind in kinds and not facts.may_see(viewer, thing)), None
    )


def _has_own_canary(facts: Facts, sample: Sample) -> bool:
    viewer, _, answer = sample
    if not answer.content_type.startswith(("audio/", "video/")):
        return False
    heard = Eye().look(answer).canaries
    return any(each.value in facts.canaries and facts.may_hear(viewer, facts.canaries[each.value][1]) for each in heard)


def _may_all(facts: Facts, viewer: str, answer: Answer) -> bool:
    return all(
        facts.may_hear(viewer, facts.canaries[each.value][1])
        for each in Eye().look(answer).canaries
        if each.value in facts.canaries
    )
