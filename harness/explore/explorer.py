"""The exploration: a deployment after the other, programs until the budget ends or one fails, then the smallest."""

from __future__ import annotations

import asyncio
import time
from collections.abc import AsyncIterator, Mapping, Sequence
from contextlib import AsyncExitStack, aclosing, asynccontextmanager, suppress
from dataclasses import dataclass, field, replace
from functools import partial

from harness.checks import NAMES
from harness.errors import HarnessError
from harness.explore.budget import deployments, shares_s
from harness.explore.interleave import Variants, generate
from harness.explore.play import DIED, Played, Player
from harness.explore.program import AtOnce, Book, Program, Verb
from harness.explore.render import scenario_of
from harness.explore.shrink import Shrinking
from harness.explore.tally import Leak, Onlooker, Tally
from harness.ledger import Ledger
from harness.model import Catalogue, Combination, Verdict
from harness.planning.covering import covering
from harness.planning.exhaustive import count
from harness.planning.held import held
from harness.planning.plan import Claim, Group, Literals, plan_of
from harness.running.control import Control, control
from harness.running.rank import COUNTED
from harness.running.rigged import rigged
from harness.running.settings import Settings

MAX_TRIALS = 1_500
"""On one deployment, since a target's storage ends somewhere; then comes the next, after the last one the first."""
TRIES = 3
"""How often a program that failed among others is played alone before it is said that it cannot be told again."""
ENDING_S = 2.0
"""What is kept of the budget for ending what was started."""
BATCHES_A_ROUND = 4
MAX_RETOLD = 20
CONTROL_STORY = (
    Book(0, "alice", "chen", "audio"),
    Book(1, "bob", "chen", "audio"),
    AtOnce((Verb("hold", 0, ("alice", "chen")), Verb("hold", 1, ("bob", "chen")))),
)


@dataclass(slots=True)
class Explorer:
    """Explores once. After `run`, or when it was cut short, its fields say what came of it."""

    settings: Settings
    catalogue: Catalogue
    began_s: float
    budget_s: float
    onlooker: Onlooker
    tally: Tally = field(default_factory=Tally)
    leak: Leak | None = None
    unknown: list[Played] = field(default_factory=list)
    controls: list[Control] = field(default_factory=list)
    doubts: list[str] = field(default_factory=list)
    requests: int = 0
    interrupted: bool = False
    _batch: int = 0
    _start_s: float = 3.0

    @property
    def ends_s(self) -> float:
        """When the budget ends, on the monotonic clock."""
        return self.began_s + self.budget_s

    async def run(self) -> None:
        """Explore until something fails or the budget ends.

        Raises UsageError and FlagError from before the first trial; from then on all that goes wrong is in `doubts`.
        """
        kinds = deployments(self.catalogue)
        usual = dict(self.catalogue.baseline)
        changes = [sum(usual[flag] != variant for flag, variant in shared) for shared in kinds]
        shares = shares_s(changes, self.ends_s - time.monotonic())
        chosen = [(shared, share_s) for shared, share_s in zip(kinds, shares, strict=True) if share_s]
        self.tally.left_out = list(kinds)
        while not self._is_over:
            for number, (shared, share_s) in enumerate(chosen):
                last = number == len(chosen) - 1
                until_s = self.ends_s if last else min(time.monotonic() + share_s, self.ends_s)
                await self._explore(shared, until_s)
                if self._is_over:
                    break
        if not self.tally.trials and not self.doubts:
            self.doubts.append(f"the budget of {self.budget_s:g} s ended before the first trial")
        if self.leak and self.leak.alone:
            await self._confirm_on_fresh(self.leak)

    @property
    def _is_over(self) -> bool:
        found = self.leak is not None and self.leak.alone
        return found or bool(self.doubts) or self.ends_s - time.monotonic() < ENDING_S

    async def _explore(self, shared: Literals, until_s: float) -> None:
        try:
            async with self._deployed(shared) as player:
                self.tally.begin(shared)
                self.onlooker.phase("running the control: a foreign item that must be found")
                async with asyncio.timeout(max(0.0, self.ends_s - time.monotonic())):
                    self.controls.append(await self._control(player, shared))
                if not self.controls[-1].found:
                    is_alive = await player.deployment.target.is_alive()
                    self.doubts.append(self.controls[-1].sentence if is_alive else DIED)
                    return
                self.onlooker.phase("making up stories")
                variants = Variants(self.catalogue, dict(shared))
                await self._play(player, variants, until_s)
                if player.stopped:
                    self.doubts.append(player.stopped)
        except TimeoutError:
            return
        except HarnessError as error:
            if not self.tally.trials:
                raise
            self.doubts.append(f"a further deployment could not be proved: {error}")

    @asynccontextmanager
    async def _deployed(self, shared: Literals) -> AsyncIterator[Player]:
        """Start a deployment within the budget; raise TimeoutError when it does not come up in time."""
        began_s = time.monotonic()
        async with AsyncExitStack() as stack:
            async with asyncio.timeout(max(0.0, self.ends_s - began_s)):
                settings, group = self.settings, self._group(shared)
                rig, deployment = await stack.enter_async_context(rigged(group, settings, self.onlooker.phase))
            self._start_s = max(self._start_s, time.monotonic() - began_s)
            try:
                yield Player(rig, deployment, self.settings.seed)
            finally:
                self.requests += deployment.target.requests

    def _group(self, shared: Literals) -> Group:
        """Return the deployment's combinations that are proved to be served before the first trial."""
        catalogue = held(self.catalogue, shared) if shared else self.catalogue
        rows = covering(catalogue, 1)
        plan = plan_of(catalogue, rows, Claim("selection", count(catalogue)), ["explored"], self.settings.seed)
        return Group(shared, plan)

    async def _control(self, player: Player, shared: Literals) -> Control:
        base = self._group(shared).base
        scenario = scenario_of(Program(CONTROL_STORY, base), "control")
        return await control(scenario, base, self.settings.seed, player.rig, Ledger())

    async def _play(self, player: Player, variants: Variants, until_s: float) -> None:
        """Play round after round until one program fails by itself, and shrink that one."""
        while time.monotonic() < until_s and not player.stopped and player.plays < MAX_TRIALS:
            seeds = await self._round(player, variants)
            failed: list[Played] = []
            doubtful: list[Played] = []
            # What is being played when something has failed is played to its end: it may fail with less.
            waiting = (program for program in seeds if not any(each.reason for each in failed))
            with suppress(TimeoutError):
                async with asyncio.timeout(until_s - time.monotonic()), aclosing(player.play_all(waiting)) as played:
                    async for each in played:
                        self.tally.take(each)
                        self.onlooker.tried(self.tally)
                        if each.result.verdict is Verdict.INVALID:
                            failed.append(each)
                        elif each.result.verdict is Verdict.UNKNOWN:
                            doubtful.append(each)
            failed += await self._retry_doubtful(player, doubtful)
            if failed and await self._choose_and_shrink(player, variants, seeds, failed):
                return

    async def _round(self, player: Player, variants: Variants) -> dict[Program, int]:
        """Return the next programs that were not played on this deployment, each with the seed of its batch."""
        seeds: dict[Program, int] = {}
        for _ in range(BATCHES_A_ROUND):
            seed = self.settings.seed * 1_000_003 + self._batch
            self._batch += 1
            await asyncio.to_thread(generate, variants, seed, partial(_note, seeds, seed))
        return {program: seed for program, seed in seeds.items() if program not in player.known}

    async def _retry_doubtful(self, player: Player, doubtful: list[Played]) -> list[Played]:
        """Tell again, alone, what had no verdict among others, and return what fails then; keep what has none again."""
        failed: list[Played] = []
        for played in doubtful:
            if player.stopped:
                break
            again = played
            if len(self.unknown) < MAX_RETOLD:
                with suppress(TimeoutError):
                    async with asyncio.timeout(max(0.0, self.ends_s - time.monotonic())):
                        again = await player.play(played.program)
            if again.result.verdict is Verdict.UNKNOWN:
                self.unknown.append(again)
                continue
            self.tally.settle(again)
            if again.result.verdict is Verdict.INVALID:
                failed.append(again)
        return failed

    async def _choose_and_shrink(
        self, player: Player, variants: Variants, seeds: Mapping[Program, int], failed: list[Played]
    ) -> bool:
        """Shrink the smallest program that fails alone; False, with a note of it, when none does."""
        failed.sort(key=lambda played: (_rank(played), played.program.size(self.catalogue)))
        elapsed_s = time.monotonic() - self.began_s
        if self.leak is None:
            self.onlooker.found(failed[0], self.tally)
            self.leak = Leak(failed[0], failed[0], self.tally.trials, elapsed_s, alone=False)
        for played in failed[:TRIES]:
            try:
                again = await self._fails_alone(player, played)
            except TimeoutError:
                return False
            if again is None:
                continue
            self.leak = Leak(played, again, self.tally.trials, elapsed_s)
            await self._shrink(player, variants, seeds[played.program], self.leak)
            return True
        return False

    async def _fails_alone(self, player: Player, played: Played, *, confirmed: bool = False) -> Played | None:
        """Play what failed among others alone; return it when it fails for the same reason.

        Raises TimeoutError when the budget ends before that is known.
        """
        # A badge that counts everybody's counts the first try, too, at the second.
        is_counted = confirmed and played.reason is not None and played.reason.check == COUNTED
        for _ in range(TRIES if played.reason and not is_counted else 1):
            if player.stopped:
                return None
            async with asyncio.timeout(max(0.0, self.ends_s - time.monotonic())):
                again = await player.play(played.program, confirmed=confirmed)
            if again.reason and (played.reason is None or again.reason.check == played.reason.check):
                return again
        return None

    async def _shrink(self, player: Player, variants: Variants, seed: int, leak: Leak) -> None:
        began_s = time.monotonic()
        spare_s = self.ends_s - began_s
        look_s = 2 * self._start_s + ENDING_S
        until_s = self.ends_s - (look_s if spare_s > 2 * look_s else ENDING_S)
        shrinking = Shrinking(leak.smallest, seed, until_s, self.catalogue, self.onlooker.shrunk)
        try:
            await shrinking.run(player, variants)
        finally:
            leak.smallest, leak.is_smallest, leak.plays = shrinking.best, shrinking.is_smallest, shrinking.plays
            leak.shrinking_s = time.monotonic() - began_s

    async def _confirm_on_fresh(self, leak: Leak) -> None:
        """Play the smallest on a deployment that has seen nothing else: with the usual shared flags if it fails so."""
        program = leak.smallest.program
        shared = self.catalogue.shared(program.combination)
        usual = self.catalogue.shared(self.catalogue.baseline)
        plain = Combination(tuple((dict(program.combination) | dict(usual)).items()))
        plain_program = Program(program.steps, plain)
        if (
            shared != usual
            and self.catalogue.allows(plain)
            and await self._fails_on_fresh(leak, usual, [plain_program])
        ):
            return
        leak.fresh = None
        # What earlier trials left behind may have helped to shrink it; then the first that failed is a better story.
        is_counted = leak.smallest.reason is not None and leak.smallest.reason.check == COUNTED
        await self._fails_on_fresh(leak, shared, [program] if is_counted else [program, leak.first.program])

    async def _fails_on_fresh(self, leak: Leak, shared: Literals, programs: Sequence[Program]) -> bool:
        """Play programs on a new deployment until one fails as the leak does; keep that one, and True."""
        if self.ends_s - time.monotonic() < self._start_s + ENDING_S:
            return False
        self.onlooker.phase("telling it again on a fresh deployment")
        try:
            async with self._deployed(shared) as player, asyncio.timeout(max(0.0, self.ends_s - time.monotonic())):
                for program in programs:
                    again = await self._fails_alone(player, replace(leak.smallest, program=program), confirmed=True)
                    leak.fresh = again is not None
                    if again:
                        leak.is_smallest = leak.is_smallest and program.steps == leak.smallest.program.steps
                        leak.smallest = again
                        return True
        except TimeoutError:
            return False
        except HarnessError as error:
            leak.hindrance = str(error)
        return False


def _rank(played: Played) -> int:
    """Return where a failure stands: by the order of the checks, and last what is of another trial's media alone."""
    return NAMES.index(played.reason.check) if played.reason else len(NAMES)


def _note(seeds: dict[Program, int], seed: int, program: Program) -> None:
    """Keep with a program the seed that makes it, the first one that did."""
    seeds.setdefault(program, seed)
