"""Approval on the review page: the way of a client there, and that nobody else gets in.

The page is asked over plain HTTP, as a browser would, and as an attacker would.
"""

import asyncio
import http.client
import re
import socket
import threading
import urllib.parse
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from mcp import Client
from mcp_types import ElicitRequestFormParams, ElicitRequestParams, ElicitRequestURLParams, ElicitResult, ErrorData

from intendant.app import App
from intendant.intents import Step
from intendant.plans import Plan
from intendant.processes import identify_user
from intendant.review import loopback
from intendant.review.guarding import MOST_BODY
from intendant.review.serving import ReviewServer
from mcp_server.harness import NoteRunner, data_of, error_of, open_client, open_fake, read_note, text_of
from support.browser import FORM, Browser

pytestmark = pytest.mark.anyio
Steps = list[dict[str, Any]]


@pytest.fixture
def server(app: App) -> Iterator[ReviewServer]:
    review = ReviewServer(lambda: app)
    yield review
    review.close()


@pytest.fixture
def made(app: App, steps: Steps) -> Plan:
    return app.planner.plan_changes("here", [Step(**step) for step in steps], request="a note", client="desk")


@pytest.fixture
def browser(server: ReviewServer, made: Plan) -> Browser:
    """A person's, after opening the page."""
    found = Browser(server.invite(made.id))
    assert found.open().status == 303
    return found


def is_untouched(app: App, plan: Plan) -> bool:
    return app.store.plan_status(plan.id) == "pending" and app.approver.current(plan.id, ()) is None


# --- what a person does


def test_the_address_opens_the_page_once(server: ReviewServer, made: Plan) -> None:
    browser = Browser(server.invite(made.id))
    token = browser.url.path.rsplit("/", 1)[1]
    assert len(token) == 43  # 256 bits
    answer = browser.open()
    assert (answer.status, answer.headers["location"]) == (303, browser.home)
    flags = answer.headers["set-cookie"].lower()
    assert "httponly" in flags
    assert "samesite=strict" in flags
    assert f"path={browser.home}".lower() in flags
    page = browser.show()
    assert page.status == 200
    assert "+hello" in re.sub(r"<[^>]+>", "", page.text)
    assert token not in page.text
    replay = Browser(browser.url.geturl())
    refused = replay.open()
    assert refused.status == 403
    assert "each opens the page once" in refused.text
    assert browser.show().status == 200


def test_approving_records_who_where_and_which_digest(app: App, made: Plan, browser: Browser) -> None:
    answer = browser.answer("approve", comment="for ticket 7")
    assert (answer.status, answer.headers["location"]) == (303, browser.home)
    approval = app.approver.current(made.id)
    assert approval is not None
    assert (approval.channel, approval.digest, approval.comment) == ("page", made.digest, "for ticket 7")
    assert approval.who == identify_user()
    page = browser.show().text
    assert "waits to be applied" in page
    assert "<form" not in page
    assert browser.request("POST", f"{browser.home}answer", "verdict=approve").status == 403
    assert len(app.store.list_approvals(made.id)) == 1


def test_rejecting_closes_the_plan_and_keeps_the_comment(app: App, made: Plan, browser: Browser) -> None:
    assert browser.answer("reject", comment="not today").status == 303
    assert app.store.plan_status(made.id) == "rejected"
    assert "not today" in browser.show().text
    assert app.approver.current(made.id) is None


def test_the_page_follows_the_run_to_its_verdict(app: App, made: Plan, browser: Browser, note: Path) -> None:
    browser.answer("approve")
    progress = browser.request("GET", f"{browser.home}progress").text
    assert 'data-live="yes"' in progress
    run = app.applier.apply_plan(made.id)
    assert run.status == "succeeded"
    progress = browser.request("GET", f"{browser.home}progress").text
    assert "went as planned" in progress
    assert 'data-live="no"' in progress
    assert run.id in progress
    assert read_note(note) == "hello\n"


def test_a_destructive_plan_wants_its_hosts_typed(app: App, server: ReviewServer, made: Plan) -> None:
    hosts = tuple(
        host.model_copy(
            update={"changes": tuple(change.model_copy(update={"action": "delete"}) for change in host.changes)}
        )
        for host in made.hosts
    )
    plan = made.model_copy(update={"id": "plan-deleting", "hosts": hosts})
    plan = plan.model_copy(update={"digest": plan.compute_digest()})
    app.store.add_plan(plan)
    browser = Browser(server.invite(plan.id))
    browser.open()
    for typed in ({}, {"hosts": "her"}, {"hosts": "here2"}):
        refused = browser.answer("approve", comment="kept", **typed)
        assert refused.status == 409
        assert "type its hosts: here" in refused.text
        assert ">kept</textarea>" in refused.text
        assert is_untouched(app, plan)
    assert browser.answer("approve", hosts="here").status == 303
    assert app.approver.current(plan.id) is not None


# --- what an attacker does


def test_every_answer_forbids_frames_scripts_referrers_and_caches(browser: Browser) -> None:
    answers = [browser.show(), browser.request("GET", "/nothing"), browser.open(), browser.request("POST", "/x/answer")]
    for answer in answers:
        policy = answer.headers["content-security-policy"]
        assert "default-src 'none'" in policy
        assert "frame-ancestors 'none'" in policy
        assert "unsafe-inline" not in policy
        assert answer.headers["x-frame-options"] == "DENY"
        assert answer.headers["referrer-policy"] == "no-referrer"
        assert answer.headers["cache-control"] == "no-store"
        assert answer.headers["x-content-type-options"] == "nosniff"
        assert "server" not in answer.headers
        assert "access-control-allow-origin" not in answer.headers


@pytest.mark.parametrize(
    "host",
    ["evil.example", "127.0.0.1", "127.0.0.1:1", "localhost.evil.example:{port}", "[::1]:{port}", "0.0.0.0:{port}"],
)
def test_another_name_for_this_address_is_refused(browser: Browser, made: Plan, app: App, host: str) -> None:
    host = host.format(port=browser.url.port)
    assert browser.request("GET", browser.home, Host=host).status == 403
    form = browser.fill("approve")
    assert browser.request("POST", f"{browser.home}answer", form, Host=host).status == 403
    assert is_untouched(app, made)


def test_both_names_of_loopback_are_its_own(browser: Browser) -> None:
    assert browser.request("GET", browser.home, Host=f"localhost:{browser.url.port}").status == 200


def test_two_host_headers_are_refused(browser: Browser) -> None:
    connection = http.client.HTTPConnection("127.0.0.1", browser.url.port or 0, timeout=20)
    connection.putrequest("GET", browser.home, skip_host=True)
    for name in (browser.url.netloc, "evil.example"):
        connection.putheader("Host", name)
    connection.putheader("Cookie", browser.cookie)
    connection.endheaders()
    assert connection.getresponse().status in (400, 403)
    connection.close()


FORGED: dict[str, dict[str, str]] = {
    "another site": {"Origin": "https://evil.example", "Sec-Fetch-Site": "cross-site"},
    "another site without fetch metadata": {"Origin": "https://evil.example", "Sec-Fetch-Site": ""},
    "another port of loopback": {"Origin": "http://127.0.0.1:1", "Sec-Fetch-Site": "same-site"},
    "a sandboxed frame": {"Origin": "null", "Sec-Fetch-Site": "cross-site"},
    "an old browser that hides the origin": {"Origin": "null", "Sec-Fetch-Site": ""},
    "no origin at all": {"Origin": "", "Sec-Fetch-Site": ""},
    "typed into the address bar": {"Sec-Fetch-Site": "none"},
}


@pytest.mark.parametrize("headers", FORGED.values(), ids=FORGED.keys())
def test_a_form_from_elsewhere_is_refused(app: App, made: Plan, browser: Browser, headers: dict[str, str]) -> None:
    for verdict in ("approve", "reject"):
        answer = browser.request("POST", f"{browser.home}answer", browser.fill(verdict), **headers)
        assert answer.status == 403
    assert is_untouched(app, made)


def test_a_form_as_browsers_send_it_under_no_referrer_is_taken(app: App, made: Plan, browser: Browser) -> None:
    form = browser.fill("approve")
    assert browser.request("POST", f"{browser.home}answer", form, Origin="null").status == 303
    assert app.approver.current(made.id) is not None


@pytest.mark.parametrize("change", [{"csrf": "x" * 43}, {"csrf": ""}, {"csrf": "é\udcff"}])
def test_a_form_without_the_pages_token_is_refused(
    app: App, made: Plan, browser: Browser, change: dict[str, str]
) -> None:
    form = dict(urllib.parse.parse_qsl(browser.fill("approve"))) | change
    body = urllib.parse.urlencode(form, errors="surrogateescape")
    assert browser.request("POST", f"{browser.home}answer", body).status == 403
    assert is_untouched(app, made)


def test_another_digest_than_the_plans_is_refused(app: App, made: Plan, browser: Browser) -> None:
    answer = browser.answer("approve", digest="0" * 64)
    assert answer.status == 409
    assert "another digest" in answer.text
    assert is_untouched(app, made)


def test_without_the_cookie_or_with_that_of_another_page_nothing_is_shown(
    app: App, server: ReviewServer, made: Plan, browser: Browser
) -> None:
    other = Browser(server.invite(made.id))
    other.open()
    form = browser.fill("approve")
    for cookie in ("", other.cookie, "intendant_review=", f"{browser.cookie[:-1]}x", "intendant_review=é"):
        for path in ("", "progress", "diff/1/1"):
            refused = browser.request("GET", browser.home + path, Cookie=cookie.encode().decode("latin-1"))
            assert refused.status == 403
            assert made.id not in refused.text
        assert (
            browser.request("POST", f"{browser.home}answer", form, Cookie=cookie.encode().decode("latin-1")).status
            == 403
        )
    assert is_untouched(app, made)


def test_guessed_tokens_and_names_open_nothing(server: ReviewServer, made: Plan) -> None:
    browser = Browser(server.invite(made.id))
    token = browser.url.path.rsplit("/", 1)[1]
    guesses = ["", "x", token[:-1], token + "x", token.swapcase(), "A" * 43, "%00", "..", "é", "x" * 5_000]
    for guess in guesses:
        path = f"{browser.home}open/{urllib.parse.quote(guess, safe='%')}"
        assert browser.request("GET", path).status == 403, guess
        assert browser.request("GET", f"/{'A' * 22}/open/{token}").status == 403
    assert browser.open().status == 303  # nobody has used it up by guessing


def test_a_prefetch_or_another_method_does_not_use_the_address_up(server: ReviewServer, made: Plan) -> None:
    browser = Browser(server.invite(made.id))
    assert browser.open(Sec_Purpose="prefetch;prerender").status == 503
    for method in ("HEAD", "OPTIONS", "PUT", "DELETE", "PATCH", "TRACE", "POST"):
        assert browser.request(method, browser.url.path).status == 403
    assert browser.open().status == 303


def test_after_a_link_on_another_site_the_page_takes_one_step_more(server: ReviewServer, made: Plan) -> None:
    browser = Browser(server.invite(made.id))
    answer = browser.open(Sec_Fetch_Site="cross-site")
    assert answer.status == 200
    assert f"url={browser.home}" in answer.text
    assert browser.show().status == 200


def test_a_newer_invitation_ends_those_that_nobody_opened(server: ReviewServer, made: Plan) -> None:
    first, second = Browser(server.invite(made.id)), Browser(server.invite(made.id))
    assert first.open().status == 403
    assert second.open().status == 303


def test_large_and_strange_forms_are_refused(app: App, made: Plan, browser: Browser) -> None:
    path = f"{browser.home}answer"
    form = browser.fill("approve")
    assert browser.request("POST", path, form + "&comment=" + "x" * MOST_BODY).status == 413
    assert browser.request("POST", path, form, Content_Type="application/json").status == 415
    assert browser.request("POST", path, form, Content_Type="text/plain").status == 415
    assert browser.request("POST", path, b"\xff\xfe").status == 403
    assert browser.request("POST", path, "&".join(f"a{n}=1" for n in range(50)) + "&" + form).status == 403
    assert browser.request("POST", path, browser.fill("perhaps")).status == 409

    def chunks() -> Iterator[bytes]:
        for _ in range(40):
            yield b"x" * 1024

    connection = http.client.HTTPConnection("127.0.0.1", browser.url.port or 0, timeout=20)
    headers = {"Cookie": browser.cookie, "Content-Type": FORM, "Origin": f"http://{browser.url.netloc}"}
    connection.request("POST", path, chunks(), headers, encode_chunked=True)
    assert connection.getresponse().status == 413
    connection.close()
    assert is_untouched(app, made)


def test_only_loopback_is_listened_on(browser: Browser) -> None:
    listening = [
        line.split()[1]
        for table in ("tcp", "tcp6")
        for line in Path(f"/proc/net/{table}").read_text().splitlines()[1:]
        if line.split()[3] == "0A" and line.split()[1].endswith(f":{browser.url.port or 0:04X}")
    ]
    assert sorted(address.partition(":")[0] for address in listening) == [
        "00000000000000000000000001000000",
        "0100007F",
    ]


def test_nobody_else_can_have_the_port_on_the_other_loopback_address(browser: Browser) -> None:
    for family, address in ((socket.AF_INET6, "::1"), (socket.AF_INET6, "::"), (socket.AF_INET, "127.0.0.1")):
        with socket.socket(family, socket.SOCK_STREAM) as other, pytest.raises(OSError, match="in use"):
            other.bind((address, browser.url.port or 0))


def test_a_port_that_is_taken_on_one_address_is_not_used(monkeypatch: pytest.MonkeyPatch) -> None:
    taken: list[socket.socket] = []
    bind = loopback._bind

    def bind_late(family: socket.AddressFamily, address: str, port: int) -> socket.socket:
        if family == socket.AF_INET6 and not taken:
            taken.append(bind(family, address, port))  # somebody was quicker
        return bind(family, address, port)

    monkeypatch.setattr(loopback, "_bind", bind_late)
    found = loopback._bind_both()
    ports = {item.getsockname()[1] for item in found}
    assert len(found) == 2
    assert len(ports) == 1
    assert taken[0].getsockname()[1] not in ports
    for item in [*found, *taken]:
        item.close()


def test_tokens_are_in_no_log(
    app: App, made: Plan, server: ReviewServer, caplog: pytest.LogCaptureFixture, monkeypatch: pytest.MonkeyPatch
) -> None:
    caplog.set_level("DEBUG")
    browser = Browser(server.invite(made.id))
    browser.open()
    monkeypatch.setattr(app.store, "plan_status", lambda _: 1 / 0)
    failed = browser.show()
    assert failed.status == 500
    assert "ZeroDivision" not in failed.text
    assert "ZeroDivisionError" in caplog.text
    secrets = [browser.url.path.rsplit("/", 1)[1], browser.cookie.partition("=")[2], browser.home.strip("/")]
    assert not [secret for secret in secrets if secret in caplog.text]


# --- what a client does


class Guide:
    """A client that opens addresses for its user, who answers in a browser."""

    def __init__(self, verdict: str = "approve", action: str = "accept", **fields: str) -> None:
        self.verdict, self.action, self.fields = verdict, action, fields
        self.addresses: list[str] = []

    async def __call__(self, context: Any, params: ElicitRequestParams) -> ElicitResult | ErrorData:
        assert isinstance(params, ElicitRequestURLParams)
        self.addresses.append(params.url)
        if self.action == "accept":
            threading.Timer(0.5, self._visit, [params.url]).start()
        return ElicitResult(action=self.action)

    def _visit(self, address: str) -> None:
        browser = Browser(address)
        browser.open()
        assert browser.answer(self.verdict, **self.fields).status == 303


@pytest.fixture
def strict(project: Path, note: Path) -> App:
    """The project whose policy wants the page."""
    with (project / "intendant.toml").open("a") as settings:
        settings.write('[policy]\napproval_strength = "page"\n')
    return open_fake(project, NoteRunner(note))


async def plan_with(client: Client, steps: Steps) -> str:
    return str(data_of(await client.call_tool("plan_changes", {"hosts": "here", "steps": steps}))["plan_id"])


async def test_from_the_request_over_the_page_to_the_run(strict: App, mode: str, steps: Steps, note: Path) -> None:
    guide = Guide(comment="go")
    async with open_client(strict, mode, guide) as client:
        plan_id = await plan_with(client, steps)
        run = data_of(await client.call_tool("apply_plan", {"plan_id": plan_id, "wait_seconds": 45}))
    assert (run["status"], run["as_planned"]) == ("succeeded", True)
    assert read_note(note) == "hello\n"
    [approval] = strict.store.list_approvals(plan_id, unused=False)
    assert (approval.channel, approval.comment) == ("page", "go")
    assert len(guide.addresses) == 1


async def test_a_rejection_reaches_the_model_with_its_comment(strict: App, mode: str, steps: Steps, note: Path) -> None:
    async with open_client(strict, mode, Guide("reject", comment="after lunch")) as client:
        plan_id = await plan_with(client, steps)
        says = error_of(await client.call_tool("apply_plan", {"plan_id": plan_id}))
    assert "was rejected by the user" in says
    assert "after lunch" in says
    assert read_note(note) is None


@pytest.mark.parametrize("action", ["decline", "cancel"])
async def test_a_person_who_does_not_go_there_approves_nothing(
    strict: App, mode: str, steps: Steps, note: Path, action: str
) -> None:
    guide = Guide(action=action)
    async with open_client(strict, mode, guide) as client:
        plan_id = await plan_with(client, steps)
        says = error_of(await client.call_tool("apply_plan", {"plan_id": plan_id}))
    assert "did not open the review page" in says
    assert f"intendant review --web {plan_id}" in says
    assert read_note(note) is None


async def test_the_address_is_in_nothing_that_a_model_reads(strict: App, mode: str, steps: Steps) -> None:
    guide = Guide(action="decline")
    said = []
    async with open_client(strict, mode, guide) as client:
        plan_id = await plan_with(client, steps)
        for name in ("apply_plan", "get_plan", "apply_plan", "list_history"):
            arguments = {} if name == "list_history" else {"plan_id": plan_id}
            said.append(text_of(await client.call_tool(name, arguments)))
    assert len(guide.addresses) == 2
    for address in guide.addresses:
        parts = urllib.parse.urlsplit(address)
        assert not [
            text
            for text in said
            if str(parts.port) in text or any(bit in text for bit in parts.path.split("/") if len(bit) > 8)
        ]
    assert not [text for text in said if "http" in text]


async def test_an_answer_that_takes_long_is_told_by_get_plan(
    strict: App, mode: str, steps: Steps, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("intendant.inviting._WAIT_SECONDS", 1)
    addresses: list[str] = []

    async def later(context: Any, params: ElicitRequestParams) -> ElicitResult | ErrorData:
        assert isinstance(params, ElicitRequestURLParams)
        addresses.append(params.url)
        return ElicitResult(action="accept")

    async with open_client(strict, mode, later) as client:
        plan_id = await plan_with(client, steps)
        assert "waits for the user's answer" in error_of(await client.call_tool("apply_plan", {"plan_id": plan_id}))
        shown = data_of(await client.call_tool("get_plan", {"plan_id": plan_id}))["approval"]
        assert (shown["required"], shown.get("given", False)) == (True, False)
        browser = Browser(addresses[0])
        await asyncio.to_thread(browser.open)
        assert (await asyncio.to_thread(browser.answer, "approve")).status == 303
        shown = data_of(await client.call_tool("get_plan", {"plan_id": plan_id}))["approval"]
        assert (shown["required"], shown["given"], shown["channel"]) == (False, True, "page")
        assert shown["by"] == identify_user()
        run = data_of(await client.call_tool("apply_plan", {"plan_id": plan_id, "wait_seconds": 45}))
    assert run["status"] == "succeeded"


async def test_where_the_page_is_wanted_the_clients_own_form_is_not_asked_and_would_not_count(
    strict: App, mode: str, steps: Steps, note: Path
) -> None:
    asked: list[ElicitRequestParams] = []

    async def refuse(context: Any, params: ElicitRequestParams) -> ElicitResult | ErrorData:
        asked.append(params)
        return ElicitResult(action="decline")

    async with open_client(strict, mode, refuse) as client:
        plan_id = await plan_with(client, steps)
        await client.call_tool("apply_plan", {"plan_id": plan_id})
        digest = strict.store.get_plan(plan_id).digest
        strict.approver.record(plan_id, digest, who="model", channel="elicitation")
        await client.call_tool("apply_plan", {"plan_id": plan_id})
    assert not [params for params in asked if isinstance(params, ElicitRequestFormParams)]
    async with open_client(strict, mode) as client:
        says = error_of(await client.call_tool("apply_plan", {"plan_id": plan_id}))
    assert "the one through elicitation is not enough" in says
    assert "answering the client's question" not in says
    assert read_note(note) is None


def test_a_page_on_which_nobody_waits_ends_with_the_server(app: App, made: Plan) -> None:
    server = ReviewServer(lambda: app)
    browser = Browser(server.invite(made.id))
    server.close()
    with pytest.raises(OSError, match="refused"):
        browser.open()
