"""Settings of sshd: which files they become, and which of them would lock out the login in use."""

from typing import Any

import pytest

from intendant.ansible.modules.ssh_login import find_method, split_connection
from intendant.ansible.modules.sshd_check import PREFIX, find_lockout, find_unmet, make_files, parse_settings

OPEN = {
    "listenaddress": ["0.0.0.0:22", "[::]:22"],
    "permitrootlogin": ["without-password"],
    "passwordauthentication": ["yes"],
    "kbdinteractiveauthentication": ["no"],
    "pubkeyauthentication": ["yes"],
}
LOGIN = {"user": "admin", "client": "192.0.2.9", "method": "publickey", "port": 22}


def lockout(has_key: bool = True, settings: dict[str, list[str]] | None = None, **login: Any) -> str:
    return find_lockout({**OPEN, **(settings or {})}, {**LOGIN, **login}, ["admin", "sudo"], has_key)


def test_each_setting_has_a_file_and_what_sshd_has_to_make_of_it() -> None:
    files, expected = make_files({"port": 2222, "password_authentication": False, "allowed_users": ["a", "b"]}, 22)
    told = {path.removeprefix(PREFIX): text.splitlines()[1:] for path, text in files.items()}
    assert told == {
        "port.conf": ["Port 2222", "Port 22"],
        "password.conf": ["PasswordAuthentication no", "KbdInteractiveAuthentication no"],
        "user-a.conf": ["AllowUsers a"],
        "user-b.conf": ["AllowUsers b"],
    }
    assert expected["port"] == ["2222", "22"]
    assert expected["allowusers"] == ["a", "b"]


def test_the_old_port_goes_once_the_login_comes_by_the_new_one() -> None:
    (text,) = make_files({"port": 2222}, 2222)[0].values()
    assert text.splitlines()[1:] == ["Port 2222"]


def test_what_another_file_decides_is_found_in_what_sshd_prints() -> None:
    settings = parse_settings("port 22\nlistenaddress 0.0.0.0:22\nallowusers a\nallowusers b\npermitrootlogin yes\n")
    assert find_unmet(settings, {"allowusers": ["b"], "port": ["22"]}) == ""
    assert find_unmet(settings, {"permitrootlogin": ["no"]}) == "permitrootlogin would not be no but yes"
    assert find_unmet(settings, {"port": ["2222", "22"]}) == "port would not be 2222 but 22"


def test_a_login_that_goes_on_working_is_no_lockout() -> None:
    assert lockout() == ""
    assert lockout(settings={"passwordauthentication": ["no"]}) == ""
    assert lockout(method="password") == ""
    assert lockout(user="root") == ""
    for allowed in ("admin", "adm*", "admin@192.0.2.0/24", "*@192.0.2.*"):
        assert lockout(settings={"allowusers": ["guest", allowed]}) == ""
    assert lockout(settings={"allowgroups": ["sudo"], "denyusers": ["guest"], "denygroups": ["games"]}) == ""


@pytest.mark.parametrize(
    ("settings", "login", "reason"),
    [
        ({"passwordauthentication": ["no"]}, {"method": "password"}, "by password"),
        ({}, {"method": "keyboard-interactive/pam"}, "by keyboard-interactive"),
        ({"passwordauthentication": ["no"]}, {"method": "", "has_key": False}, "no authorized key"),
        ({"permitrootlogin": ["no"]}, {"user": "root"}, "as root"),
        ({}, {"user": "root", "method": "password"}, "without a key"),
        ({}, {"user": "root", "has_key": False}, "without a key"),
        ({"allowusers": ["guest"]}, {}, "would not be among them"),
        ({"allowusers": ["admin@198.51.100.0/24"]}, {}, "would not be among them"),
        ({"denyusers": ["adm*"]}, {}, "would not be among them"),
        ({"allowgroups": ["games"]}, {}, "in none of them"),
        ({"denygroups": ["sudo"]}, {}, "in none of them"),
        ({"listenaddress": ["0.0.0.0:2222"]}, {}, "no longer listen on port 22"),
    ],
)
def test_what_would_lock_the_login_out_is_said(
    settings: dict[str, list[str]], login: dict[str, Any], reason: str
) -> None:
    assert reason in lockout(settings=settings, **login)


def test_how_a_login_was_let_in_is_found_by_its_connection() -> None:
    journal = (
        "Accepted password for admin from 192.0.2.9 port 4022 ssh2\n"
        "Accepted publickey for admin from 192.0.2.9 port 4023 ssh2: ED25519 SHA256:abc\n"
    )
    assert find_method(journal, "192.0.2.9 4022 192.0.2.1 22", "admin") == "password"
    assert find_method(journal, "192.0.2.9 4023 192.0.2.1 22", "admin") == "publickey"
    assert find_method(journal, "192.0.2.9 402 192.0.2.1 22", "admin") == ""


def test_a_connection_is_taken_apart() -> None:
    assert split_connection("fe80::1%eth0 4022 fe80::2%eth0 2222")["client"] == "fe80::1"
    assert split_connection("192.0.2.9 4022 192.0.2.1 22")["port"] == 22
    assert split_connection("nonsense")["connection"] == ""
