"""The way to a host, as OpenSSH itself resolves it; nothing is connected to."""

from pathlib import Path

import pytest

from intendant.errors import InputError
from intendant.reach.attempt import find_route
from intendant.reach.settings import HostSettings

CONFIG = """\
Host web
  HostName 192.0.2.7
  Port 2200
  User ann
  ProxyJump outer,bob@inner:2222
Host outer
  HostName 192.0.2.1
  ProxyJump first
Host first
  HostName 192.0.2.9
  StrictHostKeyChecking no
Host left
  ProxyJump right
Host right
  ProxyJump left
"""


@pytest.fixture
def config(tmp_path: Path) -> Path:
    path = tmp_path / "config"
    path.write_text(CONFIG)
    return path


def settings(config: Path, host: str, **more: str) -> HostSettings:
    return HostSettings(host=host, ssh_common_args=f"-F {config} {more.pop('args', '')}".strip(), **more)


def test_jump_hosts_come_in_their_order_with_those_before_them(config: Path) -> None:
    route = find_route(settings(config, "web"), config.parent)
    assert [(hop.login, hop.port) for hop in route] == [
        ("first", None),
        ("outer", None),
        ("bob@inner", 2222),
        ("web", None),
    ]
    assert [hop.ssh.endpoint for hop in route] == [
        "[192.0.2.9]:22",
        "[192.0.2.1]:22",
        "[inner]:2222",
        "[192.0.2.7]:2200",
    ]
    assert route[-1].ssh.user == "ann"
    assert [hop.ssh.checks_keys for hop in route] == [False, True, True, True]


def test_the_inventory_wins_over_the_users_configuration(config: Path) -> None:
    [hop] = find_route(settings(config, "first", remote_user="eve", args="-o Port=2022"), config.parent)
    assert (hop.ssh.login, hop.ssh.port, hop.login) == ("eve@192.0.2.9", 2022, "eve@first")


def test_addresses_of_the_sixth_version_are_told_from_their_ports(config: Path) -> None:
    jump, last = find_route(settings(config, "2001:db8::7", args="-J ann@[2001:db8::1]:2200"), config.parent)
    assert (jump.name, jump.login, jump.port) == ("2001:db8::1", "ann@2001:db8::1", 2200)
    assert (jump.ssh.endpoint, last.ssh.endpoint) == ("[2001:db8::1]:2200", "[2001:db8::7]:22")


def test_jump_hosts_that_lead_back_to_themselves_are_refused(config: Path) -> None:
    with pytest.raises(InputError, match="More than 8 jump hosts"):
        find_route(settings(config, "left"), config.parent)


def test_what_ssh_refuses_is_said_in_its_own_words(config: Path) -> None:
    with pytest.raises(InputError, match=r"ssh refuses its settings: .*nonsense"):
        find_route(settings(config, "web", args="-o Nonsense=1"), config.parent)
    with pytest.raises(InputError, match="cannot be started"):
        find_route(settings(config, "web", ssh_executable="/no/such/ssh"), config.parent)
