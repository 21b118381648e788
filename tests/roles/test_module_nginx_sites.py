"""The module nginx_sites, as far as it needs no nginx."""

from pathlib import Path

import pytest

from intendant.ansible.modules import nginx_sites


def test_a_file_is_written_linked_and_deleted_below_a_root(tmp_path: Path) -> None:
    root = str(tmp_path)
    nginx_sites.put(root, "/etc/nginx/conf.d/a.conf", "server {}\n")
    assert [path.name for path in (tmp_path / "etc/nginx/conf.d").iterdir()] == ["a.conf"]
    assert nginx_sites.read_file(f"{root}/etc/nginx/conf.d/a.conf") == "server {}\n"
    nginx_sites.put(root, "/etc/nginx/conf.d/a.conf", "link to /x\n")
    assert nginx_sites.read_file(f"{root}/etc/nginx/conf.d/a.conf") == "link to /x\n"
    nginx_sites.put(root, "/etc/nginx/conf.d/a.conf", None)
    nginx_sites.put(root, "/etc/nginx/conf.d/a.conf", None)
    assert nginx_sites.read_file(f"{root}/etc/nginx/conf.d/a.conf") is None


def test_what_became_fatal_since_is_read_from_the_log(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    log = tmp_path / "error.log"
    monkeypatch.setattr(nginx_sites, "LOG", str(log))
    assert nginx_sites.read_log(0) == ""
    log.write_text("2026/01/01 00:00:00 [emerg] 1#1: old\n")
    size = log.stat().st_size
    with log.open("a") as file:
        file.write("2026/01/01 00:00:01 [notice] 1#1: signal process started\n")
        file.write("2026/01/01 00:00:01 [emerg] 1#1: bind() to 0.0.0.0:80 failed\n" * 3)
    assert nginx_sites.read_log(size) == "[emerg] bind() to 0.0.0.0:80 failed"


@pytest.mark.parametrize(
    ("line", "shown"),
    [
        ("nginx: [emerg] unknown directive", "unknown directive"),
        ("2026/11/20 16:04:35 [emerg] 1340#1340: a duplicate default server", "a duplicate default server"),
    ],
)
def test_reasons_are_shown_without_what_differs_each_time(line: str, shown: str) -> None:
    assert nginx_sites.STAMP.sub("", line) == shown


def test_certificates_are_found_in_a_site() -> None:
    site = (
        "server {\n    ssl_certificate /a/fullchain.pem;\n    ssl_certificate_key /a/privkey.pem;\n    # ssl_x /b;\n}\n"
    )
    assert [name for _, name in nginx_sites.TLS_FILE.findall(site)] == ["/a/fullchain.pem", "/a/privkey.pem"]
