"""The modules of the role tls_certificate, on this machine."""

import json
import subprocess
from pathlib import Path
from typing import Any

import pytest

from intendant.ansible.modules.tls_certbot import read_renewal
from roles.running import run_module

RENEWAL = """\
version = 2.1.0
archive_dir = /etc/letsencrypt/archive/example.org
cert = /etc/letsencrypt/live/example.org/cert.pem

# Options used in the renewal process
[renewalparams]
account = 0123
authenticator = webroot
webroot_path = /var/www/acme,
server = https://acme.example.net/dir?a=%20b
[[webroot_map]]
example.org = /var/www/acme
server = not this one
"""


def make(folder: Path, *, check: bool = False, **more: Any) -> dict[str, Any]:
    names = more.pop("names", ["Example.org", "127.0.0.1", "fd00:0::1"])
    return run_module("tls_self_signed", check=check, folder=str(folder), names=names, **more)


def test_a_certificate_is_predicted_made_and_then_left_alone(tmp_path: Path) -> None:
    folder = tmp_path / "new"
    planned = make(folder, check=True)
    assert not folder.exists()
    done = make(folder)
    assert planned == done
    assert done["created"] is True
    assert done["diff"]["after"] == "subject: CN=example.org\nnames: example.org, 127.0.0.1, fd00::1\ndays: 825\n"
    assert make(folder)["changed"] is False
    assert (folder / "privkey.pem").stat().st_mode & 0o777 == 0o600
    assert sorted(path.name for path in folder.iterdir()) == ["fullchain.pem", "privkey.pem"]


def test_a_certificate_that_ends_soon_is_renewed_and_the_key_is_never_told(tmp_path: Path) -> None:
    first = make(tmp_path, days=20, renew_days=5)
    before = (tmp_path / "privkey.pem").read_text()
    assert make(tmp_path, days=20, renew_days=19)["changed"] is False
    renewed = make(tmp_path, days=60, renew_days=30)
    assert (renewed["changed"], renewed["created"]) == (True, False)
    after = (tmp_path / "privkey.pem").read_text()
    assert before != after
    for secret in (before, after):
        assert secret.splitlines()[1] not in json.dumps([first, renewed])
    subprocess.run(["openssl", "x509", "-checkend", str(59 * 86400), "-in", tmp_path / "fullchain.pem"], check=True)


def test_the_end_in_sight_is_a_reason_of_its_own(tmp_path: Path) -> None:
    make(tmp_path, days=60)
    subprocess.run(
        ["openssl", "x509", "-in", tmp_path / "fullchain.pem", "-signkey", tmp_path / "privkey.pem", "-days", "10",
         "-out", tmp_path / "short.pem"], check=True, capture_output=True,
    )  # fmt: skip
    (tmp_path / "short.pem").replace(tmp_path / "fullchain.pem")
    due = make(tmp_path, check=True, days=60)
    assert "ends: " in due["diff"]["before"]


@pytest.mark.parametrize(
    ("damage", "said"),
    [
        (lambda folder: (folder / "privkey.pem").unlink(), "key: missing\n"),
        (lambda folder: (folder / "privkey.pem").chmod(0o644), "key: readable by others\n"),
        (lambda folder: (folder / "privkey.pem").write_text("x"), "key: of another certificate\n"),
        (lambda folder: (folder / "fullchain.pem").write_text("x"), "a certificate that cannot be read\n"),
        (lambda folder: (folder / "fullchain.pem").unlink(), "a key without a certificate\n"),
    ],
)
def test_a_damaged_pair_is_made_anew(tmp_path: Path, damage: Any, said: str) -> None:
    make(tmp_path)
    damage(tmp_path)
    planned = make(tmp_path, check=True)
    assert planned["diff"]["before"].endswith(said)
    assert planned == make(tmp_path)
    assert make(tmp_path)["changed"] is False


@pytest.mark.parametrize("name", ["a\nkeyUsage = x", "a, IP:127.0.0.1", "", "a b", "${ENV::HOME}"])
def test_what_is_no_name_is_refused(tmp_path: Path, name: str) -> None:
    assert "DNS name" in make(tmp_path, names=[name])["msg"]


def test_what_certbot_renews_with_is_read_from_its_file() -> None:
    assert read_renewal(RENEWAL) == ("https://acme.example.net/dir?a=%20b", "webroot /var/www/acme")
    assert read_renewal("[renewalparams]\nauthenticator = standalone\n") == ("unknown", "standalone")
    assert read_renewal("") == ("unknown", "unknown")


def test_certbot_is_predicted_before_it_is_there() -> None:
    asked = {"name": "no.such", "names": ["b.org", "A.org"], "server": "https://a/dir", "webroot": "/var/www/acme"}
    planned = run_module("tls_certbot", check=True, **asked)
    assert planned["diff"]["after"] == "names: a.org, b.org\nfrom: https://a/dir\nchallenge: webroot /var/www/acme\n"
    assert planned["created"] is True
    assert run_module("tls_certbot", check=True, name="no.such", state="absent")["changed"] is False
    assert "dash" in run_module("tls_certbot", check=True, **{**asked, "names": ["--help"]})["msg"]
