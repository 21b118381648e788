"""Requests whose words come in any order: read when each of them is accounted for, asked about when one is not."""

from pathlib import Path
from typing import Any

import pytest
import yaml

from intendant.catalog import Catalog
from intendant.intents import Frame, Intent
from intendant.words.resolving import Resolution, Resolver, resolve_request

ROLES = Path(__file__).parents[2] / "roles"
HOSTS = ["web1", "web2", "db1"]
GROUPS = {"all": HOSTS, "ungrouped": [], "web": ["web1", "web2"], "db": ["db1"]}
STATE = {"type": "str", "choices": ["present", "absent"], "default": "present"}
CACHE = Intent(
    name="cache",
    title="cache",
    path="/roles",
    options={
        "cache_size": {"type": "str"},
        "cache_owner": {"type": "str"},
        "cache_backups": {"type": "bool"},
        "cache_clients": {
            "type": "list",
            "elements": "dict",
            "options": {
                "name": {"type": "str", "required": True},
                "nets": {
                    "type": "list",
                    "elements": "dict",
                    "options": {"address": {"type": "str"}, "options": {"type": "list", "elements": "str"}},
                },
            },
        },
        "cache_state": STATE,
    },
    frame=Frame(
        things=("varnish [cache]",),
        orders=("serve", "{flush=absent:cache_state}"),
        parts=(
            "[(of|with)] {cache_size}",
            "owned by [the] [user] {cache_owner}",
            "{(without|no) backups=false:cache_backups}",
            "client {cache_clients.name}",
            "in {cache_clients.nets.address} {writable=rw:cache_clients.nets.options}",
        ),
        needs=("cache_size|cache_owner|cache_clients",),
    ),
)


@pytest.fixture(scope="module")
def resolver() -> Resolver:
    return Resolver(Catalog([ROLES]).list())


def read(request: str) -> list[dict[str, Any]]:
    return [step.params for step in resolve_request(request, [CACHE], ["web1"], []).steps]


def resolve(resolver: Resolver, request: str) -> Resolution:
    return resolver.resolve(request, HOSTS, GROUPS)


def steps(found: Resolution) -> list[tuple[str, dict[str, Any]]]:
    return [(step.intent, step.params) for step in found.steps]


@pytest.mark.parametrize(
    "request_",
    [
        "install varnish with 2G owned by bob",
        "install with 2G the varnish owned by the user bob",
        "owned by bob a 2G varnish cache install please",
        "varnish cache, 2G, owned by bob",
        "I would gladly the varnish with 2G owned by bob have",
        "varnish should be installed, owned by bob, of 2G",
        "make sure that varnish of 2G owned by bob is installed",
    ],
)
def test_the_words_of_a_frame_may_come_in_any_order(request_: str) -> None:
    assert read(request_) == [{"cache_size": "2G", "cache_owner": "bob"}]


@pytest.mark.parametrize(
    "request_",
    [
        "install varnish with 2G fast",  # a word is left over
        "install varnish",  # what it needs is not said
        "install varnish with 2G and 3G",  # which?
        "varnish with 2G was installed",
        "we installed varnish with 2G",
        "we have varnish with 2G",
        "bob installs varnish with 2G",
        "don't install varnish with 2G",
        "never varnish with 2G",
        "install varnish with 2G not owned by bob",
        "is varnish with 2G installed",
        "install varnish with 2G owned by the",
    ],
)
def test_what_a_frame_does_not_account_for_is_asked_about(request_: str) -> None:
    assert read(request_) == []


def test_parts_may_say_what_not_to_do_and_the_thing_may_go() -> None:
    assert read("varnish of 2G but no backups") == [{"cache_size": "2G", "cache_backups": False}]
    assert read("throw the varnish cache out") == [{"cache_state": "absent"}]
    assert read("flush varnish") == [{"cache_state": "absent"}]


def test_a_list_inside_of_an_item_has_slots_of_its_own() -> None:
    assert read("varnish client bob in 10.0.0.0/8 writable") == [
        {"cache_clients": [{"name": "bob", "nets": [{"address": "10.0.0.0/8", "options": ["rw"]}]}]}
    ]


def test_a_frame_that_is_not_bare_needs_an_order() -> None:
    frame = CACHE.frame.model_copy(update={"bare": False})
    strict = CACHE.model_copy(update={"frame": frame})
    assert resolve_request("varnish of 2G", [strict], ["web1"], []).steps == []
    assert resolve_request("install varnish of 2G", [strict], ["web1"], []).certain


@pytest.mark.parametrize(
    ("request_", "meant"),
    [
        # openssl is never openssh, which it nearly is
        ("upgarde openssl on web1", ("packages", {"packages_names": ["openssl"], "packages_state": "latest"})),
        ("upgrade openssl on web1", ("packages", {"packages_names": ["openssl"], "packages_state": "latest"})),
        ("OPS-12: restart nginx on web1", ("service", {"service_name": "nginx", "service_state": "restarted"})),
        ("Ticket 7: restart nginx on web1", ("service", {"service_name": "nginx", "service_state": "restarted"})),
        ("apt-get install -y vim on web1", ("packages", {"packages_names": ["vim"]})),
        ("sudo systemctl restart cron on web1", ("service", {"service_name": "cron", "service_state": "restarted"})),
        ("ufw allow 8080 on web1", ("firewall", {"firewall_allow": [{"port": "8080"}]})),
        ("web2 is out of memory, please give it 4G of swap", ("swap", {"swap_size": "4G"})),
        ("if web2 is out of memory, please give it 4G of swap", None),
        ("upgrade web1 but don't reboot it", ("system_update", {"system_update_reboot": "never"})),
        ("don't upgrade web1", None),
        ("never reboot web1", None),
        ("stop asking on web1", None),
        ("start using nginx on web1", None),
        ("nginx off web1", None),
        ("get nginx off web1", ("nginx", {"nginx_state": "absent"})),
        (
            "cancel the scheduled job sync on web1",
            ("scheduled_job", {"scheduled_job_name": "sync", "scheduled_job_state": "absent"}),
        ),
        ("run the command 'free -m' on web1", None),
        ("delete / on web1", None),
        ("add web3", None),
    ],
)  # fmt: skip
def test_shipped_roles_are_asked_for_in_many_ways(
    resolver: Resolver, request_: str, meant: tuple[str, dict[str, Any]] | None
) -> None:
    assert steps(resolve(resolver, request_)) == ([meant] if meant else [])


def test_a_password_is_never_read_and_the_answer_says_how_to_give_it(resolver: Resolver) -> None:
    for request in ("create the mariadb user shop with the password 'x1' on db1", 'user bob, pw "x1", web1'):
        found = resolve(resolver, request)
        assert (found.certain, found.steps) == (False, [])
        assert "from_var" in found.question


@pytest.mark.parametrize(
    ("request_", "hosts"),
    [
        ("install git, web1", "web1"),
        ("web1 needs git", "web1"),
        ("web1: install git", "web1"),
        ("install git onweb1", "web1"),
        ("install git on both web1 and web2", "web1,web2"),
        ("install git on the database server", "db"),  # the only host of the group
        ("install git on the web server", ""),
        ("install git, all hosts", "all"),
    ],
)
def test_hosts_are_found_without_a_preposition_where_no_value_can_be_meant(
    resolver: Resolver, request_: str, hosts: str
) -> None:
    assert resolve(resolver, request_).hosts == hosts


def test_this_server_among_several_leaves_only_the_host_open(resolver: Resolver) -> None:
    found = resolve(resolver, "install nginx on this server")
    assert (found.certain, steps(found), found.hosts) == (False, [("nginx", {})], "")
    assert "Which host" in found.question


@pytest.mark.parametrize(
    ("frame", "problem"),
    [
        ({"thing": ["x"]}, "frame.thing is not known"),
        ({"things": ["{demo_nothing}"]}, "no param of the role"),
        ({"things": ["(demo"]}, "no sentence template"),
        ({"needs": ["demo_name|demo_nothing"]}, "demo_nothing is no param"),
        ({"bare": ["x"]}, "frame.bare must be true or false"),
        ({"parts": True}, "frame.parts must be a list"),
    ],
)
def test_a_frame_that_cannot_be_used_is_a_problem_of_the_role(tmp_path: Path, frame: object, problem: str) -> None:
    meta = tmp_path / "demo" / "meta"
    meta.mkdir(parents=True)
    spec = {"argument_specs": {"main": {"options": {"demo_name": {"type": "str"}}}}}
    (meta / "argument_specs.yml").write_text(yaml.safe_dump(spec), encoding="utf-8")
    (meta / "intent.yml").write_text(yaml.safe_dump({"frame": frame}), encoding="utf-8")
    assert problem in " ".join(Catalog([tmp_path]).problems())


def test_further_values_of_a_param_go_where_the_role_has_a_list_for_them(resolver: Resolver) -> None:
    found = resolve(resolver, "get a let's encrypt certificate for a.example.org and b.example.org on web1")
    assert [step.params for step in found.steps] == [
        {
            "tls_certificate_source": "acme",
            "tls_certificate_name": "a.example.org",
            "tls_certificate_names": ["a.example.org", "b.example.org"],
        }
    ]
