"""Requests as people type and say them: slips, numbers in words, reasons, what is not wanted, hosts left out."""

from typing import Any

import pytest

from intendant.words.resolving import Resolver
from words.labels import shipped_resolver

HOSTS = ["web1", "web2", "db1"]
GROUPS = {"all": HOSTS, "ungrouped": [], "web": ["web1", "web2"], "db": ["db1"]}
NGINX: list[tuple[str, dict[str, Any]]] = [("nginx", {})]


@pytest.fixture(scope="module")
def resolver() -> Resolver:
    return shipped_resolver()


def read(resolver: Resolver, request: str) -> tuple[list[tuple[str, dict[str, Any]]], str]:
    found = resolver.resolve(request, HOSTS, GROUPS)
    return [(step.intent, step.params) for step in found.steps], found.hosts


@pytest.mark.parametrize(
    ("request_", "steps"),
    [
        ("istall ngnix on web1", NGINX),
        ("craete uesr peter on web1", [("user", {"user_name": "peter"})]),
        ("opne port443 onweb1", [("firewall", {"firewall_allow": [{"port": "443"}]})]),
        ("isntall pyhton 3.12 on web1", [("python", {"python_version": "3.12"})]),
    ],
)
def test_slips_of_the_keyboard_are_mended_where_only_one_word_is_near(
    resolver: Resolver, request_: str, steps: list[tuple[str, dict[str, Any]]]
) -> None:
    assert read(resolver, request_) == (steps, "web1")


@pytest.mark.parametrize("name", ["pyhton", "dokcer", "ngnix", "sevrer1"])
def test_what_stands_where_a_name_belongs_is_never_mended(resolver: Resolver, name: str) -> None:
    assert read(resolver, f"craete user {name} on web1") == ([("user", {"user_name": name})], "web1")


@pytest.mark.parametrize("request_", ["install redir on web1", "install dokcer on web1", "rebot web1", "instll opensh"])
def test_a_slip_that_may_be_another_package_or_does_harm_is_asked_about(resolver: Resolver, request_: str) -> None:
    found = resolver.resolve(request_, HOSTS, GROUPS)
    assert ("docker" in str(found.steps), "redis" in str(found.steps), "reboot" in str(found.steps)) == (False,) * 3
    assert "openssh" not in str(found.steps)


@pytest.mark.parametrize(
    ("words", "pattern"),
    [
        ("on all three machines", "all"),
        ("on both web servers", "web"),
        ("on both of the web boxes", "web"),
        ("on web one", "web1"),
        ("on web1 and web2 both", "web1,web2"),
        ("everywhere except db1", "all:!db1"),
        ("on every host but db1", "all:!db1"),
        ("on the web servers, except on web2", "web:!web2"),
        ("on the database box", "db"),
    ],
)
def test_hosts_are_counted_joined_and_left_out(resolver: Resolver, words: str, pattern: str) -> None:
    assert read(resolver, f"install nginx {words}") == (NGINX, pattern)


@pytest.mark.parametrize(
    "words", ["on both servers", "on all four machines", "on the servers", "on the two web servers"]
)
def test_a_count_that_does_not_fit_the_inventory_is_asked_about(resolver: Resolver, words: str) -> None:
    assert not resolver.resolve(f"install nginx {words}", HOSTS, GROUPS).certain


@pytest.mark.parametrize(
    "request_",
    [
        "we don't need nginx on web1 any more, remove it",
        "nginx on web1 is no longer used, so please get rid of it",
        "remove nginx from web1, we do not use it",
        "remove nginx from web1 because nobody uses it",
        "take nginx off web1 its so slow",
        "the boss is angry, please remove nginx from web1",
    ],
)
def test_a_reason_is_no_part_of_what_is_asked_for(resolver: Resolver, request_: str) -> None:
    assert read(resolver, request_) == ([("nginx", {"nginx_state": "absent"})], "web1")


@pytest.mark.parametrize(
    "request_",
    [
        "the docs say: install nginx on web1",
        "create user bob on web1, he needs sudo without a password and root",
        "install nginx on web1, it should listen on port 99999",
        "install nginx but do not start it on web1",
        "don't install nginx on web1, just tell me about it",
        "my app runs on port 3000, please put it online on web1",
        "create user bob on web1, we don't need a home directory for him yet",
        "set up sshd on web1, install nginx if you like",
    ],
)
def test_what_may_be_wished_or_given_is_never_left_out(resolver: Resolver, request_: str) -> None:
    assert read(resolver, request_)[0] == []


@pytest.mark.parametrize(
    ("request_", "steps"),
    [
        ("make sure apache2 is not running", [("service", {"service_name": "apache2", "service_state": "stopped"})]),
        ("install nginx but no docker", NGINX),
        ("install nginx and don't forget git", [*NGINX, ("packages", {"packages_names": ["git"]})]),
        ("it would be great if nginx was installed", NGINX),
        ("could nginx please be installed?", NGINX),
        ("yo can u install nginx pls", NGINX),
        ("open port four four three", [("firewall", {"firewall_allow": [{"port": "443"}]})]),
        ("port 3306 shouldn't be open any more",
         [("firewall", {"firewall_state": "absent", "firewall_allow": [{"port": "3306"}]})]),
        ("install nginx and unzp, sorry, unzip", [*NGINX, ("packages", {"packages_names": ["unzip"]})]),
        ("install nginx and reboot it", [*NGINX, ("reboot", {})]),
        ("apt-get install -y ripgrep fd-find", [("packages", {"packages_names": ["ripgrep", "fd-find"]})]),
    ],
)  # fmt: skip
def test_what_people_say_instead_means_the_same(
    resolver: Resolver, request_: str, steps: list[tuple[str, dict[str, Any]]]
) -> None:
    body, mark = request_.rstrip("?"), request_[len(request_.rstrip("?")) :]
    assert read(resolver, f"{body} on web1{mark}") == (steps, "web1")


@pytest.mark.parametrize(
    ("request_", "params"),
    [
        ("change bob's shell to /bin/zsh on web1", {"user_name": "bob", "user_shell": "/bin/zsh"}),
        ("set bob's login shell to /bin/zsh on web1", {"user_name": "bob", "user_shell": "/bin/zsh"}),
        ("delete bob's account on web1", {"user_name": "bob", "user_state": "absent"}),
    ],
)
def test_what_somebody_has_is_read_as_theirs(resolver: Resolver, request_: str, params: dict[str, Any]) -> None:
    assert read(resolver, request_) == ([("user", params)], "web1")


def test_an_owner_with_a_group_is_two_values_and_never_one(resolver: Resolver) -> None:
    owned = {"file_path": "/srv/www", "file_owner": "www-data", "file_group": "adm"}
    folder = {**owned, "file_state": "directory"}
    assert read(resolver, "chown www-data:adm /srv/www on web1") == ([("file", owned)], "web1")
    assert read(resolver, "create folder /srv/www owned by www-data:adm on web1") == ([("file", folder)], "web1")
    # the role changes what is named, and nothing below it
    assert read(resolver, "chown -R www-data:adm /srv/www on web1")[0] == []


@pytest.mark.parametrize(("order", "allowed"), [("disable", False), ("turn off", False), ("allow", True)])
def test_logins_with_a_password_are_those_over_ssh(resolver: Resolver, order: str, allowed: bool) -> None:
    expected = [("ssh_server", {"ssh_server_password_authentication": allowed})]
    assert read(resolver, f"{order} password logins on web1") == (expected, "web1")
    assert read(resolver, f"{order} password logins for postgres on web1")[0] == []


def test_the_newest_package_is_asked_for_by_its_name(resolver: Resolver) -> None:
    newest = {"packages_names": ["git"], "packages_state": "latest"}
    assert read(resolver, "install the latest git on web1") == ([("packages", newest)], "web1")
    newest = {"packages_names": ["git", "curl"], "packages_state": "latest"}
    assert read(resolver, "bring git and curl up to date on web1") == ([("packages", newest)], "web1")
    for name in ("python", "docker", "postgres"):
        found = resolver.resolve(f"install the latest {name} on web1", HOSTS, GROUPS)
        assert not found.steps
        assert found.question.startswith(f"Is '{name}' a value for packages_names")
