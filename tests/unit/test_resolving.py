"""From words to steps: right where the words leave no choice, a question everywhere else, wrong never."""

import time
from pathlib import Path
from typing import Any

import pytest

from intendant.catalog import Catalog
from intendant.intents import Intent
from intendant.words.resolving import Resolution, Resolver, resolve_request
from words.labels import FILES, PARTS, measure, read_labels

ROLES = Path(__file__).parents[2] / "roles"
HOSTS = ["web1", "web2", "db1"]
GROUPS = ["all", "ungrouped", "web", "databases"]


@pytest.fixture(scope="module")
def intents() -> list[Intent]:
    return Catalog([ROLES]).list()


@pytest.fixture(scope="module")
def resolver(intents: list[Intent]) -> Resolver:
    return Resolver(intents)


def resolve(resolver: Resolver, request: str, hosts: list[str] | None = None) -> Resolution:
    return resolver.resolve(request, HOSTS if hosts is None else hosts, GROUPS)


def steps(resolution: Resolution) -> list[tuple[str, dict[str, Any]]]:
    return [(step.intent, step.params) for step in resolution.steps]


def make_intent(name: str, options: dict[str, dict[str, Any]], *phrases: str, **more: Any) -> Intent:
    return Intent(name=name, title=name, path="/roles", options=options, phrases=phrases, **more)


# --- the labelled requests


#: how much has to be right, may be wrong, and has to be among the candidates
BOUNDS = (0.9, 0.01, 0.9)
#: what strangers' requests come to, a little below what was measured: those tuned with, and those that nobody looked at
STRANGERS = {"tuned": (0.82, 0.01, 0.85), "unseen": (0.53, 0.03, 0.88)}


@pytest.mark.parametrize("part", PARTS)
@pytest.mark.parametrize("file", FILES)
def test_nearly_all_labelled_requests_are_right_and_hardly_one_is_wrong(
    resolver: Resolver, file: str, part: str
) -> None:
    score = measure(resolver, file, part)
    is_hidden = (file, part) == ("strangers", "unseen")
    right, wrong, near = STRANGERS[part] if file == "strangers" else BOUNDS
    missed = [f"{verdict.label.say}: {verdict.got}" for verdict in score.verdicts if verdict.outcome != "right"]
    # Nobody learns by a failure what strangers have asked for in the unseen part.
    told = f"{len(missed)} missed" if is_hidden else missed
    right_share, wrong_share = score.share("right"), score.share("wrong")
    assert right_share >= right, told
    assert wrong_share <= wrong, told
    assert sum(verdict.became_plan for verdict in score.verdicts if verdict.label.is_question) == 0, told
    asked = [verdict for verdict in score.verdicts if verdict.label.meant and not verdict.became_plan]
    assert sum(verdict.has_meant for verdict in asked) >= near * len(asked)


def test_the_labelled_requests_are_many_different_and_fit_the_specifications(intents: list[Intent]) -> None:
    known = {intent.name: intent for intent in intents}
    labels = [label for file in FILES for part in PARTS for label in read_labels(file, part)]
    assert len(read_labels("catalogue", "unseen")) >= 150
    assert len(read_labels("strangers", "unseen")) >= 200
    assert len({(label.say, label.hosts) for label in labels}) > 2800
    for label in labels:
        assert not label.meant or label.meant in known, label
        for name, params in label.steps:
            assert set(params) <= set(known[name].options), label


FORMS = (
    "should I {}", "is it safe to {}?", "what happens if I {}", "don't {}", "please do not {}", "never {}", "can I {}",
    "could we {}?", "how do I {}", "did you {}", "would it help to {}?", "I would not {}", "any idea how to {}",
    "pretend to {}", "if I {}, what then", "{} or not", "I tried to {}", "before you {}, ask me",
)  # fmt: skip


ORDERS = frozenset(
    "install add create open close set remove delete uninstall enable disable restart reload stop start make put mount "
    "deploy update upgrade change allow give let run configure get use".split()
)


@pytest.mark.parametrize("form", FORMS)
def test_no_request_is_a_plan_when_it_is_asked_about_or_taken_back(resolver: Resolver, form: str) -> None:
    labels = [label for file in FILES for part in PARTS for label in read_labels(file, part) if label.steps]
    # A form is put before an order; "pretend to our disk is full, so …" is no sentence.
    labels = [label for label in labels if label.say.split()[0].lower() in ORDERS][::9]
    said = [form.format(label.say[0].lower() + label.say[1:].rstrip("?!.")) for label in labels]
    assert [request for request in said if resolve(resolver, request).certain] == []


def test_an_uncertain_request_has_the_intent_that_was_meant_among_its_candidates(resolver: Resolver) -> None:
    for request, meant in {
        "install python on web1": "python",
        "create a user on web1": "user",
        "nginx keeps crashing, is the service running?": "service",
        "put some text in a file on web1": "file",
        "can I install the nginx package on web1": "packages",
        "install pyton 3.12 on web1": "python",
    }.items():
        assert meant in [candidate.intent for candidate in resolve(resolver, request).candidates], request


# --- what comes back with a question


def test_a_candidate_has_the_params_that_were_read_and_names_the_missing_ones(resolver: Resolver) -> None:
    found = resolve(resolver, "install python on web1")
    assert not found.certain
    assert (found.candidates[0].intent, found.candidates[0].missing) == ("python", ["python_version"])
    assert "what is python_version" in found.question
    typo = resolve(resolver, "install pyton 3.12 on web1").candidates[0]
    assert (typo.intent, typo.params, typo.missing) == ("python", {"python_version": "3.12"}, [])


def test_without_hosts_the_steps_are_there_and_only_the_hosts_are_asked_for(resolver: Resolver) -> None:
    found = resolve(resolver, "install git")
    assert not found.certain
    assert steps(found) == [("packages", {"packages_names": ["git"]})]
    assert found.hosts == ""
    assert found.question.startswith("On which hosts? Known: web, databases, web1")


def test_the_only_host_is_meant_when_none_is_named(resolver: Resolver) -> None:
    for request in ("install git", "install git on this server", "install git here", "install git on the host"):
        found = resolve(resolver, request, hosts=["solo"])
        assert (found.certain, found.hosts) == (True, "solo"), request


def test_an_unknown_host_is_asked_about_with_the_nearest_names_and_has_no_steps(resolver: Resolver) -> None:
    found = resolve(resolver, "install git on wbe1")
    assert (found.certain, found.steps, found.hosts) == (False, [], "")
    assert "no host or group 'wbe1'" in found.question
    assert "web1" in found.question


def test_an_unknown_host_is_not_replaced_by_the_only_one(resolver: Resolver) -> None:
    assert not resolve(resolver, "install git on web7", hosts=["web1"]).certain


def test_different_hosts_for_two_steps_are_asked_about(resolver: Resolver) -> None:
    found = resolve(resolver, "install git on web1 and restart nginx on db1")
    assert not found.certain
    assert "one set of hosts" in found.question


def test_a_negation_a_question_and_nonsense_each_say_why_they_are_not_planned(resolver: Resolver) -> None:
    assert "'don't'" in resolve(resolver, "don't install nginx on web1").question
    assert "a question" in resolve(resolver, "is nginx running on web1?").question
    assert "No intent fits" in resolve(resolver, "qwertz").question
    assert "empty" in resolve(resolver, "  ").question
    assert "too long" in resolve(resolver, "install " + "git and " * 100).question


def test_candidates_are_few_and_ordered_by_score(resolver: Resolver) -> None:
    candidates = resolve(resolver, "install a thing for a user in a file as a service with python").candidates
    scores = [candidate.score for candidate in candidates]
    assert 1 <= len(scores) <= 5
    assert scores == sorted(scores, reverse=True)
    assert all(0 <= score <= 100 for score in scores)


def test_an_ordinary_word_can_be_a_name_when_it_is_quoted(resolver: Resolver) -> None:
    assert not resolve(resolver, "create user admin on web1").certain
    assert steps(resolve(resolver, "create user 'admin' on web1")) == [("user", {"user_name": "admin"})]


def test_the_same_request_always_gets_the_same_answer(intents: list[Intent]) -> None:
    request = "install something for python on web1"
    answers = {resolve_request(request, order, HOSTS, GROUPS).model_dump_json() for order in (intents, intents[::-1])}
    assert len(answers) == 1


# --- hosts


@pytest.mark.parametrize(
    ("words", "pattern"),
    [
        ("on web1", "web1"),
        ("on WEB1", "web1"),
        ("on web1 and db1", "web1,db1"),
        ("on web1, web2, and db1", "web1,web2,db1"),
        ("on the host web1", "web1"),
        ("on all servers", "all"),
        ("on every host", "all"),
        ("on all of the machines", "all"),
        ("everywhere", "all"),
        ("on web", "web"),
        ("on the web group", "web"),
        ("on the group web", "web"),
        ("on the web servers", "web"),
        ("on all web servers", "web"),
        ("on every web server", "web"),
        ("on the databases", "databases"),
        ("on databases and web1", "databases,web1"),
    ],
)
def test_hosts_and_groups_are_found_as_people_write_them(resolver: Resolver, words: str, pattern: str) -> None:
    assert resolve(resolver, f"install git {words}").hosts == pattern
    assert resolve(resolver, f"{words}, install git").hosts == pattern


@pytest.mark.parametrize(
    "words", ["on the web server", "on both servers", "on this server", "on some hosts", "on web1 or db1", "on web9"]
)
def test_words_that_may_mean_several_sets_of_hosts_are_asked_about(resolver: Resolver, words: str) -> None:
    found = resolve(resolver, f"install git {words}")
    assert not found.certain
    assert found.question


# --- the rules, on intents made for them


def test_a_tie_between_two_intents_is_asked_about() -> None:
    one = make_intent("one", {"one_name": {"required": True}}, "install {one_name}")
    two = make_intent("two", {"two_name": {"required": True}}, "install {two_name}")
    found = resolve_request("install nginx", [one, two], ["web1"], [])
    assert not found.certain
    assert {candidate.intent for candidate in found.candidates} == {"one", "two"}


def test_the_intent_whose_phrase_has_more_of_the_words_wins() -> None:
    any_package = make_intent("packages", {"names": {"type": "list", "required": True}}, "install {names}")
    nginx = make_intent("nginx", {}, "install nginx")
    assert steps(resolve_request("install nginx", [any_package, nginx], ["web1"], [])) == [("nginx", {})]


def test_the_name_of_an_intent_is_no_value_for_another_that_shares_the_verb() -> None:
    any_package = make_intent("packages", {"names": {"type": "list", "required": True}}, "install {names}")
    nginx = make_intent("nginx", {"nginx_port": {"type": "int", "required": True}}, "install nginx at {nginx_port}")
    assert not resolve_request("install nginx", [any_package, nginx], ["web1"], []).certain
    assert not resolve_request("install ngnix", [any_package, nginx], ["web1"], []).certain


def test_removal_words_set_the_state_even_when_no_phrase_has_them() -> None:
    state = {"choices": ["present", "absent"], "default": "present"}
    redis = make_intent("redis", {"redis_state": state}, "install redis")
    assert steps(resolve_request("please get rid of redis", [redis], ["web1"], [])) == [
        ("redis", {"redis_state": "absent"})
    ]


def test_removal_words_mean_nothing_for_an_intent_that_cannot_remove() -> None:
    redis = make_intent("redis", {"redis_state": {"choices": ["present", "latest"]}}, "install redis")
    assert not resolve_request("uninstall redis", [redis], ["web1"], []).certain


def test_choices_booleans_numbers_and_fixed_words_are_read() -> None:
    options: dict[str, dict[str, Any]] = {
        "fw_action": {"choices": ["allow", "deny"], "required": True},
        "fw_port": {"type": "int", "required": True},
        "fw_logging": {"type": "bool"},
        "fw_scope": {"choices": ["lan", "any"]},
    }
    phrase = "{fw_action} port {fw_port} [from {the internet=any:fw_scope}] [with {fw_logging}]"
    firewall = make_intent("firewall", options, phrase)
    assert steps(resolve_request("allow port 443 from the internet", [firewall], ["web1"], [])) == [
        ("firewall", {"fw_action": "allow", "fw_port": 443, "fw_scope": "any"})
    ]
    assert steps(resolve_request("deny port 22 with logging", [firewall], ["web1"], [])) == [
        ("firewall", {"fw_action": "deny", "fw_port": 22, "fw_logging": True})
    ]
    assert not resolve_request("allow port https", [firewall], ["web1"], []).certain


def test_an_intent_without_phrases_is_a_candidate_and_never_certain() -> None:
    plain = make_intent("prometheus", {"prometheus_version": {"required": True}}, synonyms=("monitoring",))
    found = resolve_request("install prometheus 2.53.1", [plain], ["web1"], [])
    assert not found.certain
    assert found.candidates[0].params == {"prometheus_version": "2.53.1"}
    assert resolve_request("set up monitoring", [plain], ["web1"], []).candidates[0].intent == "prometheus"


@pytest.mark.parametrize(
    "request_",
    ["install {{ 7*7 }}", "install $(id)", "install git;id", "install --pre", "install a\u202eb", "install 'a b'"],
)
def test_a_name_with_special_characters_is_never_read_as_one(resolver: Resolver, request_: str) -> None:
    assert not resolve(resolver, f"{request_} on web1").certain


def test_quoted_text_is_taken_as_it_stands(resolver: Resolver) -> None:
    text = "Don't panic, {{ user }} and install nginx on db1!"
    found = resolve(resolver, f'write "{text}" to /etc/motd on web1')
    assert steps(found) == [("file", {"file_content": text, "file_path": "/etc/motd"})]
    assert found.hosts == "web1"


def test_forty_intents_are_resolved_in_fifty_milliseconds(intents: list[Intent]) -> None:
    crowd = list(intents)
    while len(crowd) < 40:
        model = intents[len(crowd) % len(intents)]
        name = f"{model.name}_{len(crowd)}"
        phrases = tuple(phrase.replace("{", f"for {name} {{", 1) for phrase in model.phrases)
        crowd.append(model.model_copy(update={"name": name, "phrases": phrases}))
    resolver = Resolver(crowd)
    hosts = [f"web{number}" for number in range(200)]
    took = []
    for request in ("install Python 3.12 on web1", "create user deploy and install git and start cron on web2") * 5:
        began = time.process_time()
        assert resolver.resolve(request, hosts, GROUPS).certain
        took.append(time.process_time() - began)
    # Time of the processor, and of the middle one: the machine may be busy with something else at any moment.
    assert sorted(took)[len(took) // 2] < 0.05


@pytest.mark.parametrize(
    ("request_text", "expected"),
    [
        ("open port 80 and open port 443", [("firewall", {"firewall_allow": [{"port": "80"}, {"port": "443"}]})]),
        (
            "open port 80 and close port 8080",
            [
                ("firewall", {"firewall_allow": [{"port": "80"}]}),
                ("firewall", {"firewall_state": "absent", "firewall_allow": [{"port": "8080"}]}),
            ],
        ),
        (
            "install git and install docker and install curl",
            [("packages", {"packages_names": ["git"]}), ("docker", {}), ("packages", {"packages_names": ["curl"]})],
        ),
    ],
)
def test_neighbours_that_add_to_one_list_are_one_step_and_others_stay_apart(
    resolver: Resolver, request_text: str, expected: list[tuple[str, dict[str, Any]]]
) -> None:
    assert steps(resolve(resolver, f"{request_text} on web1")) == expected
