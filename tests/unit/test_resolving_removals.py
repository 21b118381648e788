"""What goes, and what does not: an order to remove reaches all of a list, and nothing that is named beside it."""

import pytest

from intendant.words.resolving import Resolution, Resolver
from words.labels import shipped_resolver


@pytest.fixture(scope="module")
def resolver() -> Resolver:
    return shipped_resolver()


def resolve(resolver: Resolver, request: str) -> Resolution:
    return resolver.resolve(request, ["web1", "web2", "db1"], ["web", "db"])


@pytest.mark.parametrize(
    ("request_", "gone"),
    [
        ("remove nginx and the user bob on web1", ["nginx", "user"]),
        ("remove vim and nodejs 20 on web1", ["packages", "nodejs"]),
        ("get rid of nginx and docker on web1", ["nginx", "docker"]),
        ("remove the user bob and the site shop on web1", ["user", "nginx"]),
        ("delete the file /etc/x and the cron job y on web1", ["file", "scheduled_job"]),
        ("drop the user bob and the database shop of mariadb on db1", ["mariadb"]),
    ],
)
def test_nothing_of_a_list_that_shall_go_is_brought_instead(resolver: Resolver, request_: str, gone: list[str]) -> None:
    found = resolve(resolver, request_)
    assert [step.intent for step in found.steps] == gone
    assert all("absent" in str(step.params) for step in found.steps)


@pytest.mark.parametrize(
    "request_",
    [
        "remove the user bob from the postgres database shop on db1",
        "remove the port 2222 from ssh on web1",
        "remove the user www-data from the job report on web1",
        "remove the extension postgis from the postgres database shop on db1",
        "stop apache2 and nginx with the site shop.org on web1",
        "disable redis and the user bob on web1",
    ],
)
def test_what_is_named_beside_the_thing_that_goes_makes_it_a_question(resolver: Resolver, request_: str) -> None:
    assert resolve(resolver, request_).steps == []


@pytest.mark.parametrize("request_", ["remove sudo from alice on web1", "remove alice from the group docker on web1"])
def test_a_user_who_loses_a_right_is_not_removed(resolver: Resolver, request_: str) -> None:
    assert all(step.params.get("user_state") != "absent" for step in resolve(resolver, request_).steps)


@pytest.mark.parametrize("request_", ["restart the sever on web1", "stop maraidb on db1", "restart ngixn on web1"])
def test_a_slip_is_not_taken_for_the_name_of_a_service(resolver: Resolver, request_: str) -> None:
    found = resolve(resolver, request_)
    assert [step.params.get("service_name") for step in found.steps] in ([], ["mariadb"], ["nginx"])
