"""What ssh's output means; the outputs are recorded from attempts of OpenSSH 9.2 at real hosts, in data/reach/."""

from pathlib import Path

import pytest

from intendant.reach.reading import OfferedKey, Reading, read_attempt, read_onward, spoken_lines

DATA = Path(__file__).parent / "data" / "reach"


def read(name: str) -> Reading:
    return read_attempt((DATA / f"{name}.txt").read_text())


@pytest.mark.parametrize(
    ("name", "stage", "reason"),
    [
        ("unresolved", "name", "unresolved"),
        ("refused", "connect", "refused"),
        ("firewalled", "connect", "timed_out"),
        ("unreachable", "connect", "unreachable"),
        ("proxy_refused", "connect", "proxy"),
        ("mute", "banner", "timed_out"),
        ("http", "banner", "not_ssh"),
        ("dropped", "banner", "closed"),
        ("full", "banner", "busy"),
        ("turned_away", "banner", "turned_away"),
        ("no_common_method", "banner", "no_common_method"),
        ("unknown_key", "host_key", "unknown"),
        ("changed_key", "host_key", "changed"),
        ("wrong_key", "login", "denied"),
        ("no_key", "login", "denied"),
        ("key_with_passphrase", "login", "denied"),
        ("key_that_others_can_read", "login", "denied"),
        ("only_key", "login", "denied"),
        ("too_many_keys", "login", "too_many_keys"),
        ("account_expired", "login", "expired"),
        ("password_expired", "session", ""),
        ("shell_nologin", "session", ""),
        ("shell_false", "session", ""),
        ("logged_in", "session", ""),
        ("through_proxy", "session", ""),
    ],
)
def test_each_attempt_ends_at_its_stage_for_its_reason(name: str, stage: str, reason: str) -> None:
    found = read(name)
    assert (found.stage, found.reason) == (stage, reason)


def test_every_recorded_attempt_is_read_by_a_test() -> None:
    named = {mark.args[1][number][0] for mark in _marks() for number in range(len(mark.args[1]))}
    assert {path.stem for path in DATA.glob("*.txt")} == named | {"jump_name", "jump_refused"}


def _marks() -> list[pytest.Mark]:
    marks: list[pytest.Mark] = test_each_attempt_ends_at_its_stage_for_its_reason.pytestmark  # type: ignore[attr-defined]
    return marks


def test_a_login_says_where_as_whom_and_by_which_key() -> None:
    found = read("logged_in")
    assert found.address == "192.0.2.11 port 22"
    assert found.server.startswith("OpenSSH_10")
    assert found.host_key.startswith("ED25519 SHA256:")
    assert (found.user, found.method) == ("admin", "publickey")
    [key] = found.offered
    assert (key.name, key.source, key.accepted) == ("/home/ann/.ssh/id_ed25519", "file", True)


def test_an_unknown_key_is_named_with_its_fingerprint_and_the_name_it_is_looked_up_by() -> None:
    found = read("unknown_key")
    assert found.host_key == read("logged_in").host_key
    assert found.key_name == "192.0.2.11"
    assert found.known_file == ""


def test_a_changed_key_is_named_with_the_file_that_holds_the_old_one() -> None:
    found = read("changed_key")
    assert found.key_name == "192.0.2.11"
    assert found.known_file == "/home/ann/.ssh/changed"
    assert found.said == "Host key for 192.0.2.11 has changed and you have requested strict checking."


def test_keys_that_were_offered_refused_and_missing_are_told_apart() -> None:
    assert [(key.name, key.accepted) for key in read("wrong_key").offered] == [("/home/ann/.ssh/stranger", False)]
    assert read("no_key").offered == ()
    assert "/home/ann/.ssh/id_ed25519" in read("no_key").missing
    assert [key.accepted for key in read("key_with_passphrase").offered] == [True]
    assert read("key_that_others_can_read").open_keys == ("/home/ann/.ssh/open",)
    assert [key.source for key in read("too_many_keys").offered] == ["agent"] * 6
    assert read("wrong_key").methods == ("publickey", "password")


def test_a_key_in_the_agent_may_have_any_comment() -> None:
    log = "debug1: Offering public key: ann@desk (work) RSA SHA256:abc agent\n"
    assert read_attempt(log).offered == (OfferedKey("ann@desk (work)", "RSA SHA256:abc", "agent", False),)


@pytest.mark.parametrize(
    ("name", "onward"),
    [("jump_name", ("name", "unresolved")), ("jump_refused", ("connect", "refused"))],
)
def test_a_jump_host_says_why_it_did_not_connect_further(name: str, onward: tuple[str, str]) -> None:
    found = read(name)
    assert found.logged_in
    assert read_onward(found.onward) == onward


def test_words_that_are_not_known_are_passed_on_as_they_are() -> None:
    log = "debug1: Connecting to web1 [192.0.2.11] port 22.\nsomething quite new\ndebug1: bye\n"
    found = read_attempt(log)
    assert (found.stage, found.reason, found.said) == ("connect", "other", "something quite new")
    assert read_onward("administratively prohibited: open failed") == ("connect", "other")


def test_nothing_at_all_is_read_as_nothing() -> None:
    assert read_attempt("") == Reading("name", "other", "")


def test_what_a_host_says_is_told_from_what_ssh_says_of_itself() -> None:
    log = (DATA / "password_expired.txt").read_text()
    assert "Password change required but no TTY available." in spoken_lines(log.splitlines())
    assert not [line for line in spoken_lines(log.splitlines()) if "debug1" in line or "Bytes" in line]


def test_a_host_cannot_put_another_fingerprint_or_reason_into_the_log() -> None:
    real = (DATA / "unknown_key.txt").read_text()
    established = "debug1: Connection established.\n"
    fake = "debug1: Server host key: ssh-ed25519 SHA256:fake"
    for said in (
        f"debug1: kex_exchange_identification: banner line 0: {fake}\n",
        f"debug1: Remote protocol version 2.0, remote software version {fake}\n",
        'debug1: kex_exchange_identification: banner line 0: Authenticated to web1 using "x"\n',
        "debug1: kex_exchange_identification: banner line 1: debug1: Host 'x' is known and matches the key.\n",
    ):
        found = read_attempt(real.replace(established, established + said))
        assert (found.stage, found.reason) == ("host_key", "unknown")
        assert found.host_key == read("unknown_key").host_key
        assert found.key_name == "192.0.2.11"
