"""One sweep while it goes on: deployment, story, tour, control."""

from __future__ import annotations

import asyncio
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import suppress
from dataclasses import dataclass, field, replace
from urllib.parse import urlsplit

from harness.drivers.api import Exchange
from harness.errors import UsageError
from harness.interruption import on_interrupt
from harness.model import Finding, Verdict
from harness.planning.plan import Group
from harness.running.deployment import Deployment
from harness.running.rigged import rigged
from harness.running.settings import Settings
from harness.running.trial import Rig
from harness.sweeping import directory
from harness.sweeping.asking.caller import Caller
from harness.sweeping.asking.cases import MAX_FOREIGN, Cases
from harness.sweeping.asking.reach import Reach, blind_spots
from harness.sweeping.asking.references import MAX_EACH, References
from harness.sweeping.asking.tour import OverError, TargetGoneError, Tour
from harness.sweeping.cast import Cast, Pen, assemble, has_broken, story_of, unproved
from harness.sweeping.control import Control, control
from harness.sweeping.describing import document as documents
from harness.sweeping.describing.document import Document
from harness.sweeping.describing.source import in_one_line
from harness.sweeping.judging.facts import MAX_THINGS, Facts
from harness.sweeping.judging.seeing import Eye
from harness.sweeping.outcome import Outcome
from harness.sweeping.replaying import replay
from harness.sweeping.wire.transfer import origin, shown
from harness.targets.described import as_described

EXAMPLES = 4
GENERATING = 0.8
"""The share of the budget after which no generated case is begun."""
MAX_EXCHANGES = 5_000


@dataclass(frozen=True, slots=True)
class Orders:
    """What a sweep is told. `reach` is the share of operations, 0 to 1, below which there is no verdict."""

    settings: Settings
    openapi: str | None = None
    budget_s: float = 120.0
    reach: float = 0.9
    public: tuple[str, ...] = ()


@dataclass(slots=True)
class Run:
    """One sweep while it goes on."""

    orders: Orders
    group: Group
    document: Document | None
    report: Callable[[str], None]
    facts: Facts = field(init=False)
    stop: threading.Event = field(default_factory=threading.Event)
    interrupted: bool = False
    doubts: list[str] = field(default_factory=list)
    exchanges: list[Exchange] = field(default_factory=list)
    too_many: bool = False
    """True when the story made more requests than are kept."""
    cast: Cast = field(default_factory=Cast)
    tour: Tour | None = None
    control: Control | None = None
    target: str = ""
    address: str = ""
    began_s: float = field(default_factory=time.monotonic)

    def __post_init__(self) -> None:
        self.facts = Facts(self.orders.public)

    async def run(self) -> None:
        """Deploy, tell the story, make the tour; an interruption ends it in order."""
        task = asyncio.current_task()

        def interrupt() -> None:
            self.interrupted = True
            self.stop.set()
            if task:
                task.cancel()

        with on_interrupt(interrupt):
            try:
                async with rigged(self.group, self.orders.settings, self.report) as (rig, deployment):
                    await self._sweep(rig, deployment)
            except asyncio.CancelledError:
                if not self.interrupted:
                    raise
            except Exception as error:
                if self.cast.result is None or (isinstance(error, UsageError) and not self._told()):
                    raise
                # Whatever it is that failed, what was found until then is told all the same.
                self.doubts.append(f"a fault after the story: {in_one_line(error)}")

    async def _sweep(self, rig: Rig, deployment: Deployment) -> None:
        target = rig.target
        self.target = target.name
        described = as_described(target)
        if self.document is None:
            if described is None:
                raise UsageError(
                    f"--target {self.orders.settings.target}: it does not say where its OpenAPI document is; "
                    "name it with --openapi"
                )
            self.document = await asyncio.to_thread(documents.read, described.openapi, f"--target {target.name}:")
        self.address = described.base_url if described else self._address(self.document)
        self.document = self.document.at(self.address)
        if described:
            described.observe(self.observe)
        self.report("telling the story that makes what is asked for")
        trial = self.group.plan.trials[0]
        ledger = directory.ledger(self.orders.settings.out, trial.id)
        try:
            scenario = story_of(rig.register.run)
            await assemble(self.cast, trial, scenario, rig, deployment, ledger, self.facts)
        finally:
            ledger.close()
        broken = has_broken(self.cast)
        if broken:
            self.doubts.append(f"the story that was to make data has no verdict: {broken}")
            return
        await self._tour(rig, deployment)

    async def _tour(self, rig: Rig, deployment: Deployment) -> None:
        if self.document is None:
            raise RuntimeError("no document was read")
        references = References(self.document, self.facts)
        caller = Caller(self.address, self.cast.credentials)
        self.tour = Tour(
            document=self.document,
            facts=self.facts,
            references=references,
            cases=Cases(
                self.facts, references, Pen(self.facts, rig).write, seed_=self.orders.settings.seed, examples=EXAMPLES
            ),
            caller=caller,
            eye=Eye(),
            people=self.cast.accounts,
            deadline_s=self.began_s + self.orders.budget_s,
            generate_until_s=self.began_s + GENERATING * self.orders.budget_s,
            stop=self.stop,
            report=self.report,
        )
        for operation in self.document.operations:
            self.tour.reach.setdefault(operation.label, Reach())
        try:
            await self._ask(self.tour)
        finally:
            self.stop.set()
            caller.close()
        if self.tour.unasked:
            self.doubts.append(f"the budget was over before all was asked; it ended at: {self.tour.unasked}")
        self.doubts += self.left_out()
        self.doubts += blind_spots(self.document.operations, self.tour.reach)
        self.doubts += [
            f"{label}: {unread}: whose it is could not be read" for label, unread in self.tour.unread.items()
        ]
        why = await unproved(deployment)
        if why:
            self.doubts.append(f"the flags were not proved to be served to the end: {why}")
        self.control = await asyncio.to_thread(control, self.facts, self.tour.samples, self.tour.eye)

    async def _ask(self, tour: Tour) -> None:
        try:
            await asyncio.to_thread(self._make, tour)
        except TargetGoneError as error:
            self.doubts.append(f"the target no longer answers: {error}")
        except Exception as error:  # noqa: BLE001 - whatever it is: what was found until then is told all the same
            self.doubts.append(f"the harness failed while it asked: {in_one_line(error)}")

    def _make(self, tour: Tour) -> None:
        accounts = {self.facts.people[account].name: account for account in self.cast.accounts}
        with suppress(OverError):
            replay(tour, self.exchanges, accounts, self.address)
            tour.run()

    def observe(self, exchange: Exchange) -> None:
        """Keep a request of the story's to be judged, MAX_EXCHANGES at most."""
        self.too_many = len(self.exchanges) >= MAX_EXCHANGES
        if not self.too_many:
            self.exchanges.append(exchange)

    def left_out(self) -> list[str]:
        """Return what was too much to be kept, and so was not judged."""
        kept = (
            (self.too_many, f"the story made more than {MAX_EXCHANGES:,} requests: what came after was not judged"),
            (self.facts.is_full, f"more than {MAX_THINGS:,} things were met: whose the others are is not known"),
        )
        alike = [
            f"{kinds} have numbers in common, such as {value}: whose is whose cannot be told"
            for kinds, value in self.facts.shared.items()
        ]
        return [*(doubt for is_so, doubt in kept if is_so), *alike]

    def _address(self, document: Document) -> str:
        """Return where requests are sent when the target does not say: to the document's address, and no other."""
        given = self.orders.openapi or ""
        parts = urlsplit(given if given.startswith(("http://", "https://")) else "")
        fetched_from = f"{parts.scheme}://{parts.netloc}" if parts.netloc else ""
        address = document.server or fetched_from
        if not address:
            raise UsageError(f"--openapi {document.source}: it names no server (http://...) that could be asked")
        its_server = f"--openapi {document.source}: its server {shown(address)}"
        if "{" in address:
            raise UsageError(f"{its_server} has a variable without a default")
        try:
            is_elsewhere = origin(address) != origin(fetched_from or address)
        except ValueError as error:
            raise UsageError(f"{its_server} is no address") from error
        if is_elsewhere:
            raise UsageError(
                f"--openapi {document.source}: it comes from {shown(fetched_from)} and its server is {shown(address)}: "
                "give it as a file to ask there"
            )
        # A password is for the document: as part of the address it would be sent as everybody.
        return shown(address)

    def outcome(self) -> Outcome:
        """Return what is known."""
        tour = self.tour
        return Outcome(
            target=self.target or self.orders.settings.target,
            document=self.document.source if self.document else "",
            address=self.address,
            combination=self.group.plan.trials[0].combination,
            seed=self.orders.settings.seed,
            called={account: self.facts.called(account) for account in self.cast.accounts},
            reach=tour.reach if tour else {},
            found=tuple(tour.found.values()) if tour else (),
            told=self._told(),
            control=self.control,
            bound=self.orders.reach,
            requests=tour.caller.sent if tour else 0,
            elapsed_s=time.monotonic() - self.began_s,
            doubts=tuple(self.doubts),
            remarks=tuple(_remarks(tour)) if tour else (),
            interrupted=self.interrupted,
            broken=self.document.broken if self.document else (),
        )

    def _told(self) -> list[Finding]:
        """Return what the oracle found in the story itself."""
        result = self.cast.result
        return [self._plain(each) for each in result.findings if each.verdict is Verdict.INVALID] if result else []

    def _plain(self, finding: Finding) -> Finding:
        """Return a finding of the story's in which people are called as in all the others, without their tokens."""
        sentence = finding.sentence
        for account in self.cast.accounts:
            person = self.facts.people[account]
            sentence = sentence.replace(person.name, person.called)
        return replace(finding, sentence=sentence)


def _remarks(tour: Tour) -> Iterator[str]:
    """Yield what a reader of the outcome should know, and what decides nothing."""
    yield from (f"{label}: {what}" for label, what in (*tour.accepted.items(), *tour.named.items()))
    for kind, example in tour.facts.weak_kinds().items():
        yield f"{kind} {example}: like a plain number or word: it accuses where a key or a path names its kind, only"
    if tour.cut_short:
        yield f"{tour.cut_short}: left early, for want of time"
    yield from (f"{what} ({times} times)" for what, times in tour.faults.items())
    yield from (f"{label}: no cases could be generated ({why})" for label, why in tour.cases.failed.items())
    for label in sorted(tour.cases.shortened):
        yield f"{label}: of the foreign references that are known, {MAX_FOREIGN} a person were tried"
    for name in sorted(tour.references.full):
        yield f"{name}: more than {MAX_EACH} values were met, and the others not tried"
