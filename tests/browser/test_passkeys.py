"""Passkeys as a person has them: in Chromium, with an authenticator that the browser itself simulates."""

from collections.abc import Callable, Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

from browser.conftest import SIZES
from browser.plans import keep_site
from intendant.app import App
from intendant.intents import Step
from intendant.passkeys import PasskeyFile
from intendant.plans import Plan
from intendant.review.registering import Enrolment, EnrolServer
from intendant.review.serving import ReviewServer
from mcp_server.harness import NoteRunner, open_fake, read_note, write_project
from support.authenticator import Authenticator, enroll

pytestmark = pytest.mark.browser
LOOKS = [(size, theme) for size in ("desktop", "phone") for theme in ("light", "dark")]


class Device:
    """A person's browser with a security key in it."""

    def __init__(self, chromium: Any, size: str = "desktop", theme: str = "light", **options: Any) -> None:
        self.context = chromium.new_context(viewport=SIZES[size], color_scheme=theme, **options)
        self.context.set_default_timeout(20_000)
        self.page = self.context.new_page()
        self.problems: list[str] = []
        self.page.on("pageerror", lambda error: self.problems.append(str(error)))
        self.page.on("console", self._note)
        self._protocol = self.context.new_cdp_session(self.page)
        self._protocol.send("WebAuthn.enable")
        self.authenticator = self.insert_key()

    def _note(self, said: Any) -> None:
        if said.type in ("error", "warning") and "status of 409" not in said.text:
            self.problems.append(said.text)

    def insert_key(self) -> str:
        options = {
            "protocol": "ctap2",
            "transport": "usb",
            "hasResidentKey": True,
            "hasUserVerification": True,
            "isUserVerified": True,
            "automaticPresenceSimulation": True,
        }
        added = self._protocol.send("WebAuthn.addVirtualAuthenticator", {"options": options})
        return str(added["authenticatorId"])

    def swap_key(self) -> dict[str, Any]:
        """Take the key out and put a new one in; what was on the old one comes back."""
        [held] = self._protocol.send("WebAuthn.getCredentials", {"authenticatorId": self.authenticator})["credentials"]
        self._protocol.send("WebAuthn.removeVirtualAuthenticator", {"authenticatorId": self.authenticator})
        self.authenticator = self.insert_key()
        return dict(held)

    def put_back(self, held: dict[str, Any]) -> None:
        """The old key again, beside the new one's own credentials."""
        add = {"authenticatorId": self.authenticator, "credential": held}
        self._protocol.send("WebAuthn.addCredential", add)

    def verify_user(self, verified: bool) -> None:
        """Whether the person gives the right PIN from now on."""
        state = {"authenticatorId": self.authenticator, "isUserVerified": verified}
        self._protocol.send("WebAuthn.setUserVerified", state)


@pytest.fixture
def keys(app: App) -> PasskeyFile:
    return app.keys


@pytest.fixture
def app(tmp_path: Path, note: Path) -> App:
    """A project whose policy wants passkeys."""
    project = write_project(tmp_path / "project", tmp_path / "state")
    with (project / "intendant.toml").open("a") as settings:
        settings.write('[policy]\napproval_strength = "passkey"\n')
    return open_fake(project, NoteRunner(note))


@pytest.fixture
def made(app: App, note: Path) -> Plan:
    step = Step(intent="note", params={"note_text": "hello", "note_path": str(note)})
    return app.planner.plan_changes("here", [step], request="write the note hello", client="desk")


@pytest.fixture
def device_of(chromium: Any) -> Iterator[Callable[..., Device]]:
    devices: list[Device] = []

    def make(*words: str, **options: Any) -> Device:
        devices.append(Device(chromium, *words, **options))
        return devices[-1]

    yield make
    for device in devices:
        device.context.close()
    assert [problem for device in devices for problem in device.problems] == []


@pytest.fixture
def enrol(keys: PasskeyFile) -> Iterator[Callable[[Device, str], Enrolment]]:
    """Opens the page of an enrolment."""
    servers: list[EnrolServer] = []

    def begin(device: Device, name: str) -> Enrolment:
        enrolment = Enrolment(keys, name, lambda: datetime.now(UTC))
        servers.append(EnrolServer(enrolment))
        device.page.goto(servers[-1].invite())
        return enrolment

    yield begin
    for server in servers:
        server.close()


@pytest.mark.parametrize(("size", "theme"), LOOKS)
def test_enrolling_and_approving_by_clicks(
    app: App,
    made: Plan,
    note: Path,
    server: ReviewServer,
    device_of: Callable[..., Device],
    enrol: Callable[[Device, str], Enrolment],
    axe: Callable[[Any], list[str]],
    screenshots: Path,
    size: str,
    theme: str,
) -> None:
    device = device_of(size, theme)
    page = device.page

    def look(name: str) -> None:
        assert axe(page) == [], name
        overflow = "document.documentElement.scrollWidth - document.documentElement.clientWidth"
        assert page.evaluate(overflow) <= 0
        page.screenshot(path=screenshots / f"passkey-{name}-{size}-{theme}.png", full_page=True)

    enrol(device, "desk key")
    look("enroll")
    page.get_by_role("button", name="Make the key").click()
    page.get_by_text("is enrolled: it can approve").wait_for()
    look("enrolled")

    page.goto(server.invite(made.id))
    device.verify_user(False)
    page.get_by_role("button", name="Approve exactly this plan with a passkey").click()
    page.get_by_text("did not confirm that it is you").wait_for()
    look("refused")
    assert app.approver.current(made.id) is None
    device.verify_user(True)
    page.get_by_label("Comment").fill("go")
    look("asks")
    page.get_by_role("button", name="Approve exactly this plan with a passkey").click()
    page.get_by_text("It waits to be applied").wait_for()
    page.get_by_text("through the passkey “desk key”").wait_for()
    look("approved")
    approval = app.approver.current(made.id)
    assert approval is not None
    assert (approval.channel, approval.comment) == ("passkey", "go")
    app.applier.apply_plan(made.id)
    page.get_by_text("everything went as planned").wait_for()
    assert read_note(note) == "hello\n"


@pytest.mark.parametrize(("size", "theme"), [("desktop", "light"), ("phone", "dark")])
def test_a_second_key_is_let_in_by_the_first_alone(
    keys: PasskeyFile,
    device_of: Callable[..., Device],
    enrol: Callable[[Device, str], Enrolment],
    axe: Callable[[Any], list[str]],
    screenshots: Path,
    size: str,
    theme: str,
) -> None:
    device = device_of(size, theme)
    page = device.page
    enrol(device, "desk key")
    page.get_by_role("button", name="Make the key").click()
    page.get_by_text("is enrolled: it can approve").wait_for()

    enrol(device, "again")
    page.get_by_role("button", name="Make the key").click()
    page.get_by_text("This authenticator is enrolled already").wait_for()

    first = device.swap_key()
    enrol(device, "spare key")
    page.get_by_text("Step 1 of 2").wait_for()
    page.get_by_role("button", name="Make the key").click()
    page.get_by_text("Step 2 of 2").wait_for()
    assert axe(page) == []
    page.screenshot(path=screenshots / f"passkey-confirm-{size}-{theme}.png", full_page=True)
    page.get_by_role("button", name="Confirm with an enrolled key").click()
    page.get_by_text("did not confirm that it is you").wait_for()
    assert [key.name for key in keys.load()] == ["desk key"]
    device.put_back(first)
    page.get_by_role("button", name="Confirm with an enrolled key").click()
    page.get_by_text("is enrolled: it can approve").wait_for()
    assert [key.name for key in keys.load()] == ["desk key", "spare key"]


def test_a_key_that_is_not_enrolled_approves_nothing(
    app: App, keys: PasskeyFile, made: Plan, server: ReviewServer, device_of: Callable[..., Device]
) -> None:
    enroll(keys, "somebody's key", Authenticator())
    device = device_of()
    device.page.goto(server.invite(made.id))
    device.page.get_by_role("button", name="Approve exactly this plan with a passkey").click()
    device.page.get_by_text("Nothing was recorded").wait_for()
    assert app.store.list_approvals(made.id) == []


def test_rejecting_asks_no_authenticator(
    app: App, keys: PasskeyFile, server: ReviewServer, device_of: Callable[..., Device]
) -> None:
    enroll(keys, "somebody's key", Authenticator())
    plan = keep_site(app, channels=("passkey",))
    device = device_of()
    device.page.goto(server.invite(plan.id))
    device.page.get_by_role("button", name="Reject").click()
    device.page.get_by_role("heading", name="Rejected").wait_for()
    assert app.store.plan_status(plan.id) == "rejected"


def test_a_destructive_plan_wants_its_hosts_before_it_asks_the_authenticator(
    app: App,
    server: ReviewServer,
    device_of: Callable[..., Device],
    enrol: Callable[[Device, str], Enrolment],
) -> None:
    device = device_of()
    page = device.page
    enrol(device, "desk key")
    page.get_by_role("button", name="Make the key").click()
    page.get_by_text("is enrolled: it can approve").wait_for()
    plan = keep_site(app, channels=("passkey",))
    page.goto(server.invite(plan.id))
    page.get_by_label("To approve, type its hosts").fill("wrong")
    page.get_by_role("button", name="Approve exactly").click()
    page.get_by_text("deletes or hides something, type its hosts: web").wait_for()
    assert app.approver.current(plan.id) is None
    page.get_by_label("To approve, type its hosts").fill("web")
    page.get_by_role("button", name="Approve exactly").click()
    page.get_by_text("It waits to be applied").wait_for()
    assert app.approver.current(plan.id) is not None


def test_without_scripts_the_plan_is_read_and_rejected_and_the_page_says_why_not_approved(
    app: App, keys: PasskeyFile, made: Plan, server: ReviewServer, device_of: Callable[..., Device]
) -> None:
    enroll(keys, "somebody's key", Authenticator())
    device = device_of(java_script_enabled=False)
    page = device.page
    page.goto(server.invite(made.id))
    assert page.locator("ins.line").first.is_visible()
    assert page.get_by_text("needs the script of this page, which did not run").is_visible()
    page.get_by_role("button", name="Approve exactly this plan with a passkey").click()
    page.get_by_text("none has signed").wait_for()
    assert app.approver.current(made.id) is None
    page.get_by_role("button", name="Reject").click()
    page.get_by_role("heading", name="Rejected").wait_for()


def test_without_a_key_the_page_says_how_to_enroll_one(
    made: Plan,
    server: ReviewServer,
    device_of: Callable[..., Device],
    axe: Callable[[Any], list[str]],
    screenshots: Path,
) -> None:
    page = device_of().page
    page.goto(server.invite(made.id))
    assert page.get_by_text("No passkey is enrolled").is_visible()
    assert page.get_by_role("button", name="Approve").count() == 0
    assert axe(page) == []
    page.screenshot(path=screenshots / "passkey-none-desktop-light.png", full_page=True)
