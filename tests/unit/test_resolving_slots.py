"""Slots for parts of params: items of lists of dictionaries, keys of dictionaries, words with fixed values."""

from typing import Any

import pytest

from intendant.errors import InputError
from intendant.intents import Intent
from intendant.words.resolving import resolve_request
from intendant.words.templates import check_phrase

FIREWALL: dict[str, Any] = {
    "fw_allow": {
        "type": "list",
        "elements": "dict",
        "options": {
            "port": {"type": "str", "required": True},
            "number": {"type": "int"},
            "protocol": {"type": "str", "choices": ["tcp", "udp"]},
            "from": {"type": "str"},
            "log": {"type": "bool"},
            "tags": {"type": "list", "elements": "str"},
            "token": {"type": "str", "no_log": True},
        },
    },
    "fw_state": {"type": "str", "choices": ["present", "absent"], "default": "present"},
}
PHRASES = (
    "open (port|ports) {fw_allow.port} [{fw_allow.protocol}] [for {fw_allow.from}] [with {fw_allow.log}]",
    "{close=absent:fw_state} port {fw_allow.port}",
    "open {http=80:fw_allow.port} [and {https=443:fw_allow.port}]",
    "open {https=443:fw_allow.port}",
    "open number {fw_allow.number}",
    "open door {fw_allow.port} tagged {fw_allow.tags}",
    "watch {fw_allow.from}",
)


def make_intent(name: str, options: dict[str, Any], *phrases: str) -> Intent:
    return Intent(name=name, title=name, path="/roles", options=options, phrases=phrases)


def params(request: str, intent: Intent) -> list[dict[str, Any]]:
    found = resolve_request(request, [intent], ["web1"], [])
    return [step.params for step in found.steps] if found.certain else []


@pytest.fixture(scope="module")
def firewall() -> Intent:
    return make_intent("fw", FIREWALL, *PHRASES)


@pytest.mark.parametrize(
    ("request_", "items"),
    [
        ("open port 8080", [{"port": "8080"}]),
        ("open ports 80 and 443", [{"port": "80"}, {"port": "443"}]),
        ("open ports 80, 443, and 8080", [{"port": "80"}, {"port": "443"}, {"port": "8080"}]),
        ("open port 53 udp for 10.0.0.0/8", [{"port": "53", "protocol": "udp", "from": "10.0.0.0/8"}]),
        ("open ports 80 and 443 for ::1", [{"port": "80", "from": "::1"}, {"port": "443", "from": "::1"}]),
        ("open port 80 for ::1 and 10.0.0.9", [{"port": "80", "from": "::1"}, {"port": "80", "from": "10.0.0.9"}]),
        ("open ports 80/tcp and 53/udp", [{"port": "80", "protocol": "tcp"}, {"port": "53", "protocol": "udp"}]),
        ("open port 80 with log", [{"port": "80", "log": True}]),
        ("open http and https", [{"port": "80"}, {"port": "443"}]),
        ("open https", [{"port": "443"}]),
        ("open door 80 tagged x and y", [{"port": "80", "tags": ["x", "y"]}]),
    ],
)  # fmt: skip
def test_slots_of_one_list_make_items_and_several_values_make_several(
    firewall: Intent, request_: str, items: list[dict[str, Any]]
) -> None:
    assert params(request_, firewall) == [{"fw_allow": items}]


@pytest.mark.parametrize(
    "request_",
    [
        "open ports 80 and 443 for 10.0.0.8 and 10.0.0.9",  # which for which?
        "open ports 80/tcp and 443/tcp udp",  # two protocols for one item
        "open port 80/icmp",
        "open port 80 icmp",
        "open number ten",
        "open port 80 for everybody",
        "watch 10.0.0.1",  # an item needs its port
    ],
)
def test_values_that_do_not_fit_the_item_are_asked_about(firewall: Intent, request_: str) -> None:
    assert params(request_, firewall) == []


def test_values_of_items_are_typed_as_their_keys_are() -> None:
    numbers = {"fw_allow": {"type": "list", "elements": "dict", "options": {"number": {"type": "int"}}}}
    intent = make_intent("fw", numbers, "open number {fw_allow.number}", "open {ssh=22:fw_allow.number}")
    assert params("open number 80", intent) == [{"fw_allow": [{"number": 80}]}]
    assert params("open ssh", intent) == [{"fw_allow": [{"number": 22}]}]


def test_an_incomplete_item_is_named_as_missing_and_not_shown_as_read(firewall: Intent) -> None:
    candidate = resolve_request("watch 10.0.0.1", [firewall], ["web1"], []).candidates[0]
    assert (candidate.params, candidate.missing) == ({}, ["fw_allow"])


def test_fixed_words_set_the_state_beside_the_items(firewall: Intent) -> None:
    assert params("close port 8080", firewall) == [{"fw_allow": [{"port": "8080"}], "fw_state": "absent"}]


def test_fixed_words_may_be_a_template() -> None:
    options = {"reboot_when": {"choices": ["now", "if_required"]}}
    intent = make_intent("reboot", options, "reboot [{(if|when) [it is] (required|needed)=if_required:reboot_when}]")
    assert params("reboot when it is needed", intent) == [{"reboot_when": "if_required"}]
    assert params("reboot", intent) == [{}]


def test_removal_words_remove_the_items_that_have_a_state_of_their_own() -> None:
    state = {"type": "str", "choices": ["present", "absent"], "default": "present"}
    item = {"name": {"type": "str", "required": True}, "state": state}
    options = {"pg_databases": {"type": "list", "elements": "dict", "options": item}, "pg_state": state}
    intent = make_intent("pg", options, "(create|remove) [the] database {pg_databases.name}")
    assert params("remove the database shop", intent) == [{"pg_databases": [{"name": "shop", "state": "absent"}]}]
    assert params("create the database shop", intent) == [{"pg_databases": [{"name": "shop"}]}]


def test_a_dictionary_is_built_of_its_keys_or_of_a_key_and_a_value() -> None:
    known = make_intent(
        "tls", {"tls_paths": {"type": "dict", "options": {"key_path": {}}}}, "key is {tls_paths.key_path}"
    )
    assert params("key is /etc/a.key", known) == [{"tls_paths": {"key_path": "/etc/a.key"}}]
    free = make_intent(
        "kernel", {"kernel_settings": {"type": "dict"}}, "set {kernel_settings.key} to {kernel_settings.value}"
    )
    assert params("set vm.swappiness to 10", free) == [{"kernel_settings": {"vm.swappiness": "10"}}]
    assert params("set vm.swappiness = 10", free) == [{"kernel_settings": {"vm.swappiness": "10"}}]


@pytest.mark.parametrize(
    ("phrase", "fragment"),
    [
        ("open {fw_allow.door}", "which is no param"),
        ("open {fw_allow.token}", "a secret"),
        ("open {fw_allow}", "has no form in words"),
        ("open {lots=many:fw_allow.number}", "must be {WORDS=VALUE:fw_allow.number}"),
        ("open {icmp=icmp:fw_allow.protocol}", "must be {WORDS=VALUE:fw_allow.protocol}"),
    ],
)
def test_a_slot_that_cannot_be_read_is_refused_with_the_phrase(firewall: Intent, phrase: str, fragment: str) -> None:
    with pytest.raises(InputError, match="open") as caught:
        check_phrase(phrase, firewall)
    assert fragment in str(caught.value)
