"""What the pages of Consultation Replays show, held against itself."""

from __future__ import annotations

from dataclasses import replace

import pytest

from harness.targets.clinic.pages.shown import Entry, OwnPage, Shown, address_of, contradictions

ENTRY = Entry("rec-1", "visit-1", "Video consultation with Chen", "Video", "#/replays/rec-1")
PAGE = OwnPage("rec-1", "visit-1", "Video consultation with Chen", "Video", "video", played=True)


def test_what_agrees() -> None:
    """An entry and its own page that say the same do not contradict each other, nor does one that was never opened."""
    other = Entry("rec-2", "visit-1", "Audio consultation with Chen", "Audio", "#/replays/rec-2")
    assert contradictions(Shown(entries=(ENTRY, other), pages={"rec-1": PAGE})) == []


@pytest.mark.parametrize(
    ("page", "said"),
    [
        (replace(PAGE, recording="rec-2"), "id is 'rec-1' on the list and 'rec-2'"),
        (replace(PAGE, consultation="visit-2"), "consultation is 'visit-1' on the list and 'visit-2'"),
        (replace(PAGE, title="Video consultation with Diaz"), "and 'Video consultation with Diaz' on its own page"),
        (replace(PAGE, mark="Audio"), "medium is 'Video' on the list and 'Audio'"),
        (replace(PAGE, player="audio"), "player is 'video' on the list and 'audio'"),
    ],
)
def test_a_page_that_contradicts_the_list(page: OwnPage, said: str) -> None:
    """Each thing in which a replay's own page differs from the list is told, and nothing else."""
    (found,) = contradictions(Shown(entries=(ENTRY,), pages={"rec-1": page}))
    assert said in found


@pytest.mark.parametrize("changed", [{"mark": "Picture"}, {"link": "#/replays/rec-2"}])
def test_an_entry_that_contradicts_itself(changed: dict[str, str]) -> None:
    """A mark that is no medium and a link that leads to another replay are told of an entry that nobody opened."""
    (found,) = contradictions(Shown(entries=(replace(ENTRY, **changed),)))
    assert next(iter(changed.values())) in found


def test_an_address_is_escaped() -> None:
    """An id is one part of an address, whatever is in it."""
    assert address_of("a/b c") == "#/replays/a%2Fb%20c"
