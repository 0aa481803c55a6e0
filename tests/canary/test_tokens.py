"""A canary in words: it comes through whatever a target does to a name, and nothing else is taken for one."""

from __future__ import annotations

import html
import json
import random
import string
from collections.abc import Callable
from urllib.parse import quote, quote_plus

import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from harness.canary import Canary
from harness.canary import text as module
from harness.canary.text import (
    ALPHABET,
    CODE_CHARACTERS,
    MARK,
    MIN_BEGINNING,
    MIN_END,
    TOKEN_CHARACTERS,
    Fragments,
    Inscription,
    find,
    inscribe,
)
from harness.canary.unescape import readings

canaries = st.builds(
    Canary,
    run=st.integers(0, 2**20 - 1),
    user=st.integers(0, 2**16 - 1),
    call=st.integers(0, 31),
    mode=st.integers(0, 7),
)
RANDOM_STRINGS = 1_000_000
not_of_a_token = st.text(alphabet=st.characters(exclude_characters=ALPHABET + ALPHABET.upper()), max_size=5)

WAYS: dict[str, Callable[[str], str]] = {
    "upper case": str.upper,
    "lower case": str.lower,
    "title case": str.title,
    "swapped case": lambda text: text.title().swapcase(),
    "JSON": json.dumps,
    "JSON of Unicode": lambda text: json.dumps(text, ensure_ascii=False),
    "JSON in JSON": lambda text: json.dumps(json.dumps({"name": text})),
    "HTML": html.escape,
    "URL": quote,
    "form": quote_plus,
    "JSON in HTML": lambda text: html.escape(json.dumps(text)),
    "glued": lambda text: f"name{text}7z{text}q",
}


def held(text: str) -> set[Canary]:
    """Return the canaries of the whole tokens in a text, as it came."""
    return {inscription.canary for inscription in find(text)}


def another(character: str) -> str:
    """Return a character of tokens that is not this one."""
    return "0" if character != "0" else "1"


@given(canaries, st.binary(max_size=32))
def test_round_trip(canary: Canary, key: bytes) -> None:
    """A token is 18 letters and digits, and says its canary under its own key."""
    token = inscribe(canary, key)
    assert len(token) == 18
    assert token[:2] == MARK
    assert set(token) <= set(ALPHABET)
    assert find(token, key) == (Inscription(canary, 0),)


def test_tokens_are_stable() -> None:
    """Words of an earlier release of the harness keep their meaning: alphabet, layout, hashes and key are pinned."""
    assert inscribe(Canary(run=5, user=17, call=2, mode=1)) == "zqzgzppkg333e3y70t"


@pytest.mark.parametrize("way", WAYS)
@given(canary=canaries, before=st.text(max_size=20), after=st.text(max_size=20))
def test_a_token_survives(way: str, canary: Canary, before: str, after: str) -> None:
    """It is found, and nothing else is, whatever is written around it and however that is escaped."""
    text = WAYS[way](before + inscribe(canary) + after)
    assert held(text) == {canary}


@given(canaries, canaries, st.text(max_size=20))
def test_tokens_are_found_in_order_and_in_place(one: Canary, other: Canary, between: str) -> None:
    """Every token of a text is told with the index at which it begins, the same one twice if it stands there twice."""
    text = between + inscribe(one) + between + inscribe(other) + inscribe(one)
    at = [len(between), 2 * len(between) + TOKEN_CHARACTERS, 2 * len(between) + 2 * TOKEN_CHARACTERS]
    expected = (Inscription(one, at[0]), Inscription(other, at[1]), Inscription(one, at[2]))
    assert find(text) == expected


def test_a_changed_character_is_never_accepted() -> None:
    """No token with one character changed to any other one is a token of anybody."""
    for user in range(40):
        token = inscribe(Canary(0x3A7F1, user, 1, 2))
        for at in range(TOKEN_CHARACTERS):
            for character in ALPHABET:
                changed = token[:at] + character + token[at + 1 :]
                assert bool(held(changed)) == (changed == token)


def test_a_missing_or_a_swapped_character_is_never_accepted() -> None:
    """A token that lacks a character, or has two changed places, is nobody's."""
    for user in range(200):
        token = inscribe(Canary(0x3A7F1, user, 1, 2))
        for at in range(TOKEN_CHARACTERS):
            assert not held(token[:at] + token[at + 1 :])
            swapped = token[:at] + token[at + 1 : at + 2] + token[at] + token[at + 2 :]
            assert bool(held(swapped)) == (swapped == token)


def test_random_strings_with_the_mark_hold_nothing() -> None:
    """Of a million random codes behind the mark none is taken for a token, while one that is planted is found."""
    draw = random.Random(5)  # noqa: S311 - it needs no secrecy
    characters = draw.choices(ALPHABET, k=RANDOM_STRINGS + CODE_CHARACTERS)
    # Neighbours share characters: a million different codes of random characters, drawn once.
    line = "".join(characters)
    planted = Canary(1, 2, 3, 2)
    codes = (MARK + line[at : at + CODE_CHARACTERS] for at in range(RANDOM_STRINGS))
    assert held(" ".join(codes) + inscribe(planted)) == {planted}


def test_another_key_is_refused() -> None:
    """Tokens of another key are nobody's."""
    assert not held(" ".join(inscribe(Canary(1, user, 1, 2), b"another key") for user in range(2000)))


def test_tokens_of_neighbours_have_nothing_in_common() -> None:
    """Of a run's first tokens no two begin or end alike where they could be cut."""
    tokens = [inscribe(Canary(7, user, call, 2)) for user in range(3000) for call in range(2)]
    assert len({token[:MIN_BEGINNING] for token in tokens}) == len(tokens)
    assert len({token[-MIN_END:] for token in tokens}) == len(tokens)
    assert len({token[len(MARK) : MIN_BEGINNING] for token in tokens}) == len(tokens)


@given(canaries, st.integers(MIN_BEGINNING, TOKEN_CHARACTERS - 1), st.text(max_size=10), not_of_a_token)
def test_a_beginning_is_known_again(canary: Canary, length: int, before: str, after: str) -> None:
    """A token that was given out and cut at its end is known by what is left, whatever stands before it."""
    known = Fragments()
    known.learn(inscribe(canary))
    cut = inscribe(canary)[:length]
    for text in (cut, cut.upper(), cut.title()):
        assert known.find(before + text + after) == (canary,)
    assert known.find(before + cut + another(inscribe(canary)[length])) == ()


@given(canaries, st.integers(MIN_END, TOKEN_CHARACTERS - 1), not_of_a_token, st.text(max_size=10))
def test_an_end_is_known_again(canary: Canary, length: int, before: str, after: str) -> None:
    """A token that was given out and cut at its beginning is known by what is left, whatever stands behind it."""
    known = Fragments()
    known.learn(inscribe(canary))
    cut = inscribe(canary)[-length:]
    for text in (cut, cut.upper(), cut.title()):
        assert known.find(before + text + after) == (canary,)
    assert known.find(another(inscribe(canary)[-length - 1]) + cut) == ()


@given(canaries, st.integers(0, TOKEN_CHARACTERS))
def test_what_is_too_short_tells_nothing(canary: Canary, length: int) -> None:
    """A part is told from the stated length on, and not before; a whole token is no part."""
    known = Fragments()
    known.learn(inscribe(canary))
    token = inscribe(canary)
    assert known.find(token[:length]) == ((canary,) if MIN_BEGINNING <= length < TOKEN_CHARACTERS else ())
    assert known.find(token[len(token) - length :]) == ((canary,) if MIN_END <= length < TOKEN_CHARACTERS else ())


@given(canaries, canaries)
def test_parts_of_unknown_tokens_tell_nothing(canary: Canary, other: Canary) -> None:
    """Without having been given out a token is not known by its parts."""
    assume(canary != other)
    known = Fragments()
    known.learn(inscribe(other))
    assert known.find(inscribe(canary)[:-1] + " " + inscribe(canary)[1:]) == ()


def test_ambiguous_parts_tell_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    """What two tokens begin or end with is neither's; what only one of them has is its own."""
    # No two real tokens have 8 characters in common that could be found here: let 2 be enough.
    monkeypatch.setattr(module, "MIN_BEGINNING", len(MARK) + 2)
    monkeypatch.setattr(module, "MIN_END", 2)
    tokens = {inscribe(Canary(7, user, 1, 2)): Canary(7, user, 1, 2) for user in range(300)}
    known = Fragments()
    for token in tokens:
        known.learn(token)
    told = 0
    for token in tokens:
        beginning, end = token[:4], token[-2:] + "0" * TOKEN_CHARACTERS
        begin_so = [canary for each, canary in tokens.items() if each.startswith(beginning)]
        end_so = [canary for each, canary in tokens.items() if any(each.endswith(end[:n]) for n in range(2, 18))]
        assert known.find("0" * TOKEN_CHARACTERS + beginning) == (tuple(begin_so) if len(begin_so) == 1 else ())
        assert known.find(end) == (tuple(end_so) if len(end_so) == 1 else ())
        told += (len(begin_so) == 1) + (len(end_so) == 1)
    assert 0 < told < 2 * len(tokens)


def test_two_cut_tokens_in_one_run_are_both_known() -> None:
    """Where one field's end and another's beginning are glued, both are told."""
    one, other = Canary(7, 1, 1, 2), Canary(7, 2, 1, 2)
    known = Fragments()
    known.learn(inscribe(one))
    known.learn(inscribe(other))
    assert known.find(inscribe(one)[-12:] + inscribe(other)[:12]) == (one, other)


def test_what_is_known_is_bounded() -> None:
    """Beyond the limit the token that was learnt first is forgotten, however often the others are learnt again."""
    tokens = [inscribe(Canary(7, user, 1, 2)) for user in range(5)]
    known = Fragments(limit=3)
    for token in [*tokens, *tokens[2:]]:
        known.learn(token)
    assert len(known) == 3
    found = [canary.user for canary in known.find(" ".join(token[:-1] for token in tokens))]
    assert found == [2, 3, 4]
    assert known.find(" ".join(token[1:] for token in tokens[:2])) == ()


@given(canaries, st.integers(0, 3))
def test_characters_of_other_alphabets_are_no_letters(canary: Canary, at: int) -> None:
    """What only looks like a letter, or folds to one, is none: the Kelvin sign is no k, the long s no s."""
    token = inscribe(canary)
    for strange in "\u212a\u017f\uff5a\u0661":
        assert not held(token[:at] + strange + token[at + 1 :])


@pytest.mark.parametrize("way", [json.dumps, html.escape, quote, lambda text: html.escape(json.dumps(text))])
@given(text=st.text(alphabet=string.printable + "äß€😀", max_size=40))
def test_escapes_are_taken_off(way: Callable[[str], str], text: str) -> None:
    """Among the readings of an escaped text is the text, as far as it holds no escapes itself."""
    assume(not set(text) & set("\\&%"))
    escaped = way(text)
    assert any(text in reading for reading in readings(escaped))
    assert readings(escaped)[0] == escaped


def test_numeric_escapes_are_taken_off() -> None:
    """A token of which every character is escaped can be read in one of the readings."""
    canary = Canary(7, 1, 1, 2)
    token = inscribe(canary)
    for escaped in (
        "".join(f"\\u{ord(each):04x}" for each in token),
        "".join(f"&#{ord(each)};" for each in token),
        "".join(f"%{ord(each):02X}" for each in token),
        "".join(f"&amp;#x{ord(each):x};" for each in token),
        "".join(f"%25{ord(each):02X}" for each in token),
    ):
        assert not held(escaped)
        assert any(held(reading) == {canary} for reading in readings(escaped))


def test_no_escape_breaks_a_reading() -> None:
    """What is no whole escape stays as it is."""
    for odd in ("\\", "\\u12", "%", "%zz", "&", "&#", "&#xfffffff;", "\\ud83d", "%ff"):
        assert odd in readings(odd)[0]
        assert len(readings(odd)) <= 3
