"""Prove that the flags are in force: with the real Unleash SDK before a run, by cheap requests during it."""

from __future__ import annotations

import asyncio
import math
import tempfile
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from types import TracebackType
from typing import Final, Self, TypeVar
from urllib.parse import urlsplit

import aiohttp
from UnleashClient.clients.unleash_client import UnleashClient
from UnleashClient.utils import InstanceAllowType

from harness.errors import FlagError
from harness.flags import base, wire
from harness.model import OFF, Catalogue, Combination, Flag

APP_NAME: Final = "harness-settle"
MAX_PROBED: Final = 1024
NEVER_S: Final = 86_400
MISSES_ALLOWED: Final = 1
ANSWER_S: Final = 5.0

T = TypeVar("T")


def prove_served(
    url: str,
    token: str,
    catalogue: Catalogue,
    combinations: Sequence[Combination],
    *,
    deadline_s: float = 10.0,
    audience: base.Audience = base.BY_USER_ID,
    shared: Mapping[str, str] = base.NOTHING,
    is_ours: bool = True,
) -> None:
    """Prove with a real Unleash client that the server at `url` gives each user the flags of their token.

    Probes at most MAX_PROBED combinations, spread evenly over the sequence with its first and its last; also
    a user without a token and an evaluation without any user, who both must get the baseline, with what is
    `shared` as `snapshot` takes it. What the users of a flag server that is not ours get is their own affair: of
    them the flags that are not told apart per user are compared alone. `deadline_s` bounds the evaluation and, in
    whole seconds, each wait for the server. It blocks: call it in a thread. Raises FlagError with one sentence on
    what is not proved, UsageError for a combination of other flags.
    """
    if not combinations:
        raise FlagError("no combination was given, so nothing is proved about the flags")
    ends_s = time.monotonic() + deadline_s
    timeout_s = max(1, math.ceil(deadline_s))
    _require_answer(url, token, timeout_s)
    with _client(url, token, timeout_s) as client:
        _require_flags(client, url, catalogue)
        nobody: base.Json = {}
        held = base.shared_values(catalogue, shared)
        usual = dict(catalogue.baseline) | held
        # Where the rest of the baseline does not go with what is shared, a parent may rightly hold a child off.
        meant = usual if is_ours and catalogue.allows(usual) else held
        for context, whom in (
            (audience.context("probe"), "a user without a token"),
            (nobody, "an evaluation without a user"),
        ):
            _compare(meant, evaluate(client, catalogue, context), whom)
        probes = spread(combinations, MAX_PROBED)
        for done, combination in enumerate(probes):
            if time.monotonic() > ends_s:
                raise FlagError(f"only {done} of {len(probes)} combinations were proved in {deadline_s:g} s")
            name = base.username("probe", str(done), base.token(catalogue, combination))
            seen = evaluate(client, catalogue, audience.context(name))
            _compare(combination, seen, f"combination {combination.id} ({combination.label})")


def evaluate(client: UnleashClient, catalogue: Catalogue, context: base.Json) -> dict[str, str]:
    """Return the variant of every flag as this Unleash client sees it for this context."""
    return {flag.name: _variant(client, flag, context) for flag in catalogue.flags}


def spread(items: Sequence[T], limit: int) -> list[T]:
    """Return at most `limit` (two or more) of the items in order, evenly spread, first and last included."""
    if len(items) <= limit:
        return list(items)
    return [items[step * (len(items) - 1) // (limit - 1)] for step in range(limit)]


def _variant(client: UnleashClient, flag: Flag, context: base.Json) -> str:
    if flag.is_boolean:
        return "on" if client.is_enabled(flag.name, context) else OFF
    found = client.get_variant(flag.name, context)
    return str(found["name"]) if found["feature_enabled"] else OFF


def _compare(wanted: Mapping[str, str], seen: Mapping[str, str], whom: str) -> None:
    for flag in wanted:
        if seen[flag] != wanted[flag]:
            raise FlagError(f"flag {flag} is '{seen[flag]}' where '{wanted[flag]}' was meant, for {whom}")


def _require_answer(url: str, token: str, timeout_s: int) -> None:
    # The SDK logs what goes wrong here and carries on with every flag off: ask before it does.
    answer = wire.get(f"{url}/client/features", token, timeout_s=timeout_s)
    if answer.status in (401, 403):
        raise FlagError(f"the flag server at {url} refuses the client token (status {answer.status})")
    if answer.status != 200:
        raise FlagError(f"the flag server at {url} answers {answer.status} when asked for the flags")


def _require_flags(client: UnleashClient, url: str, catalogue: Catalogue) -> None:
    served = client.feature_definitions()
    missing = [name for name in catalogue.names if name not in served]
    if missing:
        raise FlagError(f"the flag server at {url} does not serve flag {', '.join(missing)}")


@contextmanager
def _client(url: str, token: str, timeout_s: int) -> Iterator[UnleashClient]:
    """Yield a connected client that fetched once; its cache is its own, since the default one is shared."""
    with tempfile.TemporaryDirectory(prefix="harness-settle-") as cache:
        client = UnleashClient(
            url=url,
            app_name=APP_NAME,
            custom_headers={"Authorization": token},
            refresh_interval=NEVER_S,
            disable_metrics=True,
            disable_registration=True,
            request_timeout=timeout_s,
            request_retries=0,
            # A proxy of the environment must not stand between: the harness's other requests use none.
            custom_options={"proxies": {"no_proxy": urlsplit(url).hostname}},
            cache_directory=cache,
            multiple_instance_mode=InstanceAllowType.SILENTLY_ALLOW,
        )
        try:
            client.initialize_client()
            yield client
        finally:
            client.destroy()


class Watch:
    """Watches during a run that the flag server still serves the snapshot that was proved.

    `async with Watch(control.url, control.token, control.etag) as watch:` asks every `interval_s` with
    `If-None-Match`. A changed entity tag at once, or a second failure in a row, is drift; drift never goes
    away. A run that ends well is followed by a last look, so that nothing between two looks goes unseen.
    """

    def __init__(self, flags_url: str, token: str, etag: str, interval_s: float = 0.5) -> None:
        self._url = f"{flags_url}/client/features"
        self._headers = {"Authorization": token, "If-None-Match": etag}
        self._etag = etag
        self._interval_s = interval_s
        self._misses = 0
        self._drift: str | None = None
        self._good_s = time.monotonic()
        self._session: aiohttp.ClientSession | None = None
        self._task: asyncio.Task[None] | None = None
        self._looked = asyncio.Condition()

    @property
    def drift(self) -> str | None:
        """What is no longer proved and since when, or None while all is well."""
        if self._drift is None and self._task and self._task.done() and not self._task.cancelled():
            self._drift = self._since(f"the watch over the flags ended: {self._task.exception()!r}")
        return self._drift

    @property
    def proved_until_s(self) -> float:
        """The monotonic time of the last look that found the snapshot in force."""
        return self._good_s

    async def confirm(self, since_s: float, deadline_s: float) -> str | None:
        """Wait until a look that began after `since_s` (monotonic) found the snapshot in force: then None.

        Otherwise return what is not proved: the drift, or that no look succeeded for `deadline_s`.
        """
        async with self._looked:
            try:
                async with asyncio.timeout(deadline_s):
                    await self._looked.wait_for(lambda: self._good_s >= since_s or self.drift is not None)
            except TimeoutError:
                return f"no look at the flag server succeeded for {deadline_s:g} s"
        return None if self._good_s >= since_s else self.drift

    async def __aenter__(self) -> Self:
        self._session = aiohttp.ClientSession(timeout=aiohttp.ClientTimeout(total=ANSWER_S))
        self._good_s = time.monotonic()
        self._task = asyncio.create_task(self._keep_looking(self._session))
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if not self._task or not self._session:
            raise RuntimeError("the watch was not entered")
        try:
            self._task.cancel()
            # What ended the task other than this is told by `drift`.
            await asyncio.gather(self._task, return_exceptions=True)
            for _ in range(0 if kind else MISSES_ALLOWED + 1):
                await self._look(self._session)
                if not self._misses:
                    break
        finally:
            await self._session.close()

    async def _keep_looking(self, session: aiohttp.ClientSession) -> None:
        while True:
            try:
                await self._look(session)
            finally:
                async with self._looked:
                    self._looked.notify_all()
            await asyncio.sleep(self._interval_s)

    async def _look(self, session: aiohttp.ClientSession) -> None:
        if self._drift:
            return
        asked_s = time.monotonic()
        try:
            async with session.get(self._url, headers=self._headers) as response:
                status, etag = response.status, response.headers.get("ETag", "")
        except (aiohttp.ClientError, TimeoutError) as problem:
            self._miss(f"the flag server does not answer ({problem or type(problem).__name__})")
            return
        if status == 304:
            self._misses = 0
            self._good_s = asked_s
        elif status == 200:
            self._drift = self._since(f"the flag server serves another snapshot, {etag} for {self._etag}")
        else:
            self._miss(f"the flag server answers with status {status}")

    def _miss(self, sentence: str) -> None:
        self._misses += 1
        if self._misses > MISSES_ALLOWED:
            self._drift = self._since(sentence)

    def _since(self, sentence: str) -> str:
        return f"{sentence}; last proved {time.monotonic() - self._good_s:.1f} s before that was seen"
