"""The tour: asks what the itinerary says, judges and learns, until all is asked or the budget is over."""

from __future__ import annotations

import hashlib
import time
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field
from threading import Event

from requests import PreparedRequest

from harness.sweeping.asking import pages
from harness.sweeping.asking.caller import Caller, NoAnswerError, UnfollowedError, UnsendableError, as_request
from harness.sweeping.asking.cases import Call, Cases
from harness.sweeping.asking.curl import as_curl
from harness.sweeping.asking.found import Findings, keep
from harness.sweeping.asking.itinerary import Itinerary
from harness.sweeping.asking.reach import How, Reach
from harness.sweeping.asking.references import References, entitle, learn
from harness.sweeping.describing.document import Document, Operation
from harness.sweeping.describing.source import in_one_line
from harness.sweeping.judging.facts import RECORDING, Facts, Thing
from harness.sweeping.judging.judge import Request, judge
from harness.sweeping.judging.seeing import Answer, Eye

READS = 4
"""How many references of one's own are read at an operation."""
MAX_SILENCES = 20
"""So many calls in a row without an answer, and the target counts as gone."""
SAMPLES = 20
"""How many answers of text, and of media, are kept for the control."""
MAX_REDIRECTS = 5
PAGE = "text/html"
FORBIDDEN = (401, 403)
PATIENCE = 3
"""After so many refusals of the person, and not of the reference, nothing more is tried as them."""


class TargetGoneError(Exception):
    """The target no longer answers."""


class OverError(Exception):
    """The budget is over, or the sweep was interrupted."""


@dataclass(slots=True)
class Tour:
    """Asks everything. Afterwards `reach` has every operation, `found` the findings, `unasked` where time was over.

    Generated cases are asked as long as there is time for them: `cut_short` names the step that was left early.
    """

    document: Document
    facts: Facts
    references: References
    cases: Cases
    caller: Caller
    eye: Eye
    people: Sequence[str]
    deadline_s: float
    generate_until_s: float
    """When generated cases have to end, so that there is time for what follows them."""
    stop: Event
    report: Callable[[str], None]
    reach: dict[str, Reach] = field(default_factory=dict)
    found: Findings = field(default_factory=dict)
    faults: dict[str, int] = field(default_factory=dict)
    accepted: dict[str, str] = field(default_factory=dict)
    named: dict[str, str] = field(default_factory=dict)
    """Operations that named somebody out of nothing in the answer to a creation, and whom."""
    unread: dict[str, str] = field(default_factory=dict)
    unasked: str = ""
    cut_short: str = ""
    samples: list[tuple[str, Request, Answer]] = field(default_factory=list)
    _silences: int = 0

    def run(self) -> None:
        """Make the tour; raise TargetGoneError. What time is not for stands in `unasked`."""
        for operation in self.document.operations:
            self.reach.setdefault(operation.label, Reach())
        itinerary = Itinerary(self.document, self.facts, self.references, self.cases, self.people, self.reach)
        for name, step in itinerary.steps():
            self.report(f"{name}, {self.caller.sent:,} requests so far")
            try:
                for operation, viewer, how, calls in step:
                    if how == "generated" and time.monotonic() > self.generate_until_s:
                        self.cut_short = name
                        break
                    self._ask(operation, viewer, how, calls)
            except OverError:
                self.unasked = self.unasked or name
                return

    def _ask(self, operation: Operation, viewer: str | None, how: How, calls: Iterable[Call]) -> None:
        """Send calls; with own references those that change something until one is answered with success."""
        wanted = (READS if operation.is_safe else 1) if how == "own" else None
        if operation.is_stream:
            # An endless answer costs its whole deadline: everybody listens once.
            if (viewer, how) in self.reach[operation.label].statuses or how == "generated":
                return
            wanted = 1
        successes = refusals = 0
        for call in calls:
            status = self.send(call, viewer, how)
            successes += 200 <= status < 300
            refusals = refusals + 1 if status in FORBIDDEN else 0
            if wanted is not None and (successes >= wanted or (not successes and refusals >= PATIENCE)):
                return

    def send(self, call: Call, viewer: str | None, how: How) -> int:
        """Send one call, judge and learn; return its status, 0 for no answer. Raise OverError or TargetGoneError."""
        self.require_time()
        label = call.operation.label
        try:
            request, answer, prepared = self.caller.send(call, viewer)
        except UnsendableError:
            self._fault(f"{label}: a case that no client can send")
            return 0
        except NoAnswerError as error:
            self._silences += 1
            self.reach[label].add(viewer, how, 0)
            self._fault(f"{label}: {error}")
            theirs = entitle(self.facts, call.operation, viewer, call.given, refused=False)
            if viewer and theirs is not None:
                learn(self.facts, self.document, call.operation, viewer, call.given, theirs, None)
            if self._silences >= MAX_SILENCES:
                raise TargetGoneError(str(error)) from error
            return 0
        self._silences = 0
        curl = self._curl(prepared, viewer, call.operation)
        self.take(call.operation, viewer, how, request, answer, call.given, curl=curl)
        final = self._elsewhere(call, viewer, how, request, answer, prepared, curl)
        # Whoever is sent to a page has met the one for signing in, or may have: it is not what was asked for.
        status = final.status if final.content_type != PAGE else answer.status
        self.reach[label].add(viewer, how, status)
        if status >= 500:
            self._fault(f"{label}: {status}")
        if 200 <= status < 300:
            self._succeeded(call, viewer, how, status)
            if viewer and how == "own" and call.operation.method == "GET" and not call.operation.is_stream:
                self._read_on(call, viewer, final, prepared)
        return status

    def _read_on(self, call: Call, viewer: str, first: Answer, sent: PreparedRequest) -> None:
        """Read the pages that follow, as the same viewer."""
        operation, names = call.operation, pages.parameters(call.operation)

        def takes(mark: str) -> bool:
            return bool(names) or pages.is_address(mark, operation, self.document)

        marks = pages.marks_of(first)
        if marks and not any(map(takes, marks)):
            self._fault(f"{operation.label}: it names a next page, and no parameter that would take it")
            return

        def page(mark: str) -> Answer | None:
            self.require_time()
            for name in names if not pages.is_address(mark, operation, self.document) else ("",):
                try:
                    if name:
                        asked = self.cases.page(call, name, mark)
                        request, answer, next_sent = self.caller.send(asked, viewer)
                    else:
                        answer, next_sent = self.caller.fetch(mark, sent, viewer, operation)
                        request = as_request(operation.label, sent)
                except (UnsendableError, NoAnswerError, UnfollowedError):
                    continue
                curl = self._curl(next_sent, viewer, operation)
                self.take(operation, viewer, "own", request, answer, call.given, curl=curl)
                if 200 <= answer.status < 300:
                    return answer
            return None

        left = pages.read_on(first, page, takes)
        if left:
            self.unread.setdefault(operation.label, f"{left}, {self._to(viewer)}")

    def _curl(self, sent: PreparedRequest, viewer: str | None, operation: Operation) -> Callable[[], str]:
        return lambda: as_curl(sent, self.facts.called(viewer), self.facts, self.caller.secrets, operation.path)

    def _elsewhere(
        self,
        call: Call,
        viewer: str | None,
        how: How,
        request: Request,
        answer: Answer,
        sent: PreparedRequest,
        curl: Callable[[], str],
    ) -> Answer:
        """Follow redirects, and judge what stands at their end as if the operation itself had said it."""
        operation, why = call.operation, ""

        def located() -> str:
            return curl().replace("curl ", "curl --location ", 1)

        for _ in range(MAX_REDIRECTS):
            if not answer.is_redirect or why:
                break
            try:
                found, sent = self.caller.follow(sent, answer, viewer, operation)
            except (UnfollowedError, NoAnswerError) as error:
                why = str(error)
            else:
                answer = found
                self.take(operation, viewer, how, request, answer, call.given, curl=located)
        if answer.is_redirect and how == "foreign":
            told = why or f"more than {MAX_REDIRECTS} of them"
            self.unread.setdefault(operation.label, f"a redirect that was not followed ({told}), {self._to(viewer)}")
        return answer

    def _to(self, viewer: str | None) -> str:
        return f"served to {self.facts.called(viewer)}"

    def require_time(self, step: str = "") -> None:
        """Raise OverError when the budget is over or the sweep was interrupted, at a step that is then left."""
        if self.stop.is_set() or time.monotonic() > self.deadline_s:
            self.unasked = self.unasked or step
            raise OverError

    def _fault(self, what: str) -> None:
        self.faults[what] = self.faults.get(what, 0) + 1

    def take(
        self,
        operation: Operation,
        viewer: str | None,
        how: How,
        request: Request,
        answer: Answer,
        given: Sequence[str],
        *,
        curl: Callable[[], str],
    ) -> None:
        """Judge an answer and learn from it; where that fails nobody knows what it held, and that is a doubt."""
        try:
            self._judge(operation, viewer, how, request, answer, given, curl)
        except Exception as error:  # noqa: BLE001 - an answer may hold anything, and the others are to be judged, too
            why = f"an answer that could not be judged ({in_one_line(error)}), {self._to(viewer)}"
            self.unread.setdefault(operation.label, why)

    def _judge(
        self,
        operation: Operation,
        viewer: str | None,
        how: How,
        request: Request,
        answer: Answer,
        given: Sequence[str],
        curl: Callable[[], str],
    ) -> None:
        """Judge an answer by what is known and what the request entitles to, and only then learn from it."""
        is_success = 200 <= answer.status < 300
        document = answer.json() if is_success else None
        theirs = entitle(self.facts, operation, viewer, given, refused=not is_success and answer.status < 500)
        leaks, seen = judge(self.facts, viewer, request, answer, self.eye)
        for leak in leaks:
            keep(self.found, leak, how, answer.status, curl)
        if viewer and theirs is not None:
            for account in learn(self.facts, self.document, operation, viewer, given, theirs, document):
                who, whom = self.facts.called(viewer), self.facts.called(account)
                self.named.setdefault(operation.label, f"what {who} made named {whom}, whom no request had named")
        if answer.cut_short and not operation.is_stream:
            seen.unread.append(f"body: cut short after {len(answer.body):,} bytes")
        for unread in seen.unread:
            self.unread.setdefault(operation.label, f"{unread}, {self._to(viewer)}")
        if is_success and viewer and how in ("story", "own") and not leaks:
            self.references.harvest(operation, document)
            self._own_file(given, viewer, answer)
            is_file = answer.content_type.startswith(("audio/", "video/"))
            alike = sum(is_file == each.content_type.startswith(("audio/", "video/")) for _, _, each in self.samples)
            if alike < SAMPLES:
                self.samples.append((viewer, request, answer))

    def _own_file(self, given: Sequence[str], viewer: str, answer: Answer) -> None:
        """Remember a file as that of the one recording by whose reference its owner was served it."""
        named = [thing for value in given if (thing := self.facts.find(value)) and thing.kind == RECORDING]
        is_file = answer.content_type.startswith(("audio/", "video/", "image/"))
        if is_file and len(named) == 1 and self.facts.may_see(viewer, named[0]) and not answer.cut_short:
            self.facts.files.setdefault(hashlib.sha256(answer.body).hexdigest(), named[0].value)

    def _succeeded(self, call: Call, viewer: str | None, how: How, status: int) -> None:
        if how == "own":
            for name, value in call.named:
                self.references.add(name, value, is_newest=True)
        thing: Thing | None = call.thing
        if how == "foreign" and thing and thing.value in call.in_path:
            who = self.facts.called(viewer)
            self.accepted.setdefault(
                call.operation.label,
                f"{who} was answered {status} with the {thing.kind} of {self.facts.called(thing.owner)}",
            )
