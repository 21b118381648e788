"""The pure parts of the modules for names, locales, kernel and swap, on what hosts have been seen to say."""

import importlib.util
from pathlib import Path
from types import ModuleType

import pytest

from roles.running import MODULES

HOSTS = "127.0.0.1 localhost\n127.0.1.1\told.example.org  old other # ours\n::1 ip6-localhost\n"


def load(name: str) -> ModuleType:
    """The module's own functions."""
    spec = importlib.util.spec_from_file_location(f"module_{name}", MODULES / f"{name}.py")
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


@pytest.mark.parametrize(
    ("text", "names", "line"),
    [
        (HOSTS, ["new"], "127.0.1.1\tnew other # ours"),
        (HOSTS, ["new.example.net", "new"], "127.0.1.1\tnew.example.net new other # ours"),
        (HOSTS, ["old.example.net", "old"], "127.0.1.1\told.example.net old other # ours"),
        (HOSTS, ["old.example.org", "old"], "127.0.1.1\told.example.org  old other # ours"),
        ("# none\n", ["new"], "127.0.1.1\tnew"),
        ("", ["new"], "127.0.1.1\tnew"),
    ],
)
def test_the_host_s_own_line_gets_the_names_and_keeps_those_of_others(text: str, names: list[str], line: str) -> None:
    edit = load("hosts_entry").edit
    after, told = edit(text, "127.0.1.1", names, "old")
    assert told == line
    others = [had for had in text.splitlines() if not had.startswith("127.0.1.1")]
    assert [now for now in after.splitlines() if not now.startswith("127.0.1.1")] == others
    assert edit(after, "127.0.1.1", names, names[-1]) == (after, line)


def test_a_new_line_stands_below_the_other_addresses_of_the_host_itself() -> None:
    after, _line = load("hosts_entry").edit("127.0.0.1 localhost\n::1 localhost\n", "127.0.1.1", ["a"], "old")
    assert after.splitlines() == ["127.0.0.1 localhost", "127.0.1.1\ta", "::1 localhost"]


@pytest.mark.parametrize(
    ("name", "path"),
    [
        ("net.ipv4.ip_forward", "net/ipv4/ip_forward"),
        ("net.ipv4.conf.eth0/100.rp_filter", "net/ipv4/conf/eth0.100/rp_filter"),
        ("net/ipv4/conf/eth0.100/rp_filter", "net/ipv4/conf/eth0.100/rp_filter"),
    ],
)
def test_the_first_separator_of_a_kernel_parameter_parts_its_name(name: str, path: str) -> None:
    assert load("sysctl_key").path_of(name) == f"/proc/sys/{path}"


@pytest.mark.parametrize(
    ("running", "value", "fault"),
    [
        ("0", "yes", "it is a number (now 0)"),
        ("0", "1", ""),
        ("0", "0x1F", ""),
        ("-1", "65535", ""),
        ("32768 60999", "1024", "it has 2 numbers (now 32768 60999)"),
        ("32768 60999", "1024 2048", ""),
        ("cubic", "bbr", ""),
        ("8080", "8080,9000-9010", ""),
        ("", "8080", ""),
    ],
)
def test_a_value_that_cannot_be_right_is_told(running: str, value: str, fault: str) -> None:
    assert load("sysctl_key").find_fault(running, value) == fault


def test_the_kernel_s_lists_of_modules_are_read_in_its_own_spelling() -> None:
    kernel = load("kernel_module")
    lines = ["kernel/net/ipv4/tcp_bbr.ko.xz: ", "kernel/drivers/usb/storage/usb-storage.ko: kernel/a.ko", "other"]
    assert kernel.read_files(lines) == {"tcp_bbr", "usb_storage"}
    loaded = ["bridge 290816 1 br_netfilter, Live 0x0", "br_netfilter 32768 0 - Live 0x0", ""]
    assert kernel.read_loaded(loaded) == {"bridge": True, "br_netfilter": False}


def test_the_file_system_of_a_path_is_that_of_the_nearest_mount() -> None:
    find = load("swap_file").find_filesystem
    mounts = "22 1 8:1 / / rw - ext4 /dev/sda1 rw\n23 22 0:1 / /var rw shared:1 - btrfs /dev/sdb rw\n"
    assert [find(path, mounts) for path in ("/swapfile", "/var/swap", "/various")] == ["ext4", "btrfs", "ext4"]


@pytest.mark.parametrize(
    ("text", "size"),
    [("2G", 2**31), ("512M", 2**29), ("1GiB", 2**30), ("1T", 2**40), ("0G", 0), ("2", 0), ("-1G", 0), ("2G\n", 0)],
)
def test_a_size_is_a_number_and_a_unit(text: str, size: int) -> None:
    assert load("swap_file").parse_size(text) == size


def test_a_locale_has_one_spelling() -> None:
    normalize = load("system_locale").normalize
    assert normalize("de_AT.UTF-8") == normalize("de_AT.utf8") == normalize("de_AT.UTF-8", "UTF-8") == "de_AT.utf8"
    assert normalize("ca_ES.UTF-8@valencia") == normalize("ca_ES@valencia", "UTF-8") == "ca_ES.utf8@valencia"
    assert normalize("de_AT", "ISO-8859-1") == "de_AT.iso88591"


def test_a_locale_is_taken_out_of_its_comment_and_put_back() -> None:
    locales = load("system_locale")
    text = ["# a comment", "# de_AT ISO-8859-1", "# de_AT.UTF-8 UTF-8", "en_US.UTF-8 UTF-8"]
    enabled = locales.enable(text, "de_AT.UTF-8 UTF-8")
    assert enabled == ["# a comment", "# de_AT ISO-8859-1", "de_AT.UTF-8 UTF-8", "en_US.UTF-8 UTF-8"]
    assert set(locales.read_entries(enabled)) == {"de_AT.utf8", "en_US.utf8"}
    assert locales.disable(enabled, "de_AT.utf8") == text
    assert locales.enable(text, "xx_XX UTF-8") == [*text, "xx_XX UTF-8"]


def test_the_default_locale_changes_in_its_place() -> None:
    locales = load("system_locale")
    text = ["# ours", 'LANG="C.UTF-8"', "LC_TIME=C"]
    assert locales.read_lang(text) == "C.UTF-8"
    assert locales.set_lang(text, "de_AT.UTF-8") == ["# ours", "LANG=de_AT.UTF-8", "LC_TIME=C"]
    assert locales.set_lang(text, "") == ["# ours", "LC_TIME=C"]
    assert locales.set_lang(["# ours"], "C") == ["# ours", "LANG=C"]


def test_a_city_is_enough_to_be_told_the_zone(tmp_path: Path) -> None:
    for name in ("Europe/Vienna", "America/New_York", "posix/Europe/Vienna", "UTC"):
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / name).write_bytes(b"TZif2")
    (tmp_path / "zone.tab").write_text("# Europe/Vienna")
    zones = load("timezone")
    assert zones.find_near("vienna", str(tmp_path)) == ["Europe/Vienna"]
    assert zones.find_near("New York", str(tmp_path)) == ["America/New_York"]
    assert zones.find_near("Europe/Viena", str(tmp_path)) == ["Europe/Vienna"]
    assert zones.find_near("nowhere at all", str(tmp_path)) == []
    assert not zones.is_zone("zone.tab", str(tmp_path))
