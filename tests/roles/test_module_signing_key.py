"""Fingerprints of signing keys, and Docker from a repository that is signed with one: a stand-in for Docker's own."""

import shutil
import subprocess
from pathlib import Path
from typing import Any

import pytest

from lab.hosts import LabHost
from roles.running import run_module, run_roles

STAND_IN = r"""
set -e
export DEBIAN_FRONTEND=noninteractive
apt-get -qq update && apt-get -qq install --no-install-recommends gpg gpg-agent ca-certificates > /dev/null
cd /tmp && export GNUPGHOME=/tmp/gnupg && mkdir -m 700 $GNUPGHOME
gpg --batch --quiet --passphrase '' --quick-gen-key 'Stand-in <x@example.org>' rsa3072 sign never
. /etc/os-release; top=/srv/repository/debian; lists=$top/dists/$VERSION_CODENAME
arch=$(dpkg --print-architecture); mkdir -p $lists/stable/binary-$arch $top/pool
for name in containerd.io docker-buildx-plugin docker-ce docker-ce-cli docker-compose-plugin; do
  mkdir -p $name/DEBIAN $name/usr/lib/systemd/system $name/usr/bin $name/usr/lib/$name
  echo $name > $name/usr/lib/$name/about # a package without a file of its own disappears
  printf 'Package: %s\nVersion: 5:99.0\nArchitecture: all\nMaintainer: x <x@example.org>\nDescription: x\n' $name \
      > $name/DEBIAN/control
  if [ $name = docker-ce ]; then
    printf '[Service]\nExecStart=/usr/bin/dockerd\n[Install]\nWantedBy=multi-user.target\n' \
        > $name/usr/lib/systemd/system/docker.service
    printf '#!/bin/sh\ncase $1 in --validate) exit 0 ;; esac\nexec sleep infinity\n' > $name/usr/bin/dockerd
    chmod 755 $name/usr/bin/dockerd
    printf '#!/bin/sh\ngetent group docker > /dev/null || groupadd --system docker\n' > $name/DEBIAN/postinst
    printf '#!/bin/sh\nsystemctl disable --now docker 2> /dev/null || true\n' > $name/DEBIAN/prerm
    chmod 755 $name/DEBIAN/postinst $name/DEBIAN/prerm
  fi
  dpkg-deb --build --root-owner-group $name $top/pool/$name.deb > /dev/null
  (dpkg-deb -f $top/pool/$name.deb; printf 'Filename: pool/%s.deb\nSize: %s\nSHA256: %s\n\n' $name \
      $(stat -c %s $top/pool/$name.deb) $(sha256sum $top/pool/$name.deb | cut -d' ' -f1)) \
      >> $lists/stable/binary-$arch/Packages
done
cd $lists
printf 'Origin: x\nSuite: %s\nCodename: %s\nArchitectures: %s\nComponents: stable\nDate: %s\nSHA256:\n' \
    $VERSION_CODENAME $VERSION_CODENAME $arch "$(date -Ru)" > Release
printf ' %s %s %s\n' $(sha256sum stable/binary-$arch/Packages | cut -d' ' -f1) \
    $(stat -c %s stable/binary-$arch/Packages) stable/binary-$arch/Packages >> Release
gpg --batch --quiet --clearsign --output InRelease Release && gpg --armor --export > $top/gpg
printf 'Acquire::http::Proxy::127.0.0.1 "DIRECT";\n' > /etc/apt/apt.conf.d/95direct
systemd-run --quiet --unit=mirror python3 -m http.server --bind 127.0.0.1 --directory /srv/repository 8000
until python3 -c 'import socket; socket.create_connection(("127.0.0.1", 8000))' 2>&-; do sleep 0.1; done
gpg --list-keys --with-colons | sed -n '/^fpr/{s/[^0-9A-F]//g;p;q}' > /srv/fingerprint
"""


@pytest.fixture
def key(tmp_path: Path) -> tuple[Path, str]:
    """A key in a file and its fingerprint as gpg tells it."""
    if not shutil.which("gpg"):
        pytest.skip("gpg is not installed here")
    home = tmp_path / "gpg"
    home.mkdir(mode=0o700)

    def gpg(*argv: str) -> str:
        command = ["gpg", "--batch", "--quiet", "--homedir", str(home), *argv]
        return subprocess.run(command, check=True, capture_output=True, text=True).stdout

    gpg("--passphrase", "", "--quick-gen-key", "Somebody <x@example.org>", "ed25519", "sign", "never")
    file = tmp_path / "key.asc"
    file.write_text(gpg("--armor", "--export"))
    (told,) = [line.split(":")[9] for line in gpg("--list-keys", "--with-colons").splitlines() if line[:4] == "fpr:"]
    return file, told


def test_a_key_is_taken_only_if_it_has_the_fingerprint(tmp_path: Path, key: tuple[Path, str]) -> None:
    file, told = key
    target = tmp_path / "keyrings" / "x.asc"
    wanted: dict[str, Any] = {"url": file.as_uri(), "fingerprint": told, "file": str(target)}
    other = run_module("signing_key", **{**wanted, "fingerprint": told[::-1]})
    assert f"has the key {told}, not {told[::-1]}" in other["msg"]
    assert not target.exists()
    planned = run_module("signing_key", check=True, **wanted)
    done = run_module("signing_key", **wanted)
    assert planned["diff"] == done["diff"]
    assert planned["changed"]
    assert target.read_text() == file.read_text()
    assert run_module("signing_key", **wanted)["changed"] is False


def test_what_is_not_one_public_key_is_refused(tmp_path: Path, key: tuple[Path, str]) -> None:
    file, told = key
    text = file.read_text()
    for name, content in {"none": "hello", "two": text + text, "cut": text[: len(text) // 2]}.items():
        (tmp_path / name).write_text(content)
        answer = run_module(
            "signing_key", url=(tmp_path / name).as_uri(), fingerprint=told, file=str(tmp_path / "target")
        )
        assert "cannot be used" in answer["msg"], name


@pytest.mark.long
def test_docker_comes_from_a_repository_of_its_own_and_goes(
    bookworm_host: LabHost, trixie_host: LabHost, tmp_path: Path
) -> None:
    for host in (bookworm_host, trixie_host):
        host.run(STAND_IN, timeout=300)
        params = {
            "docker_source": "upstream",
            "docker_repository": "http://127.0.0.1:8000",
            "docker_repository_key": host.run("cat /srv/fingerprint").stdout.strip(),
        }
        for step in (params, {"docker_state": "absent"}):
            runs = [run_roles([("docker", step)], tmp_path, host, check=check) for check in (True, False, True)]
            assert [result.message for run in runs for result in run if result.status == "failed"] == []
            planned, done, again = [[(r.task, r.status, r.changed, r.diff) for r in run] for run in runs]
            assert planned == done
            assert [result for result in again if result[2]] == []
            assert [result for result in runs[0] if result.blind_spot] == []
            if step is params:
                host.run("pgrep --exact sleep && systemctl is-enabled docker")
                host.run("dpkg -s docker-ce docker-ce-cli containerd.io docker-buildx-plugin docker-compose-plugin")
        host.run("! dpkg -s docker-ce && ! test -e /etc/apt/sources.list.d/docker.sources")
        wrong = run_roles([("docker", {**params, "docker_repository_key": "0" * 40})], tmp_path, host, check=True)
        assert "not 000000" in next(result.message for result in wrong if result.status == "failed")
