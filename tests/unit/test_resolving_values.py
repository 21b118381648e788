"""Values of params, read from single words by the name and the type of the param; times by several."""

from typing import Any

import pytest

from intendant.words.schedules import read_schedule
from intendant.words.tokens import Token
from intendant.words.values import read_value


@pytest.mark.parametrize(
    ("name", "option", "word", "value"),
    [
        ("firewall_allow.port", {"type": "str"}, "8080", "8080"),
        ("firewall_allow.port", {"type": "str"}, "6000-6010", "6000-6010"),
        ("firewall_allow.port", {"type": "str"}, "https", "https"),
        ("firewall_allow.port", {"type": "str"}, "70000", None),
        ("firewall_allow.port", {"type": "str"}, "6010-6000", None),
        ("firewall_allow.port", {"type": "str"}, "doors", None),
        ("ssh_server_port", {"type": "int"}, "2222", 2222),
        ("ssh_server_port", {"type": "int"}, "99999", None),
        ("firewall_allow.from", {"type": "str"}, "10.0.0.0/8", "10.0.0.0/8"),
        ("firewall_allow.from", {"type": "str"}, "fd00::/8", "fd00::/8"),
        ("firewall_allow.from", {"type": "str"}, "10.0.0.256", None),
        ("firewall_allow.from", {"type": "str"}, "anywhere", None),
        ("redis_listen", {"type": "list", "elements": "str"}, "10.0.0.5", "10.0.0.5"),
        ("nginx_sites.listen", {"type": "list", "elements": "str"}, "127.0.0.1:8080", "127.0.0.1:8080"),
        ("swap_size", {"type": "str"}, "512MB", "512M"),
        ("swap_size", {"type": "str"}, "2GiB", "2G"),
        ("swap_size", {"type": "str"}, "large", None),
        ("timezone_name", {"type": "str"}, "Europe/Vienna", "Europe/Vienna"),
        ("timezone_name", {"type": "str"}, "America/Argentina/Ushuaia", "America/Argentina/Ushuaia"),
        ("timezone_name", {"type": "str"}, "UTC", "UTC"),
        ("timezone_name", {"type": "str"}, "mine", None),
        ("git_checkout_repository", {"type": "str"}, "https://git.example.com/a.git", "https://git.example.com/a.git"),
        ("git_checkout_repository", {"type": "str"}, "git@example.com:me/a.git", "git@example.com:me/a.git"),
        ("git_checkout_repository", {"type": "str"}, "ext::sh", None),
        ("git_checkout_repository", {"type": "str"}, "--upload-pack=x", None),
        ("git_checkout_destination", {"type": "str"}, "/srv/app", "/srv/app"),
        ("git_checkout_destination", {"type": "str"}, "app", None),
        ("mount_source", {"type": "str"}, "nas:/export", "nas:/export"),
        ("mount_source", {"type": "str"}, "//nas/photos", "//nas/photos"),
        ("mount_source", {"type": "str"}, "UUID=0f3c-aa", "UUID=0f3c-aa"),
        ("sysctl_settings.name", {"type": "str"}, "vm.swappiness", "vm.swappiness"),
        ("sysctl_settings.name", {"type": "str"}, "example.com", None),
        ("sysctl_settings.value", {"type": "str"}, "10", "10"),
        ("app_service_command", {"type": "str"}, "/srv/app/serve", "/srv/app/serve"),
        ("app_service_command", {"type": "str"}, "serve", None),
        ("user_name", {"type": "str"}, "deploy", "deploy"),
        ("user_name", {"type": "str"}, "admin", None),
        ("backup_keep", {"type": "int"}, "seven", None),
        ("fw_protocol", {"type": "str", "choices": ["tcp", "udp"]}, "UDP", "udp"),
        ("fw_protocol", {"type": "str", "choices": ["tcp", "udp"]}, "icmp", None),
        ("app_debug", {"type": "bool"}, "off", False),
    ],
)
def test_a_value_has_the_shape_that_the_name_of_its_param_calls_for(
    name: str, option: dict[str, Any], word: str, value: object
) -> None:
    assert read_value(name, option, Token(word)) == value


def test_an_ordinary_word_is_a_name_after_called_and_in_quotes() -> None:
    assert read_value("user_name", {}, Token("admin"), is_named=True) == "admin"
    assert read_value("user_name", {}, Token("admin", quoted=True)) == "admin"


def test_prose_and_commands_with_arguments_are_read_in_quotes_only() -> None:
    assert read_value("config_line_line", {}, Token("PermitRootLogin")) is None
    assert read_value("config_line_line", {}, Token("PermitRootLogin no", quoted=True)) == "PermitRootLogin no"
    assert read_value("app_service_command", {}, Token("/bin/serve -p 80", quoted=True)) == "/bin/serve -p 80"
    assert read_value("app_service_command", {}, Token("/bin/serve | tee /x; reboot", quoted=True)) is None
    assert read_value("app_service_command", {}, Token("rm -rf /", quoted=True)) is None


@pytest.mark.parametrize(
    ("words", "calendar"),
    [
        ("daily", "daily"),
        ("every night", "daily"),
        ("Every day at 6:30", "*-*-* 06:30:00"),
        ("every night at 2", "*-*-* 02:00:00"),
        ("every day at 3 pm", "*-*-* 15:00:00"),
        ("every day at 12am", "*-*-* 00:00:00"),
        ("daily at noon", "*-*-* 12:00:00"),
        ("at 04:15", "*-*-* 04:15:00"),
        ("every monday at 4", "Mon *-*-* 04:00:00"),
        ("on sundays at 23:05", "Sun *-*-* 23:05:00"),
        ("every sunday", "Sun *-*-* 00:00:00"),
        ("every weekday at 8", "Mon..Fri *-*-* 08:00:00"),
        ("every hour", "hourly"),
        ("every 15 minutes", "*:0/15"),
        ("every 6 hours", "0/6:00"),
        ("*-*-1 03:00:00", "*-*-1 03:00:00"),
    ],
)
def test_times_become_calendar_expressions(words: str, calendar: str) -> None:
    assert read_schedule(words) == calendar


@pytest.mark.parametrize(
    "words",
    ["", "soon", "every 7 minutes", "every 5 hours", "every night at 10", "every morning", "at 25:00",
     "every day at 13pm", "when idle", "every evening at 7", "every other day"],
)  # fmt: skip
def test_a_time_that_is_not_clear_is_none(words: str) -> None:
    assert read_schedule(words) is None
