"""The hash that Samba keeps of a password."""

import pytest

from intendant.ansible.modules.samba_account import md4, nt_hash
from roles.running import run_module

#: the test suite of RFC 1320, and one text that takes two blocks for its padding alone
KNOWN = {
    "": "31d6cfe0d16ae931b73c59d7e0c089c0",
    "a": "bde52cb31de33e46245e05fbdbd6fb24",
    "abc": "a448017aaf21d8525fc10ae87aa6729d",
    "message digest": "d9130a8164549fe818874806e1c7014b",
    "abcdefghijklmnopqrstuvwxyz": "d79e1c308aa5bbcdeea8ed63df412da9",
    "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789": "043f8582f241db351ce627e153e7f0e4",
    "1234567890" * 8: "e33b4ddc9c38f2199c3e7b164fcc0536",
}


@pytest.mark.parametrize(("text", "digest"), KNOWN.items())
def test_md4_is_that_of_the_rfc(text: str, digest: str) -> None:
    assert md4(text.encode()).hex() == digest


def test_the_hash_is_that_of_smbpasswd() -> None:
    # What "pdbedit -Lw" showed for this password on a Debian 13 host.
    assert nt_hash("se cret") == "8C756193F19C8BA643A1AAB680B3ED3B"


@pytest.mark.parametrize("password", ["", "two\nlines"])
def test_a_password_that_samba_could_not_take_is_refused(password: str) -> None:
    assert "line break" in run_module("samba_account", check=True, name="alice", password=password)["msg"]


@pytest.mark.parametrize("name", ["-x", "a b", "a:b", ""])
def test_what_is_no_name_of_a_user_never_reaches_samba(name: str) -> None:
    assert "not the name of a user" in run_module("samba_account", check=True, name=name, state="absent")["msg"]
