"""Rulesets: what is added, what is taken away, and that the login stays in."""

import pytest

from intendant.ansible.modules.nft_rules import LOGIN, Rule, close_rules, open_rules, read_port, read_rules, read_source
from intendant.ansible.modules.nft_rules import render as render_rules

RULES = [
    Rule("80", "tcp", ""),
    Rule("53", "tcp", "192.0.2.0/24", "names"),
    Rule("53", "udp", "2001:db8::/32"),
    Rule("8000-8010", "tcp", ""),
]


def test_a_ruleset_is_read_as_it_was_written() -> None:
    text = render_rules(sorted(RULES, key=Rule.order), "drop", 22, "192.0.2.9")
    assert read_rules(text) == sorted(RULES, key=Rule.order)
    assert "policy drop" in text


@pytest.mark.parametrize(
    ("rules", "line"),
    [
        ([], f'tcp dport 22 accept comment "{LOGIN}"'),
        ([Rule("22", "udp", "")], f'tcp dport 22 accept comment "{LOGIN}"'),
        ([Rule("22", "tcp", "192.0.2.0/24")], None),
        ([Rule("1-1024", "tcp", "")], None),
        ([Rule("22", "tcp", "198.51.100.0/24")], f'ip saddr 192.0.2.9 tcp dport 22 accept comment "{LOGIN}"'),
        ([Rule("22", "tcp", "2001:db8::/32")], f'ip saddr 192.0.2.9 tcp dport 22 accept comment "{LOGIN}"'),
    ],
)
def test_the_login_passes_by_a_rule_of_its_own_only_where_no_other_lets_it_in(
    rules: list[Rule], line: str | None
) -> None:
    added = [text.strip() for text in render_rules(rules, "drop", 22, "192.0.2.9").splitlines() if LOGIN in text]
    assert added == ([line] if line else [])


def test_without_a_login_by_ssh_nobody_is_let_in_beside_those_who_are_named() -> None:
    assert LOGIN in render_rules([], "drop", 22, "")
    assert LOGIN not in render_rules([Rule("22", "tcp", "192.0.2.0/24")], "drop", 22, "")
    assert LOGIN not in render_rules([], "drop", 0, "")


def test_opening_adds_and_keeps_comments() -> None:
    rules = open_rules(RULES, [Rule("53", "tcp", "192.0.2.0/24"), Rule("22", "tcp", ""), Rule("80", "tcp", "", "web")])
    assert [rule.comment for rule in rules if rule.port in ("53", "80")] == ["names", "", "web"]
    assert len(rules) == len(RULES) + 1


def test_closing_takes_what_is_named_and_all_of_what_is_left_out() -> None:
    assert close_rules(RULES, {"port": "53"}) == [RULES[0], RULES[3]]
    assert close_rules(RULES, {"port": "dns", "protocol": "udp"}) == [*RULES[:2], RULES[3]]
    assert close_rules(RULES, {"port": "53", "from": "192.0.2.0/24"}) == [RULES[0], *RULES[2:]]
    assert close_rules(RULES, {"port": "http", "from": "any"}) == RULES[1:]
    assert close_rules(RULES, {"port": "8080"}) == RULES


def test_a_port_that_a_range_keeps_open_is_not_said_to_be_closed() -> None:
    with pytest.raises(ValueError, match="8005 would stay open, since 8000-8010 is open"):
        close_rules(RULES, {"port": "8005"})


@pytest.mark.parametrize("given", ["0", "65536", "9-8", "80-", "-80", "80,81", "80 accept", "nonsense", "", "80\n"])
def test_what_is_no_port_is_refused(given: str) -> None:
    with pytest.raises(ValueError, match=r"is neither|is no range"):
        read_port(given)


@pytest.mark.parametrize(
    ("given", "read"),
    [
        ("any", ""),
        ("192.0.2.7", "192.0.2.7"),
        ("192.0.2.7/24", "192.0.2.0/24"),
        ("192.0.2.7/32", "192.0.2.7"),
        ("2001:DB8:0::/32", "2001:db8::/32"),
        ("0.0.0.0/0", "0.0.0.0/0"),
    ],
)
def test_an_address_is_written_as_nftables_prints_it(given: str, read: str) -> None:
    assert read_source(given) == read
