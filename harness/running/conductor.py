"""Runs an engine in a thread of its own, so that whoever waits for a trial's result may be ordinary code."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Callable
from concurrent.futures import Future
from dataclasses import dataclass, field

import uvloop

from harness.model import Trial
from harness.running.engine import Engine, Watcher
from harness.running.trial import TrialResult

STOP_S = 4.0


@dataclass(slots=True)
class Conductor:
    """The run as seen from outside its event loop. Start it, ask for results, stop it."""

    watcher: Watcher
    results: list[TrialResult] = field(default_factory=list)
    error: str = ""
    _futures: dict[str, Future[TrialResult]] = field(default_factory=dict)
    _ready: Future[None] = field(default_factory=Future)
    _thread: threading.Thread | None = None
    _cancel: Callable[[], None] | None = None
    _is_ended: threading.Event = field(default_factory=threading.Event)

    def start(self, engine: Engine) -> None:
        """Start the engine; return when the first trial may begin, raise what kept it from beginning."""
        self._futures = {trial.id: Future() for trial in engine.plan.trials}
        self._thread = threading.Thread(target=self._run, args=(engine,), name="engine", daemon=True)
        self._thread.start()
        self._ready.result()

    def result(self, trial: Trial) -> TrialResult:
        """Wait for a trial's result; raise the engine's own error when it failed before."""
        return self._futures[trial.id].result()

    def stop(self) -> None:
        """Cancel what still runs, let it clean up, and end the thread; harmless when it has ended."""
        if self._thread and self._thread.is_alive():
            # An engine that has delivered everything is cleaning up already: a cancellation would cut that short.
            is_done = all(future.done() for future in self._futures.values())
            if not (is_done and self._is_ended.wait(STOP_S)) and self._cancel:
                self._cancel()
            self._is_ended.wait(STOP_S)
            self._thread.join(0.2)

    def phase(self, text: str) -> None:
        """Pass on what is being prepared."""
        self.watcher.phase(text)

    def ready(self) -> None:
        """Let `start` return."""
        self._ready.set_result(None)

    def finished(self, result: TrialResult) -> None:
        """Keep a result and hand it to whoever waits for it."""
        self.results.append(result)
        self._futures[result.trial.id].set_result(result)
        self.watcher.finished(result)

    def _run(self, engine: Engine) -> None:
        try:
            with asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner:
                runner.run(self._main(engine))
        except BaseException as error:
            self.error = self.error or f"the engine failed: {type(error).__name__}: {error}"
            self._release(error)
            raise
        finally:
            self._is_ended.set()

    async def _main(self, engine: Engine) -> None:
        task = asyncio.ensure_future(engine.run())
        loop = asyncio.get_running_loop()
        self._cancel = lambda: _cancel_from_outside(loop, task)
        try:
            await asyncio.wait([task])
            error = None if task.cancelled() else task.exception()
            if error:
                self.error = f"the engine failed: {type(error).__name__}: {error}"
            self._release(error or asyncio.CancelledError("the run was stopped"))
        finally:
            self._is_ended.set()

    def _release(self, error: BaseException) -> None:
        """Let nobody wait for ever: what has no result by now gets the error."""
        if not self._ready.done():
            self._ready.set_exception(error)
        for future in self._futures.values():
            if not future.done():
                future.set_exception(error)


def _cancel_from_outside(loop: asyncio.AbstractEventLoop, task: asyncio.Task[None]) -> None:
    if not loop.is_closed():
        loop.call_soon_threadsafe(task.cancel)
