"""What counts as a reason to boot again."""

import importlib.util
from typing import Any

import pytest

from roles.running import MODULES


def load_module(name: str) -> Any:
    spec = importlib.util.spec_from_file_location(name, MODULES / f"{name}.py")
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


reboot_needed = load_module("reboot_needed")
apt_upgrade = load_module("apt_upgrade")


@pytest.mark.parametrize(
    ("running", "installed", "newer"),
    [
        ("6.1.0-9-amd64", ["6.1.0-9-amd64", "6.1.0-10-amd64"], "6.1.0-10-amd64"),
        ("6.1.0-10-amd64", ["6.1.0-9-amd64", "6.1.0-10-amd64"], None),
        ("6.1.0-28-amd64", ["6.1.0-28-amd64", "6.12.48+deb13-amd64"], "6.12.48+deb13-amd64"),
        ("6.12.48+deb13-amd64", ["6.12.48+deb13-amd64", "6.12.48+deb13-cloud-amd64", "6.13-rt-amd64"], None),
        ("6.1.0-9-amd64", ["6.1.0-10-amd64"], None),
        ("6.6.87.2-microsoft-standard-WSL2", [], None),
        ("odd", ["odd", "6.1.0-9-amd64"], None),
    ],
)
def test_only_a_newer_kernel_of_the_same_flavour_counts(running: str, installed: list[str], newer: str | None) -> None:
    assert reboot_needed.find_newer_kernel(running, installed) == newer


def test_a_container_does_not_wait_for_a_kernel() -> None:
    upgraded = ["libc6", "libc6-dev", "linux-image-6.1.0-30-amd64", "dbus", "curl", "linux-libc-dev"]
    assert reboot_needed.find_upgraded(upgraded, False) == ["libc6", "linux-image-6.1.0-30-amd64", "dbus"]
    assert reboot_needed.find_upgraded(upgraded, True) == ["libc6", "dbus"]


POLICY = """Package files:
 100 /var/lib/dpkg/status
     release a=now
 500 http://mirror.example.org/debian trixie/main amd64 Packages
     release v=13.7,o=Debian,a=stable,n=trixie,l=Debian,c=main,b=amd64
     origin mirror.example.org
 500 http://mirror.example.org/debian-security trixie-security/main amd64 Packages
     release v=13,o=Debian,a=stable-security,n=trixie-security,l=Debian-Security,c=main,b=amd64
     origin mirror.example.org
 500 http://mirror.example.org/ubuntu noble-security/main amd64 Packages
     release v=24.04,o=Ubuntu,a=noble-security,n=noble,l=Ubuntu,c=main,b=amd64
"""
SECURITY = "http://mirror.example.org/debian-security trixie-security/main amd64 Packages"
POLICIES = """fixed:
  Installed: 1.0
  Candidate: 1.2
  Version table:
     1.2 500
        500 http://mirror.example.org/debian trixie/main amd64 Packages
     1.1 500 (phased 10%)
        500 http://mirror.example.org/debian-security trixie-security/main amd64 Packages
 *** 1.0 500
        100 /var/lib/dpkg/status
plain:
  Installed: 1.0
  Candidate: 1.1
  Version table:
     1.1 500
        500 http://mirror.example.org/debian trixie/main amd64 Packages
 *** 1.0 500
        500 http://mirror.example.org/debian-security trixie-security/main amd64 Packages
        100 /var/lib/dpkg/status
     0.9 500
        500 http://mirror.example.org/debian-security trixie-security/main amd64 Packages
foreign:i386:
  Installed: 1.0
  Candidate: 1.1
  Version table:
     1.1 500
        500 http://mirror.example.org/debian-security trixie-security/main amd64 Packages
 *** 1.0 100
        100 /var/lib/dpkg/status
"""


def test_security_archives_are_known_by_label_or_suite() -> None:
    sources = apt_upgrade.find_security_sources(POLICY)
    assert sources == {SECURITY, "http://mirror.example.org/ubuntu noble-security/main amd64 Packages"}


def test_a_security_update_is_a_version_above_the_installed_one_in_a_security_archive() -> None:
    assert apt_upgrade.find_security_updates(POLICIES, {SECURITY}) == ["fixed", "foreign:i386"]
