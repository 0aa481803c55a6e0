"""Which hands each role has, as `--driver` names them."""

import pytest

from harness.drivers.choice import choose
from harness.errors import UsageError

OTHERS = {"carer": "api", "pharmacist": "api", "operator": "api"}


def test_one_word_is_for_everybody() -> None:
    """`browser` gives patients and clinicians a browser; whoever else there is has the API."""
    assert choose("browser") == OTHERS | {"patient": "browser", "clinician": "browser"}


def test_a_role_that_is_not_named_has_the_api() -> None:
    """Roles may differ, in any order, with spaces."""
    assert choose("patient=browser") == OTHERS | {"patient": "browser", "clinician": "api"}
    assert choose("clinician=browser, patient=api") == OTHERS | {"patient": "api", "clinician": "browser"}


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("browse", "did you mean 'browser'?"),
        ("patient=brwser", "did you mean 'browser'?"),
        ("patien=browser", "did you mean 'patient'?"),
        ("patient=api,patient=browser", "patient is named twice"),
        ("patient=browser,clinician", "'clinician' is not ROLE=HANDS"),
        ("", "'' is not known"),
    ],
)
def test_what_is_no_choice_is_refused_with_the_nearest_name(text: str, said: str) -> None:
    """An unknown role or driver, a role twice, a role without hands."""
    with pytest.raises(UsageError, match=r"^--driver ") as refused:
        choose(text)
    assert said in str(refused.value)
