#!/usr/bin/python
"""Work out the ruleset of the host's firewall from what is open already and what shall be opened or closed."""

from __future__ import annotations

DOCUMENTATION = r"""
module: nft_rules
short_description: The text of a ruleset for nftables, from the one that is there and what is asked for
description:
  - Reads the ruleset that the role firewall keeps at O(path), adds or takes away, and returns the text of the new one.
    It changes nothing itself, and says the same in check mode.
  - Fails when another firewall manages the host.
options:
  path:
    description: File with the ruleset.
    type: str
    required: true
  items:
    description:
      - Ports to open or to close, each with C(port) (number, range or the name of a well-known service), C(protocol),
        C(from) (address, network or C(any)) and C(comment). Closing takes all of what is left out.
    type: list
    elements: dict
    default: []
  state:
    description: Whether to open or to close O(items).
    type: str
    choices: [present, absent]
    default: present
  default:
    description: What happens to all that no rule allows.
    type: str
    choices: [allow, deny, unchanged]
    default: unchanged
  exclusive:
    description: Whether O(items) are all that is open.
    type: bool
    default: false
  login_port:
    description: Port that stays open whatever is asked for; 0 for none.
    type: int
    default: 0
  login_client:
    description: Address for which it stays open.
    type: str
    default: ""
attributes:
  check_mode: {support: full}
  diff_mode: {support: none}
author: Intendant contributors
"""

EXAMPLES = r"""
- name: Work out what the ruleset shall be
  ansible.legacy.nft_rules:
    path: /etc/intendant/firewall.nft
    items: [{port: "443", protocol: tcp}]
"""

RETURN = r"""
content: {description: The ruleset., type: str, returned: always}
differs: {description: Whether the file at O(path) says something else., type: bool, returned: always}
loaded: {description: Whether the kernel has what the file says., type: bool, returned: always}
exists: {description: Whether there is a ruleset of this role's., type: bool, returned: always}
"""

import hashlib
import ipaddress
import re
from typing import Any, NamedTuple

from ansible.module_utils.basic import AnsibleModule

TABLE = "inet intendant"
NAMES = {
    "dns": "53", "ftp": "21", "http": "80", "https": "443", "imap": "143", "imaps": "993", "ldap": "389",
    "mysql": "3306", "mariadb": "3306", "mqtt": "1883", "nfs": "2049", "ntp": "123", "pop3s": "995", "postgres": "5432",
    "postgresql": "5432", "redis": "6379", "samba": "445", "smb": "445", "smtp": "25", "smtps": "465", "ssh": "22",
    "submission": "587", "wireguard": "51820",
}  # fmt: skip
RULE = re.compile(
    r"\t\t(?:ip6? saddr (?P<source>\S+) )?(?P<protocol>tcp|udp) dport (?P<port>[0-9-]+) accept"
    r'(?: comment "(?P<comment>[^"]*)")?'
)
POLICY = re.compile(r"type filter hook input priority filter; policy (accept|drop);")
LOGIN = "Ansible comes in here"
OWN = (LOGIN, "answers of DHCPv6")
HEAD = """\
# Written by the role firewall of Intendant, which loses what is changed here by hand.
table inet intendant
delete table inet intendant
table inet intendant {
	chain input {
		type filter hook input priority filter; policy %s;
		ct state established,related accept comment "ruleset %s"
		iif "lo" accept
		meta l4proto { 1, 58 } accept comment "ICMP of both kinds, by number: not every host knows the names"
		ip6 saddr fe80::/10 udp dport 546 accept comment "answers of DHCPv6"
"""


class Rule(NamedTuple):
    """One open port or range; an empty source is everywhere."""

    port: str
    protocol: str
    source: str
    comment: str = ""

    def render(self) -> str:
        family = "ip6" if ":" in self.source else "ip"
        source = f"{family} saddr {self.source} " if self.source else ""
        comment = f' comment "{self.comment}"' if self.comment else ""
        return f"\t\t{source}{self.protocol} dport {self.port} accept{comment}"

    def covers(self, port: int, client: str) -> bool:
        """Tell whether a connection by TCP from this address to this port passes."""
        if self.protocol != "tcp" or not self.spans(port):
            return False
        if not self.source or not client:
            # Without a client nobody came in by ssh, and whoever wrote the rule knows who may.
            return True
        return ipaddress.ip_address(client) in ipaddress.ip_network(self.source)

    def spans(self, port: int) -> bool:
        first, last = bounds(self.port)
        return first <= port <= last

    def order(self) -> tuple[Any, ...]:
        return (*bounds(self.port), self.protocol, self.source)


def bounds(port: str) -> tuple[int, int]:
    first, _, last = port.partition("-")
    return int(first), int(last or first)


def read_port(given: str) -> str:
    """Return a number or range as text. Raises ValueError."""
    port = NAMES.get(given.lower(), given)
    if not re.match(r"[1-9][0-9]{0,4}(-[1-9][0-9]{0,4})?\Z", port):
        raise ValueError(
            f"{given!r} is neither a port, a range such as 8000-8010, nor one of {', '.join(sorted(NAMES))}"
        )
    first, last = bounds(port)
    if max(first, last) > 65535 or ("-" in port and first >= last):
        raise ValueError(f"{given!r} is no range of ports from 1 to 65535")
    return port


def read_source(given: str) -> str:
    """Return an address or network as nftables prints it, empty for any. Raises ValueError."""
    if given in ("", "any"):
        return ""
    network = ipaddress.ip_network(given, strict=False)
    if network.prefixlen == 0:
        # Everywhere, but for one of the two families only.
        return str(network)
    return str(network.network_address) if network.num_addresses == 1 else str(network)


def read_rules(text: str) -> list[Rule]:
    """Find the rules of a ruleset that this module made; what it adds by itself is not among them."""
    found = []
    for line in text.splitlines():
        match = RULE.fullmatch(line)
        if match and match["comment"] not in OWN:
            found.append(Rule(match["port"], match["protocol"], match["source"] or "", match["comment"] or ""))
    return found


def open_rules(rules: list[Rule], wanted: list[Rule]) -> list[Rule]:
    """Add what is wanted; a comment that is given replaces the old one."""
    kept = {rule[:3]: rule for rule in rules}
    for rule in wanted:
        old = kept.get(rule[:3])
        kept[rule[:3]] = rule if rule.comment or old is None else old
    return sorted(kept.values(), key=Rule.order)


def close_rules(rules: list[Rule], item: dict[str, Any]) -> list[Rule]:
    """Take away what is named. Raises ValueError when a range keeps the port open."""
    port = read_port(str(item["port"]))
    protocol, source = item.get("protocol"), item.get("from")

    def named(rule: Rule) -> bool:
        return protocol in (None, rule.protocol) and (source is None or read_source(source) == rule.source)

    left = [rule for rule in rules if rule.port != port or not named(rule)]
    first, last = bounds(port)
    wider = [rule for rule in left if rule.port != port and named(rule) and rule.spans(first) and rule.spans(last)]
    if wider:
        raise ValueError(f"{port} would stay open, since {wider[0].port} is open; close that range and open its parts")
    return left


def render(rules: list[Rule], policy: str, login_port: int, login_client: str) -> str:
    """Write the ruleset; the login stays allowed, by a rule of its own where no other one does it."""
    rules = list(rules)
    lines = []
    if login_port and not any(rule.covers(login_port, login_client) for rule in rules):
        # Once somebody has said who may come in, the others are not let in on the quiet.
        limited = any(rule.protocol == "tcp" and rule.spans(login_port) for rule in rules)
        lines = [Rule(str(login_port), "tcp", read_source(login_client) if limited else "", LOGIN).render()]
    body = "".join(f"{line}\n" for line in [*lines, *(rule.render() for rule in rules)]) + "\t}\n}\n"
    digest = hashlib.sha256((policy + body).encode()).hexdigest()[:16]
    return HEAD % (policy, digest) + body


def read_file(path: str) -> str:
    try:
        with open(path, encoding="utf-8") as handle:
            return handle.read()
    except FileNotFoundError:
        return ""


def find_other(module: AnsibleModule) -> str:
    """Name the firewall that manages the host beside this one; empty if there is none."""
    if re.search(r"^ENABLED=[\"']?yes", read_file("/etc/ufw/ufw.conf"), re.MULTILINE | re.IGNORECASE):
        return "ufw"
    argv = ["systemctl", "is-active", "--quiet", "firewalld.service"]
    return "" if module.run_command(argv, expand_user_and_vars=False)[0] else "firewalld"


def is_loaded(module: AnsibleModule, text: str) -> bool:
    """Tell by its digest whether the kernel has this ruleset."""
    found = re.search(r'"(ruleset [0-9a-f]+)"', text)
    if not found or not module.get_bin_path("nft"):
        return False
    _rc, out, _err = module.run_command(["nft", "list", "table", *TABLE.split()], expand_user_and_vars=False)
    return f'"{found[1]}"' in out


def main() -> None:
    module = AnsibleModule(
        argument_spec={
            "path": {"type": "str", "required": True},
            "items": {"type": "list", "elements": "dict", "default": []},
            "state": {"type": "str", "choices": ["present", "absent"], "default": "present"},
            "default": {"type": "str", "choices": ["allow", "deny", "unchanged"], "default": "unchanged"},
            "exclusive": {"type": "bool", "default": False},
            "login_port": {"type": "int", "default": 0},
            "login_client": {"type": "str", "default": ""},
        },
        supports_check_mode=True,
    )
    params = module.params
    other = find_other(module)
    if other:
        module.fail_json(
            msg=f"{other} manages the firewall of this host, and two of them would not know of each other; open the"
            f" port with {other}, or disable it first"
        )
    text = read_file(params["path"])
    rules = read_rules(text)
    try:
        if params["state"] == "absent":
            for item in params["items"]:
                rules = close_rules(rules, item)
        else:
            wanted = [
                Rule(
                    read_port(str(item["port"])),
                    item.get("protocol") or "tcp",
                    read_source(item.get("from") or "any"),
                    item.get("comment") or "",
                )
                for item in params["items"]
            ]
            if any(rule.comment in OWN for rule in wanted):
                raise ValueError(f"the comments {' and '.join(OWN)} are this role's own")
            rules = open_rules([] if params["exclusive"] else rules, wanted)
    except ValueError as error:
        module.fail_json(msg=f"firewall_allow: {error}")
    found = POLICY.search(text)
    policies = {"allow": "accept", "deny": "drop", "unchanged": found[1] if found else "accept"}
    content = render(rules, policies[params["default"]], params["login_port"], params["login_client"])
    if params["state"] == "absent" and not text:
        # Closing what is not open brings no firewall to the host.
        content = ""
    loaded = is_loaded(module, content)
    module.exit_json(changed=False, content=content, differs=content != text, loaded=loaded, exists=bool(text))


if __name__ == "__main__":
    main()
