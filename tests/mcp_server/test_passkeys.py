"""Approval by a passkey: what a person does, and what a process of the same user cannot do in their place."""

import json
import secrets
import sqlite3
import threading
from collections.abc import Callable, Iterator
from contextlib import closing
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from mcp_types import ElicitRequestParams, ElicitRequestURLParams, ElicitResult

from intendant.app import App
from intendant.approvals import Approval, Assertion, Channel, make_challenge
from intendant.authenticators import ask_assertion, read_assertion
from intendant.errors import ApprovalNeeded, PolicyError, RefusedError
from intendant.intents import Step
from intendant.passkeys import PasskeyFile
from intendant.plans import Plan
from intendant.processes import identify_user
from intendant.review.serving import ReviewServer
from mcp_server.harness import NoteRunner, data_of, error_of, open_client, open_fake, read_note
from support.authenticator import Authenticator, answer_with, enroll, origin_of, read_question, to_text
from support.browser import Browser

pytestmark = pytest.mark.anyio
Steps = list[dict[str, Any]]
PASSKEY = '[policy]\napproval_strength = "passkey"\n'


def set_policy(project: Path, text: str) -> None:
    settings = project / "intendant.toml"
    settings.write_text(settings.read_text().partition("[policy]")[0] + text)


@pytest.fixture
def key(project: Path) -> Authenticator:
    """The person's, enrolled as 'desk key'."""
    key = Authenticator()
    enroll(PasskeyFile(project / "passkeys.json"), "desk key", key)
    return key


@pytest.fixture
def app(project: Path, note: Path, key: Authenticator) -> App:
    """The project's application, whose policy wants passkeys."""
    set_policy(project, PASSKEY)
    return open_fake(project, NoteRunner(note))


@pytest.fixture
def made(app: App, steps: Steps) -> Plan:
    return app.planner.plan_changes("here", [Step(**step) for step in steps], request="a note", client="desk")


@pytest.fixture
def server(app: App) -> Iterator[ReviewServer]:
    review = ReviewServer(lambda: app)
    yield review
    review.close()


@pytest.fixture
def browser(server: ReviewServer, made: Plan) -> Browser:
    found = Browser(server.invite(made.id))
    assert found.open().status == 303
    return found


def is_untouched(app: App, plan: Plan) -> bool:
    return app.store.plan_status(plan.id) == "pending" and not app.store.list_approvals(plan.id)


# --- what a person does


def test_a_passkey_approves_and_its_signature_is_kept(
    app: App, made: Plan, browser: Browser, key: Authenticator, note: Path
) -> None:
    assert made.approval_channels == ("passkey",)
    assert "Approve exactly this plan with a passkey" in browser.show().text
    assert answer_with(browser, key, comment="for ticket 7").status == 303
    approval = app.approver.current(made.id)
    assert approval is not None
    assert (approval.channel, approval.comment, approval.who) == ("passkey", "for ticket 7", identify_user())
    assert approval.through == "passkey 'desk key'"
    page = browser.show().text
    assert "through the passkey “desk key”" in page
    assert "<form" not in page
    run = app.applier.apply_plan(made.id)
    assert (run.status, read_note(note)) == ("succeeded", "hello\n")
    assert any("through passkey 'desk key'" in entry.summary for entry in app.store.list_history()[0])


def test_rejecting_needs_no_passkey(app: App, made: Plan, browser: Browser) -> None:
    assert browser.answer("reject", comment="no").status == 303
    assert app.store.plan_status(made.id) == "rejected"


def test_without_an_enrolled_key_the_page_says_how_to_enroll_one(app: App, made: Plan, browser: Browser) -> None:
    app.keys.path.unlink()
    page = browser.show().text
    assert "intendant enroll NAME" in page
    assert 'value="approve"' not in page
    assert read_question(page) == ""
    refused = browser.answer("approve", passkey="{}")
    assert refused.status == 409
    assert "No passkey is enrolled" in refused.text
    assert is_untouched(app, made)


def test_an_authenticator_that_does_not_count_is_as_good(app: App, made: Plan, browser: Browser, project: Path) -> None:
    app.keys.path.unlink()
    phone = Authenticator(count=None)
    enroll(app.keys, "phone", phone)
    assert answer_with(browser, phone).status == 303
    assert app.applier.apply_plan(made.id).status == "succeeded"


# --- what the page refuses


FLAWED: dict[str, Callable[[Authenticator, str, str], str]] = {
    "no answer": lambda key, asked, origin: "",
    "no answer of an authenticator": lambda key, asked, origin: '{"id": 1}',
    "no JSON": lambda key, asked, origin: "{",
    "a list": lambda key, asked, origin: "[]",
    "user not verified": lambda key, asked, origin: Authenticator(verifies=False, id=key.id, key=key.key, count=9).sign(
        asked, origin
    ),
    "a key that is not enrolled": lambda key, asked, origin: Authenticator().sign(asked, origin),
    "another key under the enrolled one's id": lambda key, asked, origin: Authenticator(id=key.id, count=9).sign(
        asked, origin
    ),
    "another port of localhost": lambda key, asked, origin: key.sign(asked, "http://localhost:1"),
    "another site": lambda key, asked, origin: key.sign(asked, "https://evil.example"),
    "a frame of another site": lambda key, asked, origin: key.sign(asked, origin, crossOrigin=True),
    "another relying party": lambda key, asked, origin: Authenticator(
        rp_id="evil.example", id=key.id, key=key.key, count=9
    ).sign(asked, origin),
    "an enrolment in place of an approval": lambda key, asked, origin: key.sign(asked, origin, type="webauthn.create"),
    "another challenge": lambda key, asked, origin: key.sign(
        json.dumps({"challenge": to_text(secrets.token_bytes(32))}), origin
    ),
    "the answer of an earlier time": lambda key, asked, origin: Authenticator(id=key.id, key=key.key, count=0).sign(
        asked, origin
    ),
}


@pytest.mark.parametrize("flaw", FLAWED.values(), ids=FLAWED.keys())
def test_what_the_enrolled_key_did_not_sign_here_and_now_is_refused(
    app: App, made: Plan, browser: Browser, key: Authenticator, flaw: Callable[[Authenticator, str, str], str]
) -> None:
    asked = read_question(browser.show().text)
    refused = browser.answer("approve", passkey=flaw(key, asked, origin_of(browser)), comment="kept")
    assert refused.status == 409
    assert "Not recorded" in refused.text
    assert ">kept</textarea>" in refused.text
    assert is_untouched(app, made)
    assert answer_with(browser, key).status == 303


def test_a_signature_for_one_plan_approves_no_other(
    app: App, server: ReviewServer, made: Plan, browser: Browser, key: Authenticator, steps: Steps
) -> None:
    other = app.planner.plan_changes("here", [Step(**step) for step in steps], request="another", client="desk")
    second = Browser(server.invite(other.id))
    second.open()
    signed = key.sign(read_question(browser.show().text), origin_of(browser))
    assert second.answer("approve", passkey=signed).status == 409
    assert is_untouched(app, other)
    assert browser.answer("approve", passkey=signed).status == 303


def test_a_counter_that_goes_back_is_refused(
    app: App, server: ReviewServer, made: Plan, browser: Browser, key: Authenticator, steps: Steps
) -> None:
    copy = Authenticator(id=key.id, key=key.key, count=key.count)
    assert answer_with(browser, key).status == 303
    other = app.planner.plan_changes("here", [Step(**step) for step in steps], request="another", client="desk")
    second = Browser(server.invite(other.id))
    second.open()
    refused = answer_with(second, copy)
    assert refused.status == 409
    assert "counter went back" in refused.text
    assert answer_with(second, key).status == 303


def test_no_other_way_of_approving_counts(app: App, made: Plan, note: Path) -> None:
    channels: list[Channel] = ["elicitation", "terminal", "page", "policy"]
    for channel in channels:
        app.approver.record(made.id, made.digest, who="ann", channel=channel)
        with pytest.raises(ApprovalNeeded, match=f"one through {channel} is not enough"):
            app.applier.apply_plan(made.id)
    with pytest.raises(RefusedError, match="nothing is signed"):
        app.approver.record(made.id, made.digest, who="ann", channel="passkey")
    assert read_note(note) is None


# --- what a process of the same user does: it writes what it likes into the store


def sign_for(app: App, plan: Plan, key: Authenticator, origin: str = "http://localhost:4711") -> Assertion:
    """What a person signs on the page, without the page."""
    nonce, keys = secrets.token_urlsafe(32), app.keys.load()
    asked = ask_assertion(make_challenge(plan.id, plan.digest, nonce), keys)
    return read_assertion(key.sign(asked, origin), keys, nonce)


def forge(app: App, plan: Plan, **fields: Any) -> None:
    """A row of a process's own in the database."""
    now = datetime.now(UTC)
    values = {"id": "approval-forged", "plan_id": plan.id, "digest": plan.digest, "who": "ann", "channel": "passkey"}
    row = Approval.model_validate({**values, "at": now, "until": plan.expires_at, **fields})
    with closing(sqlite3.connect(app.config.state_dir / "intendant.db")) as database, database:
        database.execute(
            "INSERT INTO approvals (id, plan_id, at, document) VALUES (?, ?, ?, ?)",
            (row.id, plan.id, now.replace(tzinfo=None).isoformat(" "), row.model_dump_json()),
        )


def sign_other(app: App, plan: Plan, key: Authenticator) -> Assertion:
    other = plan.model_copy(update={"request": "another", "pattern": "web"})
    return sign_for(app, other.model_copy(update={"digest": other.compute_digest()}), key)


FORGED: dict[str, tuple[Callable[[App, Plan, Authenticator], Assertion | None], str]] = {
    "no signature": (lambda app, plan, key: None, "nothing is signed"),
    "a signature for another digest": (sign_other, "challenge"),
    "a signature for another plan": (
        lambda app, plan, key: sign_for(app, plan.model_copy(update={"id": "plan-other"}), key),
        "challenge",
    ),
    "a key of its own under the enrolled name": (
        lambda app, plan, key: sign_for(app, plan, Authenticator(id=key.id, count=9)),
        "signature",
    ),
    "a name of its own": (
        lambda app, plan, key: sign_for(app, plan, key).model_copy(update={"key": "other"}),
        "'other' is not enrolled",
    ),
    "another nonce": (
        lambda app, plan, key: sign_for(app, plan, key).model_copy(update={"nonce": "other"}),
        "challenge",
    ),
    "a touch without the user verified": (
        lambda app, plan, key: sign_for(app, plan, Authenticator(verifies=False, id=key.id, key=key.key, count=9)),
        "user was not verified",
    ),
    "signed on another site": (
        lambda app, plan, key: sign_for(app, plan, key, "https://localhost.evil.example"),
        "on another page",
    ),
    "bytes that are none": (
        lambda app, plan, key: sign_for(app, plan, key).model_copy(update={"client_data": "é", "signature": "!"}),
        "does not hold",
    ),
}


@pytest.mark.parametrize(("signed", "reason"), FORGED.values(), ids=FORGED.keys())
def test_a_row_that_a_process_wrote_into_the_store_is_worth_nothing(
    app: App,
    made: Plan,
    key: Authenticator,
    note: Path,
    signed: Callable[[App, Plan, Authenticator], Assertion | None],
    reason: str,
) -> None:
    assertion = signed(app, made, key)
    forge(app, made, assertion=assertion)
    assert app.approver.current(made.id) is None
    with pytest.raises(ApprovalNeeded, match=rf"does not count: .*{reason}"):
        app.applier.apply_plan(made.id)
    assert read_note(note) is None
    assert app.store.plan_status(made.id) == "pending"


def test_a_row_with_what_the_person_signed_counts_whoever_wrote_it(app: App, made: Plan, key: Authenticator) -> None:
    forge(app, made, assertion=sign_for(app, made, key))
    assert app.applier.apply_plan(made.id).status == "succeeded"


def test_the_same_plan_can_be_applied_again_until_it_expires_by_who_writes_the_store(
    app: App, made: Plan, browser: Browser, key: Authenticator, note: Path
) -> None:
    """No defence within the same account; it is the plan that the person approved."""
    assert answer_with(browser, key).status == 303
    app.applier.apply_plan(made.id)
    note.unlink()
    with closing(sqlite3.connect(app.config.state_dir / "intendant.db")) as database, database:
        database.execute("UPDATE plans SET status = 'pending'")
        database.execute("UPDATE approvals SET used_by = NULL")
    assert app.applier.apply_plan(made.id).status == "succeeded"


def test_a_plan_that_was_lengthened_in_the_store_is_refused(
    app: App, made: Plan, browser: Browser, key: Authenticator, note: Path
) -> None:
    assert answer_with(browser, key).status == 303
    longer = made.model_copy(update={"expires_at": made.expires_at + timedelta(days=1)})
    for document in (longer, longer.model_copy(update={"digest": longer.compute_digest()})):
        with closing(sqlite3.connect(app.config.state_dir / "intendant.db")) as database, database:
            database.execute("UPDATE plans SET document = ?", (document.model_dump_json(),))
        with pytest.raises(RefusedError, match=r"was altered|is not approved"):
            app.applier.apply_plan(made.id)
    assert read_note(note) is None


def test_a_plan_whose_text_was_exchanged_in_the_store_is_not_asked_about(
    app: App, made: Plan, browser: Browser, key: Authenticator
) -> None:
    """Or the page would show something harmless, and the person would sign the digest of something else."""
    signed = key.sign(read_question(browser.show().text), origin_of(browser))
    form = browser.fill("approve", passkey=signed)
    shown = made.model_copy(update={"pattern": "harmless"})
    with closing(sqlite3.connect(app.config.state_dir / "intendant.db")) as database, database:
        database.execute("UPDATE plans SET document = ?", (shown.model_dump_json(),))
    page = browser.show().text
    assert "This plan is stale" in page
    assert "<form" not in page
    refused = browser.request("POST", f"{browser.home}answer", form)
    assert refused.status == 409
    assert "was altered" in refused.text
    assert not app.store.list_approvals(made.id)


def test_with_page_a_row_of_a_process_is_an_approval_and_so_it_is_when_the_policy_is_changed(
    project: Path, app: App, made: Plan, note: Path
) -> None:
    """What `passkey` is for, and what it does not close: docs/security.md says so."""
    forge(app, made, channel="page")
    with pytest.raises(ApprovalNeeded):
        app.applier.apply_plan(made.id)
    set_policy(project, '[policy]\napproval_strength = "page"\n')
    assert open_fake(project, NoteRunner(note)).applier.apply_plan(made.id).status == "succeeded"


def test_a_key_that_was_taken_out_counts_no_more(app: App, made: Plan, browser: Browser, key: Authenticator) -> None:
    assert answer_with(browser, key).status == 303
    app.keys.path.unlink()
    enroll(app.keys, "another", Authenticator())
    with pytest.raises(ApprovalNeeded, match=r"does not count: the passkey 'desk key' is not enrolled\."):
        app.applier.apply_plan(made.id)


def test_a_key_written_into_the_file_by_hand_counts_where_the_file_can_be_written(
    app: App, made: Plan, browser: Browser
) -> None:
    """No defence within the same account: docs/security.md says so, and where to keep the file."""
    own = Authenticator()
    elsewhere = PasskeyFile(app.config.state_dir / "own.json")
    enroll(elsewhere, "intruder", own)
    app.keys.path.write_text(elsewhere.path.read_text())
    assert answer_with(browser, own).status == 303
    assert app.applier.apply_plan(made.id).status == "succeeded"


def approve_as_process(app: App, plan: Plan) -> int:
    """What a process does that has read the page's address."""
    server = ReviewServer(lambda: app)
    process = Browser(server.invite(plan.id))
    process.open()
    status = process.answer("approve").status
    server.close()
    return status


@pytest.mark.parametrize(("strength", "approved"), [("page", True), ("passkey", False)])
def test_with_page_a_process_that_has_the_address_approves_and_with_passkey_it_does_not(
    project: Path, app: App, steps: Steps, note: Path, strength: str, approved: bool
) -> None:
    set_policy(project, f'[policy]\napproval_strength = "{strength}"\n')
    again = open_fake(project, NoteRunner(note))
    plan = again.planner.plan_changes("here", [Step(**step) for step in steps])
    assert (approve_as_process(again, plan) == 303) is approved
    assert (again.approver.current(plan.id) is not None) is approved


# --- the policy moves


def test_a_policy_that_wants_a_passkey_since_the_plan_was_made_wants_a_new_plan(
    project: Path, app: App, steps: Steps, note: Path
) -> None:
    set_policy(project, '[policy]\napproval_strength = "page"\n')
    plan = open_fake(project, NoteRunner(note)).planner.plan_changes("here", [Step(**step) for step in steps])
    app.approver.record(plan.id, plan.digest, who="ann", channel="page")
    with pytest.raises(ApprovalNeeded, match=r"takes a passkey, which it did not when the plan was made\. Plan again"):
        app.applier.apply_plan(plan.id)


@pytest.mark.parametrize("strength", ["client", "page"])
def test_a_passkeys_approval_counts_for_a_laxer_policy_too(
    project: Path, app: App, made: Plan, browser: Browser, key: Authenticator, note: Path, strength: str
) -> None:
    assert answer_with(browser, key).status == 303
    set_policy(project, f'[policy]\napproval_strength = "{strength}"\n')
    assert open_fake(project, NoteRunner(note)).applier.apply_plan(made.id).status == "succeeded"


# --- what a client does


async def test_from_the_request_over_the_passkey_to_the_run(
    app: App, mode: str, steps: Steps, note: Path, key: Authenticator
) -> None:
    answers = []

    def visit(address: str) -> None:
        browser = Browser(address)
        browser.open()
        answers.append(answer_with(browser, key).status)

    async def guide(context: Any, params: ElicitRequestParams) -> ElicitResult:
        assert isinstance(params, ElicitRequestURLParams)
        threading.Timer(0.5, visit, [params.url]).start()
        return ElicitResult(action="accept")

    async with open_client(app, mode, guide) as client:
        plan = data_of(await client.call_tool("plan_changes", {"hosts": "here", "steps": steps}))
        assert plan["approval"]["channels"] == ["passkey"]
        assert f"intendant review --web {plan['plan_id']}" in plan["next"]
        run = data_of(await client.call_tool("apply_plan", {"plan_id": plan["plan_id"], "wait_seconds": 45}))
    assert answers == [303]
    assert (run["status"], read_note(note)) == ("succeeded", "hello\n")


async def test_a_client_without_pages_is_told_what_a_person_runs(app: App, mode: str, steps: Steps, note: Path) -> None:
    async with open_client(app, mode) as client:
        plan = data_of(await client.call_tool("plan_changes", {"hosts": "here", "steps": steps}))
        says = error_of(await client.call_tool("apply_plan", {"plan_id": plan["plan_id"]}))
    assert f"'intendant review --web {plan['plan_id']}' opens the page" in says
    assert "on a terminal" not in says
    assert read_note(note) is None


def test_what_the_policy_forbids_stays_forbidden(
    project: Path, app: App, made: Plan, browser: Browser, key: Authenticator
) -> None:
    answer_with(browser, key)
    set_policy(project, f"{PASSKEY}allowed_intents = []\n")
    with pytest.raises(PolicyError):
        open_fake(project, NoteRunner(project)).applier.apply_plan(made.id)
