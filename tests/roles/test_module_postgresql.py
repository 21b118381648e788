"""The parts of the modules for PostgreSQL that need no server."""

import base64
import hmac
from typing import Any

import pytest

from intendant.ansible.modules.postgresql_hba import DEBIAN, build, own_rules
from intendant.ansible.modules.postgresql_objects import find_refusal, merge_user, write_database, write_user
from intendant.ansible.modules.postgresql_password import make_verifier, matches, prepare

SALT = base64.b64decode("W22ZaJ0SNY7soEsUEjb6gQ==")


def test_the_verifier_is_that_of_the_standard() -> None:
    """RFC 7677 has an exchange with the password "pencil"; its last message is made with the server key."""
    nonce = "rOprNGfwEbeRWgbNEkqO%hvYDpWUa2RaTCAfuxFIlj)hNlF$k0"
    said = f"n=user,r={nonce[:20]},r={nonce},s=W22ZaJ0SNY7soEsUEjb6gQ==,i=4096,c=biws,r={nonce}"
    key = base64.b64decode(make_verifier("pencil", SALT).rpartition(":")[2])
    signature = base64.b64encode(hmac.digest(key, said.encode(), "sha256")).decode()
    assert signature == "6rriTRBi23WpRR/wtup+mMhUZUn/dB5nLTJRsjl95G4="


def test_only_the_password_that_was_set_matches() -> None:
    verifier = make_verifier("one pass phrase", SALT, 5000)
    assert matches("one pass phrase", verifier)
    assert matches(verifier, verifier)
    assert not matches("another pass phrase", verifier)
    assert not matches(make_verifier("one pass phrase", SALT), verifier)
    assert not matches("one pass phrase", "md5" + "0" * 32)


@pytest.mark.parametrize(
    ("given", "prepared"),
    [
        ("plain", "plain"),
        ("I\u00adX", "IX"),
        ("\u00aa", "a"),
        ("\u2168", "IX"),
        ("a\u00a0b", "a b"),
        ("grüße", "grüße"),
        ("tab\there", "tab\there"),
        ("\u0627\u0031", "\u0627\u0031"),
    ],
)
def test_passwords_are_normalised_as_the_standard_says(given: str, prepared: str) -> None:
    assert prepare(given).decode() == prepared


def rule(**given: str) -> dict[str, str | None]:
    default = {"type": "host", "database": "all", "user": "all", "address": None, "method": "scram-sha-256"}
    return {**default, "state": "present", **given}


def test_access_rules_add_up_and_the_hosts_own_stay() -> None:
    first = build(None, None, [rule(address="10.0.0.0/8"), rule(address="samenet")], exclusive=False)
    assert first.splitlines()[1] == "local all postgres peer"
    assert first.endswith(DEBIAN)
    shipped = "# by hand\nlocal   all\tall    trust\n"
    second = build(first, shipped, [rule(address="10.0.0.0/8", method="reject"), rule(type="local")], exclusive=False)
    assert own_rules(second) == [
        "host all all 10.0.0.0/8 reject",
        "host all all samenet scram-sha-256",
        "local all all scram-sha-256",
    ]
    assert second.endswith("\nlocal all all trust\n")
    third = build(second, shipped, [rule(address="samenet", state="absent")], exclusive=False)
    assert len(own_rules(third)) == 2
    assert own_rules(build(third, shipped, [rule(address="all")], exclusive=True)) == ["host all all all scram-sha-256"]


def test_a_user_keeps_what_is_not_named() -> None:
    item: dict[str, Any] = {"name": "a", "state": "present", "login": None, "attributes": None, "roles": ["new"]}
    found = {"login": False, "attributes": ["createdb"], "roles": ["old"]}
    wanted = merge_user(item, found)
    assert wanted == {"login": False, "attributes": ["createdb"], "roles": ["new", "old"]}
    assert write_user('a"b', found, wanted).startswith('ALTER ROLE "a""b" NOLOGIN NOSUPERUSER CREATEDB NOCREATEROLE')
    assert merge_user({**item, "state": "absent"}, found) is None


def test_another_encoding_gets_a_locale_that_goes_with_it() -> None:
    item: dict[str, Any] = {
        "name": "a", "state": "present", "owner": None, "encoding": "LATIN1", "extensions": [],
    }  # fmt: skip
    sql = write_database(item, None, {"owner": "o", "encoding": "LATIN1", "extensions": set()})
    assert sql == """CREATE DATABASE "a" OWNER "o" TEMPLATE template0 ENCODING 'LATIN1' LOCALE 'C';\n"""


def test_what_the_server_would_refuse_is_refused_before() -> None:
    found = {
        "users": {"postgres": {}, "old": {"used_in": ["shop"]}},
        "databases": {"shop": {"owner": "old", "encoding": "UTF8"}},
        "extensions": ["citext"],
    }
    gone = {"name": "old", "state": "absent", "roles": []}
    shop: dict[str, Any] = {"name": "shop", "state": "present", "owner": None, "encoding": None, "extensions": []}
    assert "shop" in find_refusal(found, [gone], [])
    assert find_refusal(found, [gone], [{**shop, "state": "absent"}]) == ""
    assert "no user of this name" in find_refusal(found, [], [{**shop, "owner": "nobody"}])
    assert "cannot be changed" in find_refusal(found, [], [{**shop, "encoding": "LATIN1"}])
    assert "no extension vector" in find_refusal(found, [], [{**shop, "extensions": ["citext", "vector"]}])
