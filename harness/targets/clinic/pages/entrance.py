"""Getting in and getting an appointment: the account, the sign-in form, the booking form."""

from __future__ import annotations

from dataclasses import dataclass

from playwright.async_api import Locator

from harness.model import Medium, Role
from harness.targets.clinic.pages.devices import SEEN_S, Device

ANOTHER_INSURER = "insurer:"


@dataclass(frozen=True, slots=True)
class Person:
    """Who opens an account; insurer and member number are a patient's."""

    username: str
    password: str
    name: str
    role: Role
    insurer: str
    member_number: str


async def open_account(device: Device, person: Person) -> None:
    """Open an account, which also signs in."""
    form = device.page.get_by_test_id("open-account")
    async with device.session.doing("fill in the form for a new account", SEEN_S):
        await device.page.get_by_test_id("tab-open-account").click()
        await form.get_by_test_id(f"role-{person.role}").check()
        await _fill(form, "name", person.name)
        await _fill(form, "username", person.username)
        await _fill(form, "password", person.password)
        if person.role == "patient":
            await form.get_by_test_id("field-payer").select_option(ANOTHER_INSURER)
            await _fill(form, "insurer", person.insurer)
            await _fill(form, "member_number", person.member_number)
    await device.press("open an account", form.get_by_test_id("open-account-submit"), _who(device, person.username))


async def sign_in(device: Device, username: str, password: str) -> None:
    """Sign in by the form."""
    form = device.page.get_by_test_id("sign-in")
    async with device.session.doing("fill in the sign-in form", SEEN_S):
        await _fill(form, "username", username)
        await _fill(form, "password", password)
    await device.press("sign in", form.get_by_test_id("sign-in-submit"), _who(device, username))


async def book(device: Device, clinician: str, medium: Medium) -> str:
    """Book a consultation for now; return the id of the one that the page then shows."""
    await device.go("#/")
    page, form = device.page, device.page.get_by_test_id("book")
    booked = page.locator("[data-testid=book][data-booked]")
    async with device.session.doing("fill in the booking form", SEEN_S):
        await form.get_by_test_id("field-clinician").select_option(clinician)
        await form.get_by_test_id(f"medium-{medium}").check()
        await form.get_by_test_id("field-slot").select_option("")
    await device.press("book", form.get_by_test_id("book-submit"), booked)
    async with device.session.doing("see the consultation that was booked", SEEN_S):
        made = await booked.get_attribute("data-booked") or ""
        row = f'[data-testid=upcoming] [data-testid=consultation][data-consultation-id="{made}"]'
        await page.locator(f'{row}[data-medium="{medium}"]').wait_for()
    return made


async def _fill(form: Locator, name: str, value: str) -> None:
    await form.get_by_test_id(f"field-{name}").fill(value)


def _who(device: Device, username: str) -> Locator:
    """Return the mark of who is signed in, on a page that is drawn."""
    return device.page.locator(f'body:has(main[data-state=ready]) [data-testid=who][data-username="{username}"]')
