"""The proof that the flags are in force, and the watch that keeps it: with real servers and SDKs."""

import asyncio
import logging
import re
import tempfile
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest

from harness.errors import FlagError, UsageError
from harness.flags import base
from harness.flags.embedded import DEVELOPMENT_TOKEN, EmbeddedFlags
from harness.flags.settle import Watch, prove_served, spread
from harness.model import Catalogue, Combination, Constraint, Flag
from harness.process import Service
from tests.ports import reserved

WAIT_S = 20.0


@contextmanager
def _serving(document: base.Json, directory: Path, port: str = "0") -> Iterator[EmbeddedFlags]:
    """Serve any document, also one that no catalogue gives."""
    body = base.encode(document)
    file = directory / "document.json"
    file.write_bytes(body)
    options = ["--snapshot", str(file), "--port", port, "--token", DEVELOPMENT_TOKEN, "--until-stdin-closes"]
    with EmbeddedFlags(Service.start("flags", "harness.flags.embedded", options), base.etag_of(body)) as flags:
        yield flags


def _feature(document: base.Json, name: str) -> Any:
    return next(feature for feature in document["features"] if feature["name"] == name)


async def _until(condition: Callable[[], bool]) -> None:
    ends_s = time.monotonic() + WAIT_S
    while not condition():
        assert time.monotonic() < ends_s, "it did not come about"
        await asyncio.sleep(0.01)


async def _drift(watch: Watch) -> str:
    await _until(lambda: watch.drift is not None)
    return str(watch.drift)


def test_every_valid_combination_is_proved(
    flags: EmbeddedFlags, catalogue: Catalogue, combinations: list[Combination]
) -> None:
    """All valid combinations of twelve flags hold at once, in slices that leave none out."""
    assert len(combinations) > 1024
    for start in range(0, len(combinations), 1000):
        part = combinations[start : start + 1000]
        prove_served(flags.url, flags.token, catalogue, part, deadline_s=60)


def test_a_proof_is_quiet_and_leaves_nothing(
    flags: EmbeddedFlags,
    catalogue: Catalogue,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    caplog: pytest.LogCaptureFixture,
) -> None:
    """Proofs in a row log no warning, leave no file and no thread, and use no proxy of the environment."""
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path))
    monkeypatch.setenv("HTTP_PROXY", "http://127.0.0.1:9")
    monkeypatch.setenv("ALL_PROXY", "http://127.0.0.1:9")
    before = set(threading.enumerate())
    with caplog.at_level(logging.WARNING):
        for _ in range(3):
            prove_served(flags.url, flags.token, catalogue, [catalogue.baseline])
    assert caplog.records == []
    assert list(tmp_path.iterdir()) == []
    assert set(threading.enumerate()) <= before
    assert {found["app_name"] for found in flags.connections()} == {"harness-settle"}


def test_a_wrong_variant_is_named(catalogue: Catalogue, combinations: list[Combination], tmp_path: Path) -> None:
    """A snapshot in which one flag answers otherwise is refused with flag, variants and combination."""
    document = base.snapshot(catalogue)
    _feature(document, "captions")["enabled"] = False
    wanted = next(found for found in combinations if found["captions"] == "on")
    with _serving(document, tmp_path) as flags, pytest.raises(FlagError) as caught:
        prove_served(flags.url, flags.token, catalogue, combinations)
    assert str(caught.value).startswith(f"flag captions is 'off' where 'on' was meant, for combination {wanted.id}")


def test_a_flag_that_is_not_served_is_named(catalogue: Catalogue, tmp_path: Path) -> None:
    """A flag that the snapshot lacks is off for everybody, which could look right: it is refused."""
    document = base.snapshot(catalogue)
    document["features"].remove(_feature(document, "search"))
    with (
        _serving(document, tmp_path) as flags,
        pytest.raises(FlagError, match=r"does not serve flag search$"),
    ):
        prove_served(flags.url, flags.token, catalogue, [catalogue.baseline])


def test_a_user_without_a_token_must_have_the_baseline(catalogue: Catalogue, tmp_path: Path) -> None:
    """A flag whose new variant reaches everybody is refused though every token is served well."""
    document = base.snapshot(catalogue)
    _feature(document, "replay-cache")["strategies"].pop()
    with (
        _serving(document, tmp_path) as flags,
        pytest.raises(FlagError, match="replay-cache is 'off' where 'on' was meant, for a user without a token"),
    ):
        prove_served(flags.url, flags.token, catalogue, [catalogue.baseline])


def test_what_others_users_get_is_their_own_affair(catalogue: Catalogue, tmp_path: Path) -> None:
    """On a flag server that is not ours people may have other variants, while each token is served as ever."""
    document = base.snapshot(catalogue)
    _feature(document, "replay-cache")["strategies"].pop()
    with _serving(document, tmp_path) as flags:
        prove_served(flags.url, flags.token, catalogue, [catalogue.baseline], is_ours=False)


def test_another_field_of_the_context_is_proved_through_that_field(catalogue: Catalogue) -> None:
    """A snapshot for a custom property is proved with it, and not with the user's id."""
    audience = base.Audience("accountName")
    everything = [Combination(tuple((flag.name, "off") for flag in catalogue.flags)), catalogue.baseline]
    with EmbeddedFlags.start(catalogue, audience=audience) as flags:
        prove_served(flags.url, flags.token, catalogue, everything, audience=audience)
        with pytest.raises(FlagError, match="replay-cache is 'on' where 'off' was meant"):
            prove_served(flags.url, flags.token, catalogue, everything)


SHARING = Catalogue(
    (Flag("upgrade"), Flag("worker", context="global"), Flag("old", baseline="on")),
    (Constraint((("old", frozenset({"on"})), ("worker", frozenset({"on"}))), "old needs no worker"),),
    (("old", (("worker", frozenset({"off"})),)),),
    "flags/sharing.toml",
)


def _of_sharing(**values: str) -> Combination:
    return Combination(tuple(values.items()))


def test_a_shared_flag_is_proved_for_everybody() -> None:
    """A deployment's own variant is proved, also where it holds the rest of the baseline off; another's is refused."""
    base_on = [_of_sharing(upgrade=upgrade, worker="on", old="off") for upgrade in ("off", "on")]
    base_off = [_of_sharing(upgrade=upgrade, worker="off", old="on") for upgrade in ("off", "on")]
    with EmbeddedFlags.start(SHARING, shared={"worker": "on"}) as flags:
        prove_served(flags.url, flags.token, SHARING, base_on, shared={"worker": "on"})
        with pytest.raises(FlagError, match="worker is 'on' where 'off' was meant, for combination"):
            prove_served(flags.url, flags.token, SHARING, base_off, shared={"worker": "on"})
        with pytest.raises(FlagError, match="worker is 'on' where 'off' was meant, for a user without"):
            prove_served(flags.url, flags.token, SHARING, base_on)


def test_an_invalid_combination_cannot_be_proved(flags: EmbeddedFlags, catalogue: Catalogue) -> None:
    """A child that is on under a parent that is off is not served, and the proof says so."""
    values = dict(catalogue.baseline) | {"upgrade-notice": "on"}
    with pytest.raises(FlagError, match="upgrade-notice is 'off' where 'on' was meant"):
        prove_served(flags.url, flags.token, catalogue, [Combination(tuple(values.items()))])


def test_a_foreign_combination_is_the_authors_fault(flags: EmbeddedFlags, catalogue: Catalogue) -> None:
    """A combination of other flags is a wrong call, not an unproved flag."""
    with pytest.raises(UsageError, match="flag 'other' is not in"):
        prove_served(flags.url, flags.token, catalogue, [Combination((("other", "on"),))])


def test_a_proof_of_nothing_is_refused(flags: EmbeddedFlags, catalogue: Catalogue) -> None:
    """Without a combination there is nothing that could be proved."""
    with pytest.raises(FlagError, match="nothing is proved"):
        prove_served(flags.url, flags.token, catalogue, [])


def test_a_server_that_was_killed_cannot_be_proved(
    flags: EmbeddedFlags, catalogue: Catalogue, caplog: pytest.LogCaptureFixture
) -> None:
    """A server that does not answer is named with its address in one line, and nothing is logged."""
    flags.service.process.kill()
    flags.service.process.wait(WAIT_S)
    with caplog.at_level(logging.WARNING), pytest.raises(FlagError) as caught:
        prove_served(flags.url, flags.token, catalogue, [catalogue.baseline])
    assert f"the flag server at {flags.url}/client/features does not answer" in str(caught.value)
    assert caplog.records == []


def test_a_refused_client_token_is_named(flags: EmbeddedFlags, catalogue: Catalogue) -> None:
    """A token that the server does not know is told apart from a server that is away."""
    with pytest.raises(FlagError, match="refuses the client token"):
        prove_served(flags.url, "default:development.other", catalogue, [catalogue.baseline])


def test_an_address_without_flags_is_named(flags: EmbeddedFlags, catalogue: Catalogue) -> None:
    """An address at which no flags are served is told by its status."""
    with pytest.raises(FlagError, match="answers 404"):
        prove_served(f"{flags.url}/v9", flags.token, catalogue, [catalogue.baseline])


def test_the_deadline_bounds_the_proof(
    flags: EmbeddedFlags, catalogue: Catalogue, combinations: list[Combination]
) -> None:
    """A proof that takes too long says how far it came."""
    with pytest.raises(FlagError, match=r"only 0 of 1024 combinations were proved in 0\.001 s"):
        prove_served(flags.url, flags.token, catalogue, combinations, deadline_s=0.001)


def test_a_sample_is_spread_from_end_to_end() -> None:
    """The first and the last are in it, the steps are even, and what is small is taken whole."""
    assert spread(range(10), 4) == [0, 3, 6, 9]
    assert spread(range(3), 4) == [0, 1, 2]
    large = spread(range(100_000), 1024)
    assert (len(set(large)), large[0], large[-1]) == (1024, 0, 99_999)


def test_the_watch_is_content_while_the_snapshot_holds(flags: EmbeddedFlags) -> None:
    """Many looks at a server that serves on are no drift, and the time that is proved moves on."""

    async def watch_for_a_while() -> None:
        async with Watch(flags.url, flags.token, flags.etag, interval_s=0.01) as watch:
            begun_s = watch.proved_until_s
            await _until(lambda: watch.proved_until_s > begun_s + 0.3)
        assert watch.drift is None

    asyncio.run(watch_for_a_while())


def test_the_watch_reports_a_server_that_was_killed(flags: EmbeddedFlags) -> None:
    """Two failures in a row are drift, and the sentence says since when nothing is proved."""

    async def watch_the_end() -> None:
        async with Watch(flags.url, flags.token, flags.etag, interval_s=0.01) as watch:
            flags.service.process.kill()
            sentence = await _drift(watch)
            assert sentence.startswith("the flag server does not answer (")
            assert re.search(r"last proved \d+\.\d s before that was seen$", sentence)
        assert watch.drift == sentence

    asyncio.run(watch_the_end())


def test_the_watch_reports_another_snapshot(catalogue: Catalogue, tmp_path: Path) -> None:
    """A server that serves other flags on the same port is drift at the first look."""

    async def watch_a_change() -> None:
        with reserved() as port:
            with EmbeddedFlags.start(catalogue, port) as flags:
                watch = Watch(flags.url, flags.token, flags.etag, interval_s=30)
            with _serving(base.snapshot(Catalogue((Flag("other"),))), tmp_path, str(port)) as others:
                async with watch:
                    sentence = await _drift(watch)
        assert sentence.startswith(f"the flag server serves another snapshot, {others.etag} for {flags.etag}; ")

    asyncio.run(watch_a_change())


def test_the_watch_reports_a_server_that_refuses(flags: EmbeddedFlags) -> None:
    """Answers that are neither the snapshot nor its tag count as failures."""

    async def watch_with_a_wrong_token() -> None:
        async with Watch(flags.url, "other", flags.etag, interval_s=0.01) as watch:
            assert "answers with status 401" in await _drift(watch)

    asyncio.run(watch_with_a_wrong_token())


def test_the_last_look_sees_what_no_other_could(flags: EmbeddedFlags) -> None:
    """A server that goes after the only look of a short run is still found out when the run ends."""

    async def watch_a_short_run() -> None:
        async with Watch(flags.url, flags.token, flags.etag, interval_s=3600) as watch:
            begun_s = watch.proved_until_s
            await _until(lambda: watch.proved_until_s > begun_s)
            flags.service.process.kill()
            flags.service.process.wait(WAIT_S)
            assert watch.drift is None
        assert watch.drift
        assert "does not answer" in watch.drift

    asyncio.run(watch_a_short_run())


def test_a_watch_that_broke_is_drift_itself(flags: EmbeddedFlags) -> None:
    """An error that nobody foresaw ends the looking, and must not pass for a quiet run."""

    async def break_the_watch() -> None:
        async with Watch(flags.url, flags.token, flags.etag, interval_s=0.01) as watch:
            assert watch._session
            await watch._session.close()
            assert "the watch over the flags ended: RuntimeError" in await _drift(watch)
            raise LookupError("the run stops")

    with pytest.raises(LookupError):
        asyncio.run(break_the_watch())


def test_a_run_that_fails_keeps_its_own_error(flags: EmbeddedFlags) -> None:
    """The watch ends with the run and does not stand in front of the run's error."""

    async def fail() -> None:
        async with Watch(flags.url, flags.token, flags.etag):
            raise LookupError("the run's own")

    with pytest.raises(LookupError, match="the run's own"):
        asyncio.run(fail())
