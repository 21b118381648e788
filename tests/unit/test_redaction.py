"""What is secret never comes out of the redactor, in none of the forms in which it may go in."""

import base64
import json
import shlex
import time

import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from intendant.redaction import MASK, Redactor
from support.keyblocks import key_block

SECRET = "correct horse battery"
texts = st.text(max_size=40)
# Long enough to be masked one by one, and free of what the mask itself is made of.
secrets = st.text(
    st.characters(exclude_characters="(sensitive)", exclude_categories=["Cs"]), min_size=4, max_size=40
).filter(lambda text: len(text.strip()) >= 4)


@given(before=texts, secret=secrets, after=texts)
def test_a_known_secret_is_found_in_any_text(before: str, secret: str, after: str) -> None:
    assert secret not in Redactor([secret]).redact(before + secret + after)


@given(before=texts, after=texts, several=st.lists(secrets, min_size=2, max_size=4))
def test_secrets_that_contain_or_overlap_each_other_are_all_masked(before: str, after: str, several: list[str]) -> None:
    whole = "".join(several)
    shown = Redactor([*several, whole]).redact(f"{before}{whole}{after}")
    assert not [secret for secret in several if secret in shown]


@given(secret=secrets)
def test_a_known_secret_is_masked_in_every_written_form(secret: str) -> None:
    redactor = Redactor([secret])
    forms = {
        "json": json.dumps({"password": secret}),
        "json in UTF-8": json.dumps({"password": secret}, ensure_ascii=False),
        "json in json": json.dumps(json.dumps({"k": secret})),
        "python": repr({"k": secret}),
        "shell": f"login {shlex.quote(secret)}",
        "yaml": "k: '" + secret.replace("'", "''") + "'",
        "base64": base64.b64encode(secret.encode()).decode(),
    }
    for name, text in forms.items():
        shown = redactor.redact(text)
        assert text != shown, name
        assert secret not in shown, name


@given(text=texts, secret=secrets)
def test_text_without_the_secret_stays_as_it_is(text: str, secret: str) -> None:
    assume(Redactor().redact(text) == text)
    assume(not any(part and part in text for part in (secret.strip(), *secret.split())))
    assert Redactor([secret]).redact(text) == text


@given(before=texts, secret=secrets, after=texts)
def test_masking_twice_changes_nothing_more(before: str, secret: str, after: str) -> None:
    redactor = Redactor([secret])
    once = redactor.redact(before + secret + after)
    assert redactor.redact(once) == once


@given(secret=secrets, text=texts)
def test_everything_inside_lists_and_objects_is_masked_keys_too(secret: str, text: str) -> None:
    document = {"a": [secret, {"b": f"{text}{secret}"}], secret: (text, secret)}
    shown = Redactor([secret]).redact_all(document)
    assert secret not in strings_of(shown)
    assert not [value for value in strings_of(shown) if secret in value]


@pytest.mark.parametrize("secret", ["abc", "12", "x"])
def test_a_secret_too_short_to_be_masked_surely_withholds_the_whole_text(secret: str) -> None:
    redactor = Redactor([secret])
    assert redactor.redact(f"the code is {secret}.") == MASK
    assert redactor.redact(f"password={secret}") == MASK
    assert redactor.redact("nothing of the kind") == "nothing of the kind"


def test_a_number_that_is_secret_is_masked_as_a_number_too() -> None:
    assert Redactor(["48151623"]).redact_all({"pin": 48151623, "port": 22, "on": True}) == {
        "pin": MASK,
        "port": 22,
        "on": True,
    }


def test_each_long_line_of_a_secret_with_several_lines_is_masked() -> None:
    redactor = Redactor(["first long line\nsecond long line\n  third long line"])
    shown = redactor.redact("+  second long line\n-third long line\n first long line")
    assert "long line" not in shown
    assert shown.count(MASK) == 3


def test_empty_and_blank_secrets_mask_nothing() -> None:
    assert Redactor(["", " ", "\n"]).redact("a b\nc") == "a b\nc"


def test_a_secret_that_is_learned_later_is_masked_from_then_on() -> None:
    redactor = Redactor()
    assert SECRET in redactor.redact(SECRET)
    redactor.learn([SECRET])
    assert redactor.redact(f"<{SECRET}>") == f"<{MASK}>"
    redactor.learn(["another one"])
    assert redactor.redact(f"{SECRET}, another one") == f"{MASK}, {MASK}"


KEY_BODY = "MIIEowIBAAKCAQEAtest\nwJq7ZkO0+short/line==\n"
# Put together here, so that no search for committed keys stops at it.
PRIVATE_KEY = "PRIVATE" + " KEY"
DECLARED_BY_NOBODY = {
    "a private key": (
        f"-----BEGIN RSA {PRIVATE_KEY}-----\n{KEY_BODY}-----END RSA {PRIVATE_KEY}-----\n",
        KEY_BODY.strip(),
    ),
    "an OpenSSH key": (
        f"-----BEGIN OPENSSH {PRIVATE_KEY}-----\n{KEY_BODY}-----END OPENSSH {PRIVATE_KEY}-----",
        KEY_BODY.strip(),
    ),
    "a private key that is cut off": (f"x\n-----BEGIN {PRIVATE_KEY}-----\n{KEY_BODY}", KEY_BODY.strip()),
    "a PGP key": (
        f"-----BEGIN PGP {PRIVATE_KEY} BLOCK-----\n{KEY_BODY}-----END PGP {PRIVATE_KEY} BLOCK-----", KEY_BODY.strip(),
    ),
    "a password hash": ("root:$6$abcdefgh$" + "Zx9" * 20 + ":19000:0", "Zx9" * 20),
    "a yescrypt hash": ("root:$y$j9T$abcdefgh$" + "Zx9" * 14 + ":19000:0", "Zx9" * 14),
    "an argon2 hash": ("hash = $argon2id$v=19$m=65536,t=3$" + "Zx9" * 14, "Zx9" * 14),
    "a cloud key": ("AWS_ID=AKIA" + "ABCD" * 4, "AKIA" + "ABCD" * 4),
    "a forge's token": ("remote: ghp_" + "a1B2" * 9, "a1B2" * 9),
    "a signed token": ("auth: eyJhbGciOiJIUzI1.eyJzdWIiOiIxMjM0.c2lnbmF0dXJlc2ln", "c2lnbmF0dXJlc2ln"),
    "a password in an address": ("postgres://app:hunter2222@db/app", "hunter2222"),
    "a password setting": ("db_password = hunter2222\n", "hunter2222"),
    "a quoted password": ("DB_PASSWORD='hunter 2222'", "hunter 2222"),
    "a password in JSON": ('{"api_key": "hunter2222"}', "hunter2222"),
    "a password in YAML": ("auth_token: hunter2222", "hunter2222"),
}  # fmt: skip


@pytest.mark.parametrize("name", DECLARED_BY_NOBODY)
def test_known_patterns_of_secrets_are_masked_without_being_declared(name: str) -> None:
    text, hidden = DECLARED_BY_NOBODY[name]
    shown = Redactor().redact(text)
    assert hidden not in shown
    assert MASK in shown


@pytest.mark.parametrize(
    "text",
    [
        "ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIJ7xvBpRmJ0ZJtQ1c0GJm9mWlXv0b3pJ3yVb1m1V5c2k me",
        "-----BEGIN CERTIFICATE-----\nMIIB\n-----END CERTIFICATE-----",
        "PasswordAuthentication no",
        "https://example.org/path?q=1",
        "sha256 9f86d081884c7d659a2feaa0c55ad015a3bf4f1b2b0b822cd15d6c15b0f00a08",
        "token_expiry_minutes = 30",
    ],
)
def test_what_only_looks_related_stays_readable(text: str) -> None:
    assert Redactor().redact(text) == text


def strings_of(value: object) -> list[str]:
    if isinstance(value, dict):
        return [*value, *(text for item in value.values() for text in strings_of(item))]
    if isinstance(value, list):
        return [text for item in value for text in strings_of(item)]
    return [value] if isinstance(value, str) else []


@pytest.mark.parametrize("piece", ["a.", "-eyJ", "a-", "://a:", "password ", "-----BEGIN A", "$6$", "\\", "x"])
def test_a_line_of_a_million_characters_takes_seconds_at_most(piece: str) -> None:
    started = time.monotonic()
    Redactor(["some secret"]).redact(piece * (1_000_000 // len(piece)))
    assert time.monotonic() - started < 20


KEY_BLOCK = "a\n" + key_block("MIIEvQIBADANBgkqhkiG\n") + "z"


@pytest.mark.parametrize(
    "text", [KEY_BLOCK, "x db_password = hunter2hunter2 y", "known-secret-value", "AKIA" + "A" * 16]
)
def test_a_secret_that_is_cut_in_two_is_masked_in_both_pieces(text: str) -> None:
    redactor = Redactor(["known-secret-value"])
    for first in range(len(text) + 1):
        for second in range(first, len(text) + 1):
            pieces = redactor.redact_pieces([text[:first], text[first:second], text[second:]])
            shown = " ".join(pieces)
            for secret in ("MIIE", "QIBAD", "hkiG", "hunt", "ter2", "know", "ecret", "alue", "KIAA", "AAAA"):
                assert secret not in shown, (first, second, pieces)


def test_pieces_without_a_secret_stay_as_they_are() -> None:
    assert Redactor(["hunter2"]).redact_pieces(["a", "", "b c", "d"]) == ["a", "", "b c", "d"]


def test_what_is_around_a_secret_is_kept_on_both_sides_of_a_border() -> None:
    pieces = Redactor(["hunter2"]).redact_pieces(["one hun", "ter2 two hunter2 ", "three"])
    assert pieces == ["one (sensitive)", "(sensitive) two (sensitive) ", "three"]


def test_one_piece_is_masked_as_a_text_is() -> None:
    text = f"x hunter2 {KEY_BLOCK} password: y https://a:b@c"
    redactor = Redactor(["hunter2"])
    assert redactor.redact_pieces([text]) == [redactor.redact(text)]


def test_a_secret_too_short_to_be_masked_withholds_every_piece() -> None:
    assert Redactor(["ab"]).redact_pieces(["x ab ", "y"]) == ["(sensitive)", "(sensitive)"]
