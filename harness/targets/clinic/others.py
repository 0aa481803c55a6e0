"""Those whom the clinic's API knows and no story has: two pharmacists, a carer, and the operator."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence

from harness.drivers.api import Pool
from harness.errors import TargetError
from harness.targets.clinic.shared import OPERATOR
from harness.targets.described import Other


async def others(
    pool: Pool, cast: Sequence[str], account: Callable[[str], str], password: str, operator_password: str
) -> Sequence[Other]:
    """Open accounts and sign in; the carer has the insurer of the cast's first, the pharmacists a pharmacy each.

    The operator's account is as old as the clinic: where its password is not known or is refused, it is left out.
    Raises TargetError when an account cannot be opened.
    """
    people = []
    for name, role, pharmacy in (
        ("pia", "pharmacist", "green-cross"),
        ("quin", "pharmacist", "old-mill"),
        ("carol", "patient", ""),
    ):
        username = account(name)
        called, _, unique = username.partition("~")[0].partition("-")
        about = {"pharmacy": f"{pharmacy}-{unique}"} if pharmacy else {}
        if role == "patient" and cast:
            about = {"payer": f"insurer:{cast[0].partition('-')[0]}"}
        body = {"username": username, "password": password, "name": called.title(), "role": role, **about}
        headers = await _signed_in(pool, body)
        also = frozenset({about["pharmacy"]} if "pharmacy" in about else ())
        # A carer of the same insurer, which has the patient's name in the clinic's adapter.
        knows = frozenset(cast[:1]) if role == "patient" else frozenset()
        people.append(Other(called, username, role, headers, also, knows))
    if operator_password:
        try:
            headers = await _signed_in(pool, {"username": OPERATOR, "password": operator_password}, is_new=False)
        except TargetError as error:
            if not error.definite:
                raise
        else:
            people.append(Other(OPERATOR, OPERATOR, OPERATOR, headers, oversees=True))
    return people


async def _signed_in(pool: Pool, account: Mapping[str, str], *, is_new: bool = True) -> Mapping[str, str]:
    session = pool.session(account["username"])
    try:
        if is_new:
            await session.json("POST", "/accounts", account)
        given = {key: account[key] for key in ("username", "password")}
        session.authorize((await session.json("POST", "/sign-in", given))["token"])
        return session.headers
    finally:
        await session.close()
