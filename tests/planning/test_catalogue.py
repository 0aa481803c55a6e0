"""Reading catalogues: what is right, and every mistake with its file, line and nearest right name."""

from __future__ import annotations

import tempfile
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from harness.errors import UsageError
from harness.model import Constraint, Flag
from harness.planning.catalogue import MAX_BYTES, MAX_FLAGS, load
from tests.planning.models import SIX_FLAGS, UNTIMED

PIECES = (
    *("[flags.a]\n", "[flags.b]\n", "[flags.'c d']\n", "[[exclusions]]\n", "[flags]\n", "[other]\n"),
    *("parents = ", "variants = ", "baseline = ", "kind = ", "flags = ", "reason = ", "a.b = "),
    *("['a']\n", "['b=on', 'a']\n", "['off', 'on']\n", "'on'\n", "'off'\n", "''\n", "3\n", "{x = 1}\n", "\n"),
)


def write(folder: Path, text: str) -> Path:
    """Write the text as a catalogue and return its path."""
    path = folder / "flags.toml"
    path.write_text(text)
    return path


def complaint(folder: Path, text: str) -> str:
    """Load the text, which must be refused in one line that begins with the file, and return the rest."""
    path = write(folder, text)
    with pytest.raises(UsageError) as refused:
        load(path)
    message = str(refused.value)
    assert "\n" not in message
    assert message.startswith(f"{path}:")
    return message.removeprefix(f"{path}:")


def test_the_clinics_catalogue_is_read() -> None:
    """A catalogue as the clinic's has its six flags in order, the parent as a constraint, and replay access on."""
    catalogue = load(SIX_FLAGS)
    assert catalogue.names == (
        "video-upgrade",
        "video-downgrade",
        "replay-index-v2",
        "replay-cache",
        "replay-paging",
        "replay-access",
    )
    assert catalogue.baseline.label == "replay_access"
    assert catalogue.parents == (("video-downgrade", (("video-upgrade", frozenset({"on"})),)),)
    assert catalogue.constraints == (
        Constraint(
            (("video-downgrade", frozenset({"on"})), ("video-upgrade", frozenset({"off"}))),
            "video-downgrade needs video-upgrade",
        ),
    )
    assert catalogue.source == str(SIX_FLAGS)


def test_defaults_of_a_flag(tmp_path: Path) -> None:
    """An empty table is a boolean release flag that is off."""
    assert load(write(tmp_path, "[flags.a]")).flags == (Flag("a"),)


def test_a_parents_variant_and_an_exclusion(tmp_path: Path) -> None:
    """`flag=variant` narrows a parent or an exclusion to one variant, `flag` means any but off."""
    catalogue = load(
        write(
            tmp_path,
            """
            [flags.layout]
            variants = ["off", "grid", "list"]
            [flags.zoom]
            parents = ["layout=grid"]
            [flags.dark]
            [[exclusions]]
            flags = ["dark", "layout=list"]
            reason = "the list has no dark colours"
            """,
        )
    )
    assert catalogue.parents == (("zoom", (("layout", frozenset({"grid"})),)),)
    assert catalogue.constraints == (
        Constraint((("zoom", frozenset({"on"})), ("layout", frozenset({"off", "list"}))), "zoom needs layout=grid"),
        Constraint((("dark", frozenset({"on"})), ("layout", frozenset({"list"}))), "the list has no dark colours"),
    )


def test_the_context_is_the_users_unless_it_is_said(tmp_path: Path) -> None:
    """A flag is told apart per user unless the catalogue says otherwise, and those that are not are named together."""
    catalogue = load(
        write(tmp_path, "[flags.a]\n[flags.b]\ncontext = 'global'\n[flags.c]\ncontext = 'start-up'\nbaseline = 'on'\n")
    )
    assert [flag.context for flag in catalogue.flags] == ["user", "global", "start-up"]
    assert catalogue.shared(catalogue.baseline) == (("b", "off"), ("c", "on"))


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        pytest.param("[flags.a]\nkind =\n", "2:7: broken TOML: Invalid value", id="broken-line"),
        pytest.param("[flags.a", "1:1: broken TOML: Expected ']' at the end of", id="broken-at-the-end"),
        pytest.param("[flags.a]\n[flags.a]", "2:9: broken TOML: Cannot declare", id="flag-twice"),
        pytest.param("a = " + "[" * 9_999, " broken TOML: nested too deeply", id="nested-too-deeply"),
        pytest.param("a = " + "1" * 9_999, "1:1: broken TOML: Exceeds the limit", id="too-many-digits"),
        pytest.param(
            '[flags.a]\nbaseline = "x"\nvariants = ["off", "o\\nn"]',
            "2: flag 'a': baseline 'x' is not one of the variants off, o n (and 1 more mistake)",
            id="line-break-in-a-variant",
        ),
        pytest.param("", " no flags: a catalogue needs at least one table [flags.NAME]", id="empty"),
        pytest.param("[flags]", "1: no flags: a catalogue needs", id="no-flags"),
        pytest.param("flags = 3", "1: 'flags' must hold tables: [flags.NAME]", id="flags-is-no-table"),
        pytest.param("[flags]\na = true", "2: flag 'a' must be a table: [flags.a]", id="flag-is-no-table"),
        pytest.param("[flag.a]", "1: unknown key 'flag'; did you mean 'flags'?", id="unknown-table"),
        pytest.param(
            "[flags.a]\n\nbasline = 'on'",
            "3: flag 'a': unknown key 'basline'; did you mean 'baseline'?",
            id="unknown-key",
        ),
        pytest.param(
            "[flags.a.b]",
            "1: flag 'a': unknown key 'b'; a name with a dot is written [flags.\"a.b\"]",
            id="unquoted-dot",
        ),
        pytest.param(
            "[flags.'a b']",
            "1: flag name 'a b': use letters, digits, '-', '_' and '.' only",
            id="characters-of-a-name",
        ),
        pytest.param(
            "[flags.a]\nkind = 'relase'",
            "2: flag 'a': kind 'relase' is none of "
            "release, experiment, operational, kill switch, permission; did you mean 'release'?",
            id="unknown-kind",
        ),
        pytest.param(
            "[flags.a]\ncontext = 'startup'",
            "2: flag 'a': context 'startup' is none of user, global, start-up; did you mean 'start-up'?",
            id="unknown-context",
        ),
        pytest.param(
            "[flags.a]\ncontxt = 'user'",
            "2: flag 'a': unknown key 'contxt'; did you mean 'context'?",
            id="misspelt-context",
        ),
        pytest.param(
            "[flags.a]\ncontext = ['user']",
            "2: flag 'a': context must be text, such as context = \"user\"",
            id="context-is-no-text",
        ),
        pytest.param(
            "[flags.a]\nbaseline = true",
            "2: flag 'a': baseline must be text, such as baseline = \"off\"",
            id="baseline-is-no-text",
        ),
        pytest.param(
            "[flags.a]\nvariants = ['off', 'small']\nbaseline = 'smal'",
            "3: flag 'a': baseline 'smal' is not one of the variants off, small; did you mean 'small'?",
            id="baseline-is-no-variant",
        ),
        pytest.param(
            "[flags.a]\nvariants = [false, true]",
            "2: flag 'a': variants must be a list of texts",
            id="variants-are-no-texts",
        ),
        pytest.param(
            "[flags.a]\nvariants = ['on', 'grid']",
            "2: flag 'a': variants must hold 'off', since any flag can be disabled",
            id="variants-without-off",
        ),
        pytest.param(
            "[flags.a]\nvariants = ['off']",
            "2: flag 'a': variants must hold at least one beside 'off'",
            id="one-variant",
        ),
        pytest.param(
            "[flags.a]\nvariants = ['off', 'on', 'on']",
            "2: flag 'a': variant 'on' is given twice",
            id="variant-twice",
        ),
        pytest.param(
            "[flags.a]\nvariants = ['off', 'o=n']",
            "2: flag 'a': variant 'o=n': use letters",
            id="characters-of-a-variant",
        ),
        pytest.param(
            "[flags.a]\nparents = 'b'",
            "2: flag 'a': parents must be a list of texts",
            id="parents-are-no-list",
        ),
        pytest.param(
            "[flags.upgrade]\n[flags.a]\nparents = [\n  'upgrad',\n]",
            "3: flag 'a': parent 'upgrad' is not a flag of this catalogue; did you mean 'upgrade'?",
            id="parent-does-not-exist",
        ),
        pytest.param(
            "[flags.b]\nvariants = ['off', 'grid']\n[flags.a]\nparents = ['b=gird']",
            "4: flag 'a': parent 'b': 'gird' is not one of its variants off, grid; did you mean 'grid'?",
            id="variant-of-parent-does-not-exist",
        ),
        pytest.param(
            "[flags.b]\n[flags.a]\nparents = ['b', 'b=on']",
            "3: flag 'a': parent 'b' is given twice",
            id="parent-twice",
        ),
        pytest.param("[flags.a]\nparents = ['a']", "2: flag 'a' is its own parent: a -> a", id="its-own-parent"),
        pytest.param(
            "[flags.z]\nparents=['a']\n[flags.a]\nparents=['b']\n[flags.b]\nparents=['c', 'a']\n[flags.c]",
            "4: flag 'a' is in a cycle of parents: a -> b -> a",
            id="cycle-of-parents",
        ),
        pytest.param("exclusions = 1\n[flags.a]", "1: 'exclusions' must be tables: [[exclusions]]", id="no-tables"),
        pytest.param(
            "[flags.grid]\n[flags.b]\n[[exclusions]]\nreason = 'why'\nflags = ['b', 'grit']",
            "5: exclusion 1: 'grit' is not a flag of this catalogue; did you mean 'grid'?",
            id="exclusion-of-an-unknown-flag",
        ),
        pytest.param(
            "[flags.a]\n[flags.b]\n[[exclusions]]\nflags = ['a', 'b']",
            "3: exclusion 1: a reason is needed: it is printed with every plan",
            id="exclusion-without-reason",
        ),
        pytest.param(
            "[flags.a]\n[[exclusions]]\nreason = 'why'\n",
            "2: exclusion 1: flags must name what may not hold at once",
            id="exclusion-of-nothing",
        ),
        pytest.param(
            "[flags.a]\n[[exclusions]]\nreason='y'\nflags=['a']\n[[exclusions]]\nflag=['a']\nreason='x'",
            "5: exclusion 2: flags must name what may not hold at once (and 1 more mistake)",
            id="second-exclusion",
        ),
        pytest.param(
            "[flags.a]\nbaseline = 'on'\nparents = ['b']\n[flags.b]",
            "2: the baseline breaks a constraint: a needs b (baseline: a=on b=off)",
            id="baseline-breaks-a-constraint",
        ),
        pytest.param(
            "[flags.a]\n[[exclusions]]\nflags=['a=on']\nreason='no'\n[[exclusions]]\nflags=['a=off']\nreason='nor'",
            " the constraints leave no valid combination; one of them: nor",
            id="no-valid-combination",
        ),
        pytest.param(
            "\n".join(f"[flags.f{i}]" for i in range(MAX_FLAGS + 1)),
            f"1: {MAX_FLAGS + 1} flags are more than {MAX_FLAGS}",
            id="too-many-flags",
        ),
        pytest.param("#" * (MAX_BYTES + 1), " more than 1,000,000 bytes: not a flag catalogue", id="too-long"),
    ],
)
def test_a_mistake_is_one_line_with_its_place(tmp_path: Path, text: str, expected: str) -> None:
    """Each mistake in a catalogue is refused with the file, its line and the nearest right name."""
    assert complaint(tmp_path, text).startswith(expected)


def test_the_first_mistake_in_the_file_is_told_and_the_others_are_counted(tmp_path: Path) -> None:
    """Of three mistakes the topmost is named, and the message says that there are two more."""
    text = "[flags.a]\nkind = 'relase'\n[flags.b]\nkid = 'release'\nbaseline = 'up'"
    assert complaint(tmp_path, text).endswith("did you mean 'release'? (and 2 more mistakes)")


def test_a_missing_file_names_the_nearest_one(tmp_path: Path) -> None:
    """A file name that is nearly right is answered with the right one from the same folder."""
    (tmp_path / "clinic.toml").touch()
    with pytest.raises(UsageError, match=r"clinc\.toml: there is no such file; did you mean 'clinic\.toml'\?$"):
        load(tmp_path / "clinc.toml")


def test_a_missing_folder_is_named(tmp_path: Path) -> None:
    """When the folder itself is missing, that is what the message says."""
    with pytest.raises(UsageError, match=r"flags\.toml: there is no folder '.*flgs'$"):
        load(tmp_path / "flgs" / "flags.toml")


def test_a_folder_is_not_a_catalogue(tmp_path: Path) -> None:
    """A path that cannot be read as a file is the author's mistake, not a crash."""
    with pytest.raises(UsageError, match=r"cannot be read: Is a directory$"):
        load(tmp_path)


def test_a_file_that_is_not_text_is_refused_with_its_line(tmp_path: Path) -> None:
    """Bytes that are not UTF-8 are refused with the line on which they stand."""
    path = tmp_path / "flags.toml"
    path.write_bytes(b"[flags.a]\ndescription = '\xff'\n")
    with pytest.raises(UsageError, match=r"flags\.toml:2: not UTF-8 text$"):
        load(path)


@given(st.lists(st.sampled_from(PIECES), max_size=12).map("".join))
@UNTIMED
def test_no_text_makes_the_reader_crash(text: str) -> None:
    """Whatever the file holds, it is either a catalogue with a valid baseline or the author's mistake."""
    with tempfile.TemporaryDirectory() as folder:
        path = write(Path(folder), text)
        message = f"{path}:"
        try:
            catalogue = load(path)
        except UsageError as refused:
            message = str(refused)
        else:
            assert catalogue.allows(catalogue.baseline)
    assert message.startswith(f"{path}:")
    assert len(message.splitlines()) == 1
