"""The forms in which people put a request: order of words, slips, wishes, lists; and the ones that are no requests."""

from typing import Any

import pytest

from intendant.intents import Intent
from intendant.words.resolving import CachedResolver, Resolver

STATE = {"type": "str", "choices": ["present", "absent"], "default": "present"}
HOSTS = ["web1", "web2", "db1"]
GROUPS = ["web", "databases"]


def make_intent(name: str, options: dict[str, Any], *phrases: str, **more: Any) -> Intent:
    return Intent(name=name, title=name, path="/roles", options=options, phrases=phrases, **more)


@pytest.fixture(scope="module")
def intents() -> list[Intent]:
    return [
        make_intent(
            "packages",
            {"packages_names": {"type": "list", "elements": "str", "required": True}, "packages_state": STATE},
            "install {packages_names}",
            "install [the] (package|packages) {packages_names}",
            "(remove|uninstall) {packages_names}",
            "(remove|uninstall) [the] (package|packages) {packages_names}",
            "(make sure|ensure) [that] {packages_names} (is|are) {packages_state}",
            tags=("package",),
        ),
        make_intent("docker", {"docker_state": STATE}, "(install|set up) docker"),
        make_intent("nginx", {"nginx_state": STATE}, "(install|set up) nginx"),
        make_intent(
            "firewall",
            {"firewall_port": {"type": "int", "required": True}, "firewall_from": {}, "firewall_state": STATE},
            "open port {firewall_port} [for {firewall_from}]",
            "{close=absent:firewall_state} port {firewall_port}",
            "allow port {firewall_port} [from {firewall_from}]",
        ),
        make_intent(
            "timezone", {"timezone_name": {"required": True}}, "(set|change) [the] timezone to {timezone_name}"
        ),
        make_intent(
            "hostname", {"hostname_name": {"required": True}}, "(set|change) [the] hostname to {hostname_name}"
        ),
        make_intent("reboot", {}, "reboot [the] [system]", "reboot if required"),
        make_intent("update", {}, "update [the] system"),
    ]


@pytest.fixture(scope="module")
def resolver(intents: list[Intent]) -> Resolver:
    return Resolver(intents)


def plan(resolver: Resolver, request: str) -> list[tuple[str, dict[str, Any]]]:
    found = resolver.resolve(request, HOSTS, GROUPS)
    assert found.certain or found.question
    return [(step.intent, step.params) for step in found.steps] if found.certain else []


DOCKER: list[tuple[str, dict[str, Any]]] = [("docker", {})]


@pytest.mark.parametrize(
    "request_",
    [
        "install docker on web1",
        "Docker should be installed on web1.",
        "docker needs to be installed on web1",
        "I would like to have docker installed on web1",
        "I want docker installed on web1",
        "we need docker on web1",
        "would you mind installing docker on web1?",
        "be so kind as to install docker on web1",
        "make sure docker is installed on web1",
        "ensure that docker is present on web1",
        "docker on web1, please",
        "install the docker on web1",
        "instal docker on web1",
        "please set up docker on web1, thank you very much!",
    ],
)
def test_a_request_may_be_put_in_many_ways(resolver: Resolver, request_: str) -> None:
    assert plan(resolver, request_) == DOCKER


def test_a_thing_alone_is_an_order_only_with_a_host(resolver: Resolver) -> None:
    assert plan(resolver, "docker on web1") == DOCKER
    assert resolver.resolve("docker", HOSTS, GROUPS).steps == []
    assert resolver.resolve("docker", ["web1"], []).steps == []
    assert plan(resolver, "htop on web1") == []


def test_a_wish_for_something_that_no_intent_is_named_after_is_asked_about(resolver: Resolver) -> None:
    assert plan(resolver, "I need help on web1") == []
    assert plan(resolver, "we need htop on web1") == []


@pytest.mark.parametrize(
    ("request_", "step"),
    [
        ("the timezone should be set to UTC on web1", ("timezone", {"timezone_name": "UTC"})),
        ("the timezone should be UTC on web1", ("timezone", {"timezone_name": "UTC"})),
        ("the hostname of web1 should be changed to a1", ("hostname", {"hostname_name": "a1"})),
        ("port 80 should be open on web1", ("firewall", {"firewall_port": 80})),
        ("make sure port 80 is closed on web1", ("firewall", {"firewall_port": 80, "firewall_state": "absent"})),
        ("set the timezon to UTC on web1", ("timezone", {"timezone_name": "UTC"})),
        ("set a timezone to UTC on web1", ("timezone", {"timezone_name": "UTC"})),
        ("set web1's timezone to UTC", ("timezone", {"timezone_name": "UTC"})),
        ("set the timezone of web1 to UTC", ("timezone", {"timezone_name": "UTC"})),
        ("web1 should be rebooted", ("reboot", {})),
        ("web1: set the timezone to UTC", ("timezone", {"timezone_name": "UTC"})),
        ("reboot web1", ("reboot", {})),
        ("update web1", ("update", {})),
        ("uninstall docker from web1", ("docker", {"docker_state": "absent"})),
        ("install the package docker on web1", ("packages", {"packages_names": ["docker"]})),
    ],
)
def test_order_of_words_slips_and_owners_do_not_matter(
    resolver: Resolver, request_: str, step: tuple[str, dict[str, Any]]
) -> None:
    assert plan(resolver, request_) == [step]


@pytest.mark.parametrize(
    "request_",
    [
        "run /bin/sweep every day at 6:30 as sweep on web1",
        "every day at 6:30, run /bin/sweep as sweep on web1",
        "please run /bin/sweep as sweep every day at 6:30 on web1",
    ],
)
def test_a_time_is_read_wherever_a_phrase_has_it(request_: str) -> None:
    options = {name: {"required": True} for name in ("job_command", "job_schedule", "job_name")}
    phrases = ("run {job_command} {job_schedule} as {job_name}", "run {job_command} as {job_name} {job_schedule}")
    resolver = Resolver([make_intent("job", options, *phrases)])
    wanted = {"job_command": "/bin/sweep", "job_schedule": "*-*-* 06:30:00", "job_name": "sweep"}
    assert plan(resolver, request_) == [("job", wanted)]
    assert plan(resolver, request_.replace("6:30", "25:30")) == []


def test_a_list_may_hold_things_of_several_intents(resolver: Resolver) -> None:
    git = ("packages", {"packages_names": ["git"]})
    assert plan(resolver, "install docker and git on web1") == [("docker", {}), git]
    assert plan(resolver, "install git, docker and nginx on web1") == [git, ("docker", {}), ("nginx", {})]
    assert plan(resolver, "set the timezone to UTC and the hostname to a1 on web1") == [
        ("timezone", {"timezone_name": "UTC"}),
        ("hostname", {"hostname_name": "a1"}),
    ]


@pytest.mark.parametrize("request_", ["install dokcer on web1", "make sure dokcer is installed on web1"])
def test_a_slip_in_a_name_that_could_be_a_value_is_asked_about(resolver: Resolver, request_: str) -> None:
    found = resolver.resolve(request_, HOSTS, GROUPS)
    assert not found.certain
    assert found.candidates[0].intent == "docker"


@pytest.mark.parametrize("request_", ["rebot web1", "reboott web1", "clsoe port 80 on web1"])
def test_no_slip_becomes_an_order_that_does_harm(resolver: Resolver, request_: str) -> None:
    assert plan(resolver, request_) == []


@pytest.mark.parametrize(
    "request_",
    [
        "allow port 22 from web1",
        "open port 22 for web1",
        "allow port 22 from web2 on web1",
        "change the hostname to web1",
        "copy it to web1",
    ],
)
def test_a_host_that_may_be_part_of_what_is_asked_for_is_asked_about(resolver: Resolver, request_: str) -> None:
    found = resolver.resolve(request_, HOSTS, GROUPS)
    assert not found.certain
    assert "host" in found.question


@pytest.mark.parametrize(
    "request_",
    [
        "is docker installed on web1?", "should I install docker on web1", "what happens if I reboot web1",
        "reboot web1?",
        "any updates for web1", "can I reboot web1", "have the updates been installed on web1", "don't reboot web1",
        "never open port 22 on web1", "would it help to reboot web1?", "tell me how to install docker on web1",
    ],
)  # fmt: skip
def test_questions_and_negations_are_never_plans(resolver: Resolver, request_: str) -> None:
    found = resolver.resolve(request_, ["web1"], [])
    assert (found.certain, found.steps) == (False, [])


def test_what_the_catalogue_has_not_is_said_and_packages_offered(resolver: Resolver) -> None:
    found = resolver.resolve("deploy kubernetes on web1", HOSTS, GROUPS)
    assert "the catalogue has nothing for that" in found.question
    assert "install the package NAME" in found.question
    assert "ad-hoc" in found.question


def test_the_phrases_are_compiled_again_only_when_the_intents_change(
    intents: list[Intent], monkeypatch: pytest.MonkeyPatch
) -> None:
    compiled: list[int] = []
    built = Resolver.__init__

    def build(self: Resolver, given: list[Intent]) -> None:
        compiled.append(len(given))
        built(self, given)

    monkeypatch.setattr(Resolver, "__init__", build)
    cached = CachedResolver()
    assert cached.resolve("install docker", list(intents), ["web1"], []).certain
    assert cached.resolve("reboot", list(intents), ["web1"], []).certain
    assert compiled == [len(intents)]
    assert not cached.resolve("install docker", intents[2:], ["web1"], []).certain
    assert cached.resolve("install docker", [*intents[:1], intents[1].model_copy()], ["web1"], []).certain
    assert compiled == [len(intents), len(intents) - 2, 2]
