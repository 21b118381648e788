"""What is left of steps when later ones said them again or took them back, by the rules of the shipped roles."""

from collections.abc import Sequence
from typing import Any

import pytest

from intendant.catalog import Catalog
from intendant.folding import fold_steps
from intendant.intents import Intent
from intendant.paths import shipped_roles
from intendant.things import Done

Given = tuple[str, dict[str, Any]]
CATALOG = Catalog([shipped_roles()])


def fold(*given: Given) -> list[Given]:
    return fold_plans(*([one] for one in given))


def fold_plans(*plans: Sequence[Given]) -> list[Given]:
    kept, _ = fold_steps(done_of(*plans))
    return [(step.intent.name, step.params) for step in kept]


def done_of(*plans: Sequence[Given]) -> list[Done]:
    return [
        Done((number, position), f"plan-{number}", CATALOG.get(name), params)
        for number, plan in enumerate(plans)
        for position, (name, params) in enumerate(plan)
    ]


def packages(*names: str, **more: Any) -> Given:
    return "packages", {"packages_names": list(names), **{f"packages_{key}": value for key, value in more.items()}}


def service(name: str, **more: Any) -> Given:
    return "service", {"service_name": name, **{f"service_{key}": value for key, value in more.items()}}


def file(path: str, **more: Any) -> Given:
    return "file", {"file_path": path, **{f"file_{key}": value for key, value in more.items()}}


def user(name: str, **more: Any) -> Given:
    return "user", {"user_name": name, **{f"user_{key}": value for key, value in more.items()}}


def zone(name: str) -> Given:
    return "timezone", {"timezone_name": name}


START, RESTART = service("nginx", state="started"), service("nginx", state="restarted")
SWAPPINESS = ("sysctl", {"sysctl_settings": [{"name": "vm.swappiness", "value": "10"}]})
CERTIFICATE = ("tls_certificate", {"tls_certificate_name": "shop.example"})


def site(name: str, **more: Any) -> Given:
    return "nginx", {"nginx_sites": [{"name": name, **more}]}


def firewall(*ports: str, **more: Any) -> Given:
    return "firewall", {
        "firewall_allow": [{"port": port} for port in ports],
        **{f"firewall_{key}": value for key, value in more.items()},
    }


@pytest.mark.parametrize(
    ("done", "left"),
    [
        pytest.param([packages("curl"), packages("curl")], [packages("curl")], id="the same again"),
        pytest.param(
            [packages("curl"), packages("curl", "jq")], [packages("curl"), packages("jq")], id="the same and more"
        ),
        pytest.param([packages("curl", "jq"), packages("jq")], [packages("curl", "jq")], id="a part again"),
        pytest.param(
            [packages("curl"), packages("jq"), packages("curl", "jq", "git")],
            [packages("curl"), packages("jq"), packages("git")],
            id="all of several",
        ),
        pytest.param(
            [packages("curl", "jq"), packages("jq", state="absent")],
            [packages("curl"), packages("jq", state="absent")],
            id="a package taken back",
        ),
        pytest.param(
            [packages("curl=8.1"), packages("curl", state="absent")],
            [packages("curl", state="absent")],
            id="a version taken back",
        ),
        pytest.param(
            [packages("curl"), packages("curl", state="absent"), packages("curl")], [packages("curl")], id="and back"
        ),
        pytest.param([zone("UTC"), START, zone("Europe/Vienna")], [zone("Europe/Vienna"), START], id="one of a host"),
        pytest.param([zone("UTC"), zone("Europe/Vienna"), zone("UTC")], [zone("UTC")], id="there and back"),
        pytest.param(
            [file("/etc/a", content="1", mode="0600"), START, file("/etc/a", content="2")],
            [file("/etc/a", content="2", mode="0600"), START],
            id="a file rewritten keeps its mode",
        ),
        pytest.param(
            [file("/etc/a", content="1"), file("/etc/a", source="a.txt")],
            [file("/etc/a", source="a.txt")],
            id="content from elsewhere",
        ),
        pytest.param(
            [file("/etc/a", content="1"), file("/etc/b", content="1"), file("/etc/a", state="absent")],
            [file("/etc/b", content="1"), file("/etc/a", state="absent")],
            id="a file deleted",
        ),
        pytest.param(
            [file("/etc/a", content="1"), user("ann"), file("/etc/a", content="1", owner="ann")],
            [user("ann"), file("/etc/a", content="1", owner="ann")],
            id="a later version that needs what came between",
        ),
        pytest.param(
            [user("ann", groups=["adm"]), user("ann", groups=["www-data"], sudo="nopasswd")],
            [user("ann", groups=["adm"]), user("ann", groups=["www-data"], sudo="nopasswd")],
            id="what adds stays",
        ),
        pytest.param(
            [user("ann", sudo="password"), user("bob"), user("ann", sudo="none")],
            [user("ann", sudo="none"), user("bob")],
            id="a user changed",
        ),
        pytest.param(
            [user("ann", groups=["adm"]), user("ann", state="absent")], [user("ann", state="absent")], id="a user gone"
        ),
        pytest.param(
            [user("ann", groups=["adm", "sudo"]), user("ann", groups=["adm"], groups_exclusive=True)],
            [user("ann", groups=["adm"], groups_exclusive=True)],
            id="a list that is all there shall be",
        ),
        pytest.param(
            [user("ann", groups=["adm"], groups_exclusive=True), user("ann", groups=["sudo"], comment="Ann")],
            [
                user("ann", groups=["adm", "sudo"], groups_exclusive=True),
                user("ann", groups=[], comment="Ann"),
            ],
            id="more than was all",
        ),
        pytest.param(
            [firewall("22", "80"), firewall("80", state="absent"), firewall("443")],
            [firewall("22"), firewall("80", state="absent"), firewall("443")],
            id="a port closed",
        ),
        pytest.param(
            [firewall("22", "80"), ("firewall", {"firewall_state": "absent"})],
            [("firewall", {"firewall_state": "absent"})],
            id="the whole firewall taken away",
        ),
        pytest.param(
            [site("shop.example", root="/srv"), CERTIFICATE, site("shop.example", root="/srv", tls="shop.example")],
            [CERTIFICATE, site("shop.example", root="/srv", tls="shop.example")],
            id="a site that gets its certificate",
        ),
        pytest.param(
            [site("a", root="/srv/a"), site("b", root="/srv/b")],
            [site("a", root="/srv/a"), site("b", root="/srv/b")],
            id="two sites",
        ),
        pytest.param(
            [site("a", root="/srv/a"), site("a", state="absent")], [site("a", state="absent")], id="a site removed"
        ),
        pytest.param([RESTART, START, RESTART], [START, RESTART], id="what acts is done once, at last"),
        pytest.param(
            [SWAPPINESS, ("sysctl", {"sysctl_settings": [{"name": "vm.swappiness", "value": "20"}]})],
            [("sysctl", {"sysctl_settings": [{"name": "vm.swappiness", "value": "20"}]})],
            id="another value",
        ),
        pytest.param(
            [("config_line", {"config_line_path": "/a", "config_line_key": key, "config_line_value": value})
             for key, value in (("x", "1"), ("y", "1"), ("x", "2"))],
            [("config_line", {"config_line_path": "/a", "config_line_key": key, "config_line_value": value})
             for key, value in (("x", "2"), ("y", "1"))],
            id="a setting changed",
        ),
        pytest.param(
            [("config_line", {"config_line_path": "/a", "config_line_line": line}) for line in ("one", "two")],
            [("config_line", {"config_line_path": "/a", "config_line_line": line}) for line in ("one", "two")],
            id="two lines",
        ),
    ],
)  # fmt: skip
def test_what_is_left_gives_the_state_that_all_of_it_gave(done: list[Given], left: list[Given]) -> None:
    assert fold(*done) == left


def test_steps_of_one_plan_stay_as_they_were_planned() -> None:
    plan = [packages("curl"), packages("curl"), zone("UTC"), zone("Europe/Vienna")]
    assert fold_plans(plan) == plan


def test_a_service_whose_package_was_removed_is_lost_and_named() -> None:
    kept, lost = fold_steps(done_of([packages("nginx")], [START], [packages("nginx", state="absent")]))
    assert [step.params for step in kept] == [packages("nginx", state="absent")[1]]
    assert [step.params for step in lost] == [START[1]]


def test_commands_are_never_taken_for_one_another() -> None:
    commands: list[Given] = [("command", {"command_line": line}) for line in ("a", "b", "b", "a")]
    assert fold(*commands) == commands


def test_of_a_role_that_does_not_say_what_it_is_about_only_the_same_right_again_is_left_out() -> None:
    note = Intent(name="note", title="Note", path="", options={"note_text": {"type": "str"}})
    steps = [Done((place, 0), f"plan-{place}", note, {"note_text": text}) for place, text in enumerate("aabba")]
    kept, _ = fold_steps(steps)
    assert [step.params["note_text"] for step in kept] == ["a", "b", "a"]


@pytest.mark.parametrize("name", [intent.name for intent in CATALOG.list()])
def test_the_rules_of_a_role_name_params_that_it_has(name: str) -> None:
    intent = CATALOG.get(name)
    rules = intent.export
    named = {part for entry in rules.identity or [] for part in entry.split("|")}
    named |= {name for flag, names in rules.sensitive.items() for name in (flag, *names)}
    named |= {*rules.items, *rules.either, *rules.once, *([rules.each] if rules.each else [])}
    assert named <= intent.options.keys()
    for param, keys in {
        **rules.items,
        **({rules.each: rules.key} if rules.each and rules.key != ["="] else {}),
    }.items():
        assert set(keys) <= intent.options[param].get("options", {}).keys()
    for param, values in rules.once.items():
        assert set(values) <= set(intent.options[param]["choices"])
    assert rules.identity is not None or rules.each or name in ("command", "reboot"), "nothing says what it is about"
