"""What may be said of a host: data, and nothing that Ansible or ssh would run or take for something else."""

from typing import Any

import pytest

from intendant.enrollments import HostRequest, check_host, is_own_address
from intendant.errors import InputError
from support.keyblocks import key_block


def request(**said: Any) -> HostRequest:
    return HostRequest(**{"name": "web1", "address": "192.0.2.1", **said})


@pytest.mark.parametrize(
    "said",
    [
        {},
        {"name": "web-1.example.org"},
        {"address": "2001:db8::1"},
        {"address": "fe80::1%eth0"},
        {"user": "corp\\ann", "port": 65535},
        {"jump": "ann@gate:2222,inner,[2001:db8::1]:22"},
        {"key": "~/.ssh/id_ed25519"},
        {"groups": ("web", "_x1"), "leave": ("db",)},
        {"variables": {"tier": "gold", "sizes": [1, 2.5, {"a": None}], "on": True, "gone": None}},
        {"variables": {"ansible_become": False, "ansible_become_method": "doas", "ansible_timeout": 30}},
        {"variables": {"ansible_python_interpreter": "/usr/bin/python3.12", "ansible_become_user": None}},
        {"variables": {"compass": "north", "monkey_count": 3, "bypass": True}},
    ],
)
def test_what_people_say_of_hosts_passes(said: dict[str, Any]) -> None:
    check_host(request(**said))


@pytest.mark.parametrize(
    "said",
    [
        {"name": ""},
        {"name": "-oProxyCommand=x"},
        {"name": "web[1:3]"},
        {"name": "web1\n"},
        {"name": "{{ x }}"},
        {"name": "all"},
        {"name": "localhost"},
        {"name": "web1:&db"},
        {"address": "-oProxyCommand=x"},
        {"address": "a b"},
        {"address": "{{ lookup('pipe', 'id') }}"},
        {"address": "a\n"},
        {"user": "-l"},
        {"user": "{{x}}"},
        {"user": 'a" -o ProxyCommand="id'},
        {"port": -1},
        {"port": 65536},
        {"jump": "-oProxyCommand=id"},
        {"jump": "gate,-oProxyCommand=id"},
        {"jump": "gate,{{lookup('pipe','id')}}"},
        {"jump": "{{x}}@gate"},
        {"jump": "gate -oProxyCommand=id"},
        {"jump": 'gate"'},
        {"key": "{{ x }}"},
        {"key": "/x\nProxyCommand=id"},
        {"key": '/x" '},
        {"groups": ("two words",)},
        {"groups": ("",)},
        {"groups": ("all",)},
        {"groups": ("a-b",)},
        {"groups": ("web",), "leave": ("web",)},
        {"groups": tuple(f"g{n}" for n in range(21))},
    ],
)
def test_what_ssh_or_ansible_would_take_for_something_else_is_refused(said: dict[str, Any]) -> None:
    with pytest.raises(InputError):
        check_host(request(**said))


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("ansible_ssh_common_args", "-o ProxyCommand=id"),
        ("ansible_ssh_extra_args", "x"),
        ("ansible_ssh_args", "x"),
        ("ansible_ssh_executable", "/tmp/x"),
        ("ansible_shell_executable", "/tmp/x"),
        ("ansible_become_exe", "/tmp/x"),
        ("ansible_become_flags", "x"),
        ("ansible_connection", "local"),
        ("ansible_shell_type", "x"),
        ("ansible_remote_tmp", "x"),
        ("ansible_host_key_checking", False),
        ("ansible_ssh_host_key_checking", False),
        ("ansible_host", "192.0.2.2"),
        ("ansible_port", 22),
        ("ansible_become_method", "community.general.pfexec"),
        ("ansible_become_user", "root; id"),
        ("ansible_become", "yes"),
        ("ansible_python_interpreter", "/bin/sh -c id"),
        ("ansible_python_interpreter", "/bin/sh"),
        ("ansible_python_interpreter", "python3"),
        ("ansible_timeout", True),
        ("ansible_password", "x"),
        ("ansible_become_pass", "x"),
        ("db_password", "x"),
        ("api_key", None),
        ("vault_token", "x"),
        ("intendant_steps", []),
        ("hostvars", {}),
        ("inventory_hostname", "x"),
        ("from_var", "x"),
        ("a b", 1),
        ("x-y", 1),
        ("1a", 1),
        ("", 1),
        ("x", "{{ lookup('pipe', 'id') }}"),
        ("x", "{% if 1 %}"),
        ("x", "{# #}"),
        ("x", ["deep", {"er": "{{ x }}"}]),
        ("x", {"{{ x }}": 1}),
        ("x", {"password": "hunter2"}),
        ("x", "two\nlines"),
        ("x", "\x1b[31m"),
        ("x", "a\u202eb"),
        ("x", "\ud800"),
        ("x", "x" * 2001),
        ("x", float("nan")),
        ("x", [[[[[[[1]]]]]]]),
        ("x", list(range(101))),
        ("x", key_block("", kind="OPENSSH").splitlines()[0]),
        ("x", "AKIAABCDEFGHIJKLMNOP"),
    ],
)
def test_variables_are_data_and_no_secrets(name: str, value: Any) -> None:
    with pytest.raises(InputError, match="variables"):
        check_host(request(variables={name: value}))


def test_its_own_machine_is_recognised() -> None:
    assert [is_own_address(name) for name in ("127.0.0.1", "127.1.2.3", "::1", "localhost")] == [True] * 4
    assert not is_own_address("192.0.2.1")
