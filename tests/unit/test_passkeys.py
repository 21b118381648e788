"""Enrolling keys: the file, the page, the command, and what `doctor` says of them."""

import json
import os
import tempfile
import warnings
from collections.abc import Callable, Iterator
from datetime import UTC, datetime
from pathlib import Path

import pytest

from intendant.app import open_app
from intendant.cli import main
from intendant.doctor import examine
from intendant.errors import InputError, ProjectError, RefusedError
from intendant.passkeys import PasskeyFile, find_changeable
from intendant.review.registering import Enrolment, EnrolServer
from support.authenticator import Authenticator, answer_with, enroll, origin_of, read_question
from support.browser import Browser
from support.terminals import end, spawn_intendant
from unit.projects import changed, plan_note, write_project

PASSKEY = '[policy]\napproval_strength = "passkey"\n'
ORIGIN = "http://localhost:1"


@pytest.fixture
def file(tmp_path: Path) -> PasskeyFile:
    return PasskeyFile(tmp_path / "keys" / "passkeys.json")


@pytest.fixture
def project(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    folder = write_project(tmp_path / "project")
    (folder / "intendant.toml").write_text(PASSKEY)
    monkeypatch.chdir(folder)
    return folder


def begin(file: PasskeyFile, name: str = "second") -> Enrolment:
    return Enrolment(file, name, lambda: datetime.now(UTC))


@pytest.fixture
def visit() -> Iterator[Callable[[Enrolment], Browser]]:
    servers = []

    def open_page(enrolment: Enrolment) -> Browser:
        servers.append(EnrolServer(enrolment))
        browser = Browser(servers[-1].invite())
        assert browser.open().status == 303
        return browser

    yield open_page
    for server in servers:
        server.close()


# --- the page


def test_the_first_key_is_enrolled_at_once(file: PasskeyFile, visit: Callable[[Enrolment], Browser]) -> None:
    enrolment = begin(file, "desk key")
    browser = visit(enrolment)
    assert answer_with(browser, Authenticator()).status == 303
    assert enrolment.done.is_set()
    assert "is enrolled" in browser.show().text
    [key] = file.load()
    assert (key.name, key.synced) == ("desk key", False)
    assert file.path.stat().st_mode & 0o777 == 0o644
    assert browser.answer("", passkey="{}").status in (403, 409)
    assert len(file.load()) == 1


def test_a_second_key_needs_one_that_is_enrolled(file: PasskeyFile, visit: Callable[[Enrolment], Browser]) -> None:
    first, second = Authenticator(), Authenticator()
    enroll(file, "first", first)
    enrolment = begin(file)
    browser = visit(enrolment)
    assert answer_with(browser, second).status == 303
    assert "Confirm with an enrolled key" in browser.show().text
    assert [key.name for key in file.load()] == ["first"]
    asked, origin = read_question(browser.show().text), origin_of(browser)
    for answer in ("", second.sign(asked, origin), Authenticator().sign(asked, origin), first.sign(asked, ORIGIN)):
        assert browser.answer("", passkey=answer).status == 409
        assert [key.name for key in file.load()] == ["first"]
    assert answer_with(browser, first).status == 303
    assert [key.name for key in file.load()] == ["first", "second"]


def test_the_confirmation_is_for_this_new_key_alone(file: PasskeyFile) -> None:
    first = Authenticator()
    enroll(file, "first", first)
    enrolments = [begin(file), begin(file)]
    for enrolment in enrolments:
        enrolment.take(Authenticator().make(enrolment.describe("", "n").asks, ORIGIN), "n", ORIGIN)
    signed = first.sign(enrolments[0].describe("", "n").asks, ORIGIN)
    with pytest.raises(RefusedError, match="challenge"):
        enrolments[1].take(signed, "n", ORIGIN)
    enrolments[0].take(signed, "n", ORIGIN)
    with pytest.raises(InputError, match="Choose another name"):
        enrolments[1].take(first.sign(enrolments[1].describe("", "n").asks, ORIGIN), "n", ORIGIN)


@pytest.mark.parametrize(
    "answer",
    [
        lambda asked: Authenticator(verifies=False).make(asked, ORIGIN),
        lambda asked: Authenticator().make(asked, "http://localhost:2"),
        lambda asked: Authenticator(rp_id="evil.example").make(asked, ORIGIN),
        lambda asked: Authenticator().make(json.dumps({"challenge": "AAAA"}), ORIGIN),
        lambda asked: Authenticator().sign(asked, ORIGIN),
        lambda asked: "nothing",
    ],
    ids=["user not verified", "another page", "another party", "another challenge", "no new key", "no JSON"],
)
def test_a_new_key_must_be_made_for_this_page_by_a_verified_user(
    file: PasskeyFile, answer: Callable[[str], str]
) -> None:
    enrolment = begin(file)
    with pytest.raises(RefusedError, match="does not hold"):
        enrolment.take(answer(enrolment.describe("", "n").asks), "n", ORIGIN)
    assert file.load() == ()


def test_an_authenticator_is_enrolled_once(file: PasskeyFile) -> None:
    first = Authenticator()
    enroll(file, "first", first)
    enrolment = begin(file)
    asked = json.loads(enrolment.describe("", "n").asks)
    assert [item["id"] for item in asked["excludeCredentials"]] == [file.load()[0].id]
    with pytest.raises(InputError, match="enrolled already"):
        enrolment.take(first.make(json.dumps(asked), ORIGIN), "n", ORIGIN)


def test_the_page_has_the_guards_of_the_other_one(file: PasskeyFile, visit: Callable[[Enrolment], Browser]) -> None:
    browser = visit(begin(file))
    asked = read_question(browser.show().text)
    form = browser.fill("", passkey=Authenticator().make(asked, origin_of(browser)))
    path = f"{browser.home}answer"
    assert browser.request("POST", path, form, Cookie="intendant_review=x").status == 403
    assert browser.request("POST", path, form, Origin="https://evil.example").status == 403
    assert browser.request("POST", path, form.replace("csrf=", "csrf=x")).status == 403
    assert browser.request("GET", browser.home, Host="evil.example").status == 403
    assert browser.request("GET", f"{browser.home}elsewhere").status == 404
    assert "default-src 'none'" in browser.show().headers["content-security-policy"]
    assert file.load() == ()


# --- the file


@pytest.mark.parametrize(
    "text", ["{", "[]", '{"version": 2}', '{"passkeys": [{"name": "x"}]}', '{"more": 1}'], ids=lambda text: str(text)
)
def test_a_file_that_is_none_is_said_and_lets_nobody_in(file: PasskeyFile, text: str) -> None:
    file.path.parent.mkdir()
    file.path.write_text(text)
    with pytest.raises(ProjectError, match=r"passkeys: .*passkeys\.json"):
        file.load()


def test_two_keys_of_one_name_are_refused(file: PasskeyFile) -> None:
    enroll(file, "first", Authenticator())
    document = json.loads(file.path.read_text())
    document["passkeys"] *= 2
    file.path.write_text(json.dumps(document))
    with pytest.raises(ProjectError, match="the same name"):
        file.load()


@pytest.mark.parametrize("name", ["", "-x", "a\nb", "x" * 65, "\u202ex", "a/b"])
def test_names_are_short_and_plain(file: PasskeyFile, name: str) -> None:
    with pytest.raises(InputError, match="is no name for a key"):
        file.check_name(name)


def test_the_setting_names_another_place_but_none_that_a_model_writes_to(project: Path) -> None:
    settings = project / "intendant.toml"
    settings.write_text('passkeys = "/etc/intendant/passkeys.json"\n')
    assert open_app(project).keys.path == Path("/etc/intendant/passkeys.json")
    settings.write_text('passkeys = "downloads/passkeys.json"\n')
    with pytest.raises(ProjectError, match="download_dir"):
        open_app(project)


def find_as_nobody(path: Path) -> str:
    """What somebody else than root could change, asked in a process of theirs."""
    reading, writing = os.pipe()
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", DeprecationWarning)  # of a fork beside threads; the child touches none
        child = os.fork()
    if child == 0:
        try:
            os.setgroups([])
            os.setresgid(65534, 65534, 65534)
            os.setresuid(65534, 65534, 65534)
            os.write(writing, str(find_changeable(path) or "").encode())
        finally:
            os._exit(0)
    os.close(writing)
    os.waitpid(child, 0)
    with os.fdopen(reading) as answer:
        return answer.read()


@pytest.mark.skipif(os.geteuid() != 0, reason="only root can become somebody else")
def test_a_file_counts_as_kept_only_where_nothing_on_the_way_to_it_can_be_changed() -> None:
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        folder.chmod(0o755)
        path = folder / "passkeys.json"
        path.write_text("{}")
        link = folder / "link.json"
        link.symlink_to(path)

        assert find_as_nobody(path) == ""
        assert find_as_nobody(link) == ""
        path.chmod(0o666)
        assert find_as_nobody(path) == str(path)
        path.chmod(0o644)
        folder.chmod(0o777)
        assert find_as_nobody(path) == str(folder)
        folder.chmod(0o1777)  # as /tmp: others' files stay
        assert find_as_nobody(path) == ""
        os.chown(path, 65534, 65534)
        assert find_as_nobody(path) == str(path)
    assert find_changeable(Path("/etc/hostname")) is not None  # root can change everything


def test_doctor_says_when_keys_are_missing_changeable_or_broken(project: Path) -> None:
    def look() -> tuple[str, str]:
        [finding] = [finding for finding in examine(project) if finding.topic == "passkeys"]
        return finding.level, finding.seen + finding.advice

    level, says = look()
    assert level == "fail"
    assert "intendant enroll NAME" in says
    file = PasskeyFile(project / "passkeys.json")
    enroll(file, "desk key", Authenticator())
    level, says = look()
    assert level == "warn"
    assert "this account can change" in says
    assert "/etc/intendant/passkeys.json" in says
    (project / "intendant.toml").write_text("")
    assert look()[0] == "ok"
    file.path.write_text("{")
    assert look()[0] == "fail"
    file.path.unlink()
    assert not [finding for finding in examine(project) if finding.topic == "passkeys"]


# --- the command


def test_enroll_on_a_terminal_then_approve_with_the_key(project: Path) -> None:
    key = Authenticator()
    child = spawn_intendant(project, "enroll", "desk key")
    child.expect(r"(http://localhost:\d+/\S+)")
    browser = Browser(child.match[1])
    assert browser.open().status == 303
    assert answer_with(browser, key).status == 303
    code, text = end(child)
    assert code == 0
    assert "'desk key' is enrolled in" in text
    assert "could let in a key of their own" in text
    plan = plan_note(project, [changed()])
    child = spawn_intendant(project, "review", plan.id)
    code, text = end(child)
    assert code == 1
    assert f"Run: intendant review --web {plan.id}" in text
    child = spawn_intendant(project, "review", "--web", plan.id)
    child.expect(r"(http://localhost:\d+/\S+)")
    browser = Browser(child.match[1])
    assert browser.open().status == 303
    assert answer_with(browser, key, comment="seen").status == 303
    assert end(child)[0] == 0
    assert "passkey 'desk key'" in end(spawn_intendant(project, "show", plan.id))[1]


def test_a_process_in_a_pseudo_terminal_approves_nothing_and_enrolls_no_second_key(project: Path) -> None:
    """What an agent with a shell can do, too: it has terminals, and it reads what they print."""
    enroll(PasskeyFile(project / "passkeys.json"), "desk key", Authenticator())
    plan = plan_note(project, [changed()])
    child = spawn_intendant(project, "review", "--web", plan.id)
    child.expect(r"(http://localhost:\d+/\S+)")
    browser = Browser(child.match[1])
    browser.open()
    assert browser.answer("approve").status == 409
    assert answer_refused(browser, Authenticator())
    child.sendintr()
    end(child)
    child = spawn_intendant(project, "enroll", "mine")
    child.expect(r"(http://localhost:\d+/\S+)")
    browser = Browser(child.match[1])
    browser.open()
    own = Authenticator()
    assert answer_with(browser, own).status == 303
    assert answer_refused(browser, own)
    child.sendintr()
    assert end(child)[0] == 130
    assert [key.name for key in PasskeyFile(project / "passkeys.json").load()] == ["desk key"]
    code, text = end(spawn_intendant(project, "apply", plan.id))  # the run's own process refuses
    assert code == 1
    assert "is not approved" in text
    assert open_app(project).store.plan_status(plan.id) == "pending"


def answer_refused(browser: Browser, key: Authenticator) -> bool:
    return answer_with(browser, key).status == 409


def test_enroll_refuses_pipes_bad_names_and_names_that_are_taken(
    project: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["enroll", "key"]) == 1
    assert "this is no terminal" in capsys.readouterr().err
    assert main(["enroll"]) == 1
    assert "give a name for the key, or --list" in capsys.readouterr().err
    enroll(PasskeyFile(project / "passkeys.json"), "desk key", Authenticator())
    assert main(["enroll", "--list"]) == 0
    shown = capsys.readouterr()
    assert shown.out.startswith("desk key  added ")
    assert "on one device" in shown.out
    assert "1 in " in shown.err
    code, text = end(spawn_intendant(project, "enroll", "desk key"))
    assert code == 1
    assert "Choose another name" in text


def test_review_on_the_page_says_when_no_key_is_enrolled(project: Path) -> None:
    plan = plan_note(project, [changed()])
    code, text = end(spawn_intendant(project, "review", "--web", plan.id))
    assert code == 1
    assert "none is enrolled: intendant enroll NAME" in text
