"""Reading the machine's apt configuration; needs no lab."""

from __future__ import annotations

from pathlib import Path

import pytest

from lab import LabError
from lab.apt import find_archive

DEB822 = """\
# the archive
Types: deb deb-src
URIs: http://archive.example/debian
# a comment between
Suites: bookworm
 bookworm-updates
Components: main
Signed-By: /usr/share/keyrings/debian-archive-keyring.gpg

Types: deb
URIs: http://archive.example/debian-security
Suites: bookworm-security
Components: main
"""


def write_etc(tmp_path: Path, name: str, text: str) -> Path:
    path = tmp_path / name
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(text)
    return tmp_path


def test_deb822_is_read(tmp_path: Path) -> None:
    found = find_archive(write_etc(tmp_path, "sources.list.d/a.sources", DEB822))
    assert found.uri == "http://archive.example/debian"
    assert found.suites == ("bookworm", "bookworm-updates")
    assert found.signed_by == "/usr/share/keyrings/debian-archive-keyring.gpg"


@pytest.mark.parametrize(
    ("line", "signed_by"),
    [
        ("deb https://archive.example/debian/ trixie main contrib # why", None),
        ("deb [arch=amd64 signed-by=/etc/apt/own.gpg] https://archive.example/debian/ trixie main", "/etc/apt/own.gpg"),
    ],
)
def test_a_line_is_read(tmp_path: Path, line: str, signed_by: str | None) -> None:
    text = f"# deb http://off.example/debian trixie main\ndeb-src http://off.example/debian trixie main\n{line}\n"
    found = find_archive(write_etc(tmp_path, "sources.list", text))
    assert (found.uri, found.suites[0], found.signed_by) == ("https://archive.example/debian/", "trixie", signed_by)


@pytest.mark.parametrize(
    "text",
    [
        "deb cdrom:[Debian]/ bookworm main\n",
        "deb http://archive.example/debian-security bookworm-security main\n",
        "deb http://other.example/tools stable main\n",
    ],
)
def test_what_is_no_archive_is_named(tmp_path: Path, text: str) -> None:
    with pytest.raises(LabError, match="no Debian archive"):
        find_archive(write_etc(tmp_path, "sources.list", text))


def test_what_is_switched_off_is_left_out(tmp_path: Path) -> None:
    etc = write_etc(
        tmp_path, "sources.list.d/a.sources", DEB822.replace("Types: deb deb-src", "Types: deb\nEnabled: no")
    )
    with pytest.raises(LabError):
        find_archive(etc)
