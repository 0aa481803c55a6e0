"""The token in a user's name and the snapshot that reads it, evaluated by the Unleash SDK itself."""

from collections.abc import Callable
from pathlib import Path

import pytest
from UnleashClient.cache import FileCache
from UnleashClient.clients.unleash_client import UnleashClient
from UnleashClient.utils import InstanceAllowType

from harness.errors import UsageError
from harness.flags import base
from harness.flags.settle import evaluate
from harness.model import OFF, Catalogue, Combination, Flag

See = Callable[[base.Json, base.Json], dict[str, str]]


@pytest.fixture
def see(catalogue: Catalogue, tmp_path: Path) -> See:
    """Evaluate a document for a context in an Unleash client that has no server."""

    def seen(document: base.Json, context: base.Json) -> dict[str, str]:
        cache = FileCache("test", directory=str(tmp_path))
        cache.bootstrap_from_dict(document)
        client = UnleashClient(
            "http://127.0.0.1:9",
            "test",
            cache=cache,
            multiple_instance_mode=InstanceAllowType.SILENTLY_ALLOW,
        )
        return evaluate(client, catalogue, context)

    return seen


def test_a_token_names_flag_and_variant_by_number(catalogue: Catalogue) -> None:
    """Only flags that are not off stand in the token, each with separators on both sides."""
    values = dict.fromkeys(catalogue.names, OFF) | {"video-upgrade": "on", "paging": "large"}
    assert base.token(catalogue, values) == "~+0.1+2.2+"
    assert base.token(catalogue, dict.fromkeys(catalogue.names, OFF)) == "~+"


def test_each_combination_has_a_token_of_its_own(catalogue: Catalogue, combinations: list[Combination]) -> None:
    """No two combinations share a token."""
    assert len({base.token(catalogue, combination) for combination in combinations}) == len(combinations)


@pytest.mark.parametrize(
    ("change", "sentence"),
    [
        (
            {"video-upgrad": "on"},
            "flag 'video-upgrad' is not in flags/test.toml; did you mean 'video-upgrade'?",
        ),
        ({"paging": "smal"}, "flag 'paging' has no variant 'smal'; did you mean 'small'?"),
    ],
)
def test_a_wrong_word_is_the_authors_fault(catalogue: Catalogue, change: dict[str, str], sentence: str) -> None:
    """A flag or variant that the catalogue lacks is refused with the nearest right name."""
    with pytest.raises(UsageError) as caught:
        base.token(catalogue, dict(catalogue.baseline) | change)
    assert str(caught.value) == sentence


def test_a_combination_must_say_every_flag(catalogue: Catalogue) -> None:
    """A flag that is left out is not taken to be off."""
    with pytest.raises(UsageError, match="says nothing about flag 'video-upgrade'"):
        base.token(catalogue, {})


def test_a_username_keeps_the_token_apart() -> None:
    """Neither the name nor the unique part can bring a token of its own."""
    assert base.username("alice", "7f3a", "~+0.1+") == "alice-7f3a~+0.1+"
    for name, unique, token in (("alice~", "1", "~+"), ("alice", "+1.1+", "~+"), ("alice", "1", "0.1+")):
        with pytest.raises(UsageError):
            base.username(name, unique, token)


def test_a_name_without_the_mark_is_nobody_of_ours(catalogue: Catalogue, see: See) -> None:
    """A stranger whose id happens to look like part of a token still gets the baseline."""
    seen = see(base.snapshot(catalogue), {"userId": "mail+0.1+8.2+@example.org"})
    assert seen == dict(catalogue.baseline)


def test_a_custom_context_field_carries_the_token(catalogue: Catalogue, see: See) -> None:
    """A target that keeps the user's name in a property of its own is served by that property."""
    audience = base.Audience("accountName")
    values = dict(catalogue.baseline) | {"captions": "on", "export": "tar"}
    context = audience.context(base.username("alice", "1", base.token(catalogue, values)))
    assert context == {"properties": {"accountName": "alice-1~+1.1+2.1+8.2+9.1+10.1+"}}
    assert see(base.snapshot(catalogue, audience), context) == values
    assert see(base.snapshot(catalogue), context) == dict(catalogue.baseline)


def test_a_parent_that_is_off_holds_its_child_off(catalogue: Catalogue, see: See) -> None:
    """The snapshot carries the dependencies, so an invalid combination is not served as it stands."""
    on = dict.fromkeys(catalogue.names, OFF) | {"paging": "small", "large-thumbnails": "on"}
    context = base.Audience().context("x" + base.token(catalogue, on))
    assert see(base.snapshot(catalogue), context) == on | {"large-thumbnails": OFF}


def test_dependencies_say_what_unleash_can_say(catalogue: Catalogue) -> None:
    """Parents by any variant, by some and by off are written out; a parent with a parent is left out."""
    written = {
        feature["name"]: feature["dependencies"]
        for feature in base.snapshot(catalogue)["features"]
        if feature["dependencies"]
    }
    assert written == {
        "paging-cursor": [{"feature": "paging", "enabled": True}],
        "large-thumbnails": [{"feature": "paging", "enabled": True, "variants": ["large"]}],
        "upgrade-notice": [{"feature": "video-upgrade", "enabled": True}],
        "audio-only": [{"feature": "video-upgrade", "enabled": False}],
    }


def test_a_rule_beyond_unleash_is_left_to_the_combinations() -> None:
    """`off or small` cannot be a dependency, and must not be turned into a stricter one."""
    flags = (Flag("paging", (OFF, "small", "large")), Flag("child"))
    rules = (("child", (("paging", frozenset({OFF, "small"})),)),)
    assert base.snapshot(Catalogue(flags, (), rules))["features"][1]["dependencies"] == []


def test_no_event_is_asked_of_the_target(catalogue: Catalogue) -> None:
    """Impression data stays off: the target is not made to send users' contexts anywhere."""
    assert not any(feature["impressionData"] for feature in base.snapshot(catalogue)["features"])


def test_differences_name_each_flag_that_is_otherwise() -> None:
    """A flag with another variant and a flag that is not reported each get a sentence; the rest get none."""
    wanted = {"replay-cache": "on", "paging": "small", "search": OFF}
    seen = {"replay-cache": OFF, "search": OFF, "unrelated": "on"}
    assert base.differences(wanted, seen) == (
        "replay-cache is 'off', wanted 'on'",
        "paging is not reported, wanted 'small'",
    )
    assert base.differences(wanted, wanted) == ()


def test_the_entity_tag_follows_the_content(catalogue: Catalogue) -> None:
    """The same catalogue gives the same tag, another one another."""
    first, again = (base.etag_of(base.encode(base.snapshot(catalogue))) for _ in range(2))
    other = base.etag_of(base.encode(base.snapshot(Catalogue(catalogue.flags[:3]))))
    assert first == again != other


WORKER = Catalogue(
    (
        Flag("upgrade", baseline="on"),
        Flag("worker", context="global"),
        Flag("sessions", (OFF, "fast", "slow"), "slow", context="start-up"),
    ),
    parents=(("worker", (("upgrade", frozenset({"on"})),)),),
    source="flags/worker.toml",
)


@pytest.mark.parametrize(
    ("shared", "expected"),
    [
        ({}, {"worker": OFF, "sessions": "slow"}),
        ({"worker": "on"}, {"worker": "on", "sessions": "slow"}),
        ({"worker": "on", "sessions": OFF}, {"worker": "on", "sessions": OFF}),
        ({"sessions": "fast"}, {"worker": OFF, "sessions": "fast"}),
    ],
)
@pytest.mark.parametrize("catalogue", [WORKER])
def test_a_shared_flag_is_the_same_for_everybody(see: See, shared: dict[str, str], expected: dict[str, str]) -> None:
    """Whatever a name carries, with or without a name or a user, a flag that is not told apart has its one variant."""
    document = base.snapshot(WORKER, shared=shared)
    everybody = [{"userId": f"x{base.token(WORKER, values)}"} for values in ALL_OF_WORKER]
    for context in (*everybody, {"userId": "somebody"}, {}):
        seen = see(document, context)
        assert {name: seen[name] for name in expected} == expected
    assert {see(document, context)["upgrade"] for context in everybody} == {OFF, "on"}


ALL_OF_WORKER = [
    {"upgrade": upgrade, "worker": worker, "sessions": sessions}
    for upgrade in (OFF, "on")
    for worker in (OFF, "on")
    for sessions in (OFF, "fast", "slow")
]


def test_a_flag_per_user_cannot_be_shared() -> None:
    """What is told apart by the user's name is never fixed for everybody."""
    with pytest.raises(UsageError, match=r"'upgrade' of flags/worker.toml is told apart per user and"):
        base.snapshot(WORKER, shared={"upgrade": "on"})
