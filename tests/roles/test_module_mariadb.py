"""The parts of the modules for MariaDB that need no server."""

from typing import Any

import pytest

from intendant.ansible.modules.mariadb_objects import (
    ALL,
    describe_user,
    escape,
    merge_user,
    parse,
    summarise,
    write_database,
    write_user,
)
from intendant.ansible.modules.mariadb_password import make_hash, read_ways


def test_the_hash_is_that_of_the_server() -> None:
    """The manual of the function PASSWORD has this pair."""
    assert make_hash("notagoodpwd") == "*3A70EE9FC6594F88CE9E959CD51C5A1C002DC937"
    assert make_hash(make_hash("notagoodpwd")) == make_hash("notagoodpwd")
    assert make_hash("grüße") != make_hash("gruesse")


@pytest.mark.parametrize(
    ("told", "ways"),
    [
        ("", []),
        ('{"access":0,"plugin":"mysql_native_password","authentication_string":"invalid"}', []),
        ('{"access":0,"plugin":"mysql_native_password","authentication_string":""}', [""]),
        ('{"access":0,"plugin":"mysql_native_password","authentication_string":"*AB"}', ["*AB"]),
        ('{"access":0,"plugin":"ed25519","authentication_string":"abc"}', ["ed25519"]),
        (
            '{"plugin":"mysql_native_password","authentication_string":"invalid","auth_or":[{},{"plugin":"unix_socket"}]}',
            ["unix_socket"],
        ),
    ],
)
def test_a_user_has_the_ways_to_log_in_that_the_server_tells(told: str, ways: list[str]) -> None:
    assert read_ways(told) == ways


def user(*grants: tuple[str, list[str]], **given: Any) -> dict[str, Any]:
    told = [{"database": database, "privileges": privileges} for database, privileges in grants]
    return {"name": "shop", "host": "%", "state": "present", "privileges": told, **given}


def test_the_database_of_a_grant_is_no_pattern() -> None:
    assert escape("my_shop-1") == r"my\_shop-1"
    assert escape("*") == "*"


def test_privileges_are_the_whole_list_of_a_database_and_others_stay() -> None:
    item = user(("shop", ["SELECT", "INSERT"]), ("my_log", ["ALL"]))
    found = {"shop": {"SELECT", "DROP"}, "other": {"SELECT"}}
    wanted = merge_user(item, found)
    assert write_user(item, found, wanted, set()) == (
        "REVOKE DROP ON `shop`.* FROM `shop`@`%`;\n"
        "GRANT INSERT ON `shop`.* TO `shop`@`%`;\n"
        "GRANT ALL PRIVILEGES ON `my\\_log`.* TO `shop`@`%`;\n"
    )
    assert (
        describe_user(item, wanted) == "user: shop@%\nprivileges on shop: INSERT, SELECT\nprivileges on my_log: ALL\n"
    )
    assert merge_user({**item, "state": "absent"}, found) is None


def test_a_new_user_cannot_log_in_before_it_has_a_password() -> None:
    item = user()
    assert "USING 'invalid'" in write_user(item, None, merge_user(item, None), set())
    assert write_user(item, {}, merge_user(item, {}), set()) == ""


def test_all_privileges_are_known_by_one_name() -> None:
    root = {*ALL, "SUPER", "FILE"}
    item = user(("shop", sorted(ALL)), ("*", ["ALL"]))
    found = {"shop": {*ALL, "SHOW CREATE ROUTINE"}, "*": root}
    assert summarise(found, root) == {"shop": {"ALL"}, "*": {"ALL"}}
    assert summarise(merge_user(item, found), root) == summarise(found, root)
    assert summarise({"*": ALL}, root) == {"*": ALL}
    assert write_user(user(("*", ["ALL"])), found, {"*": {"ALL"}}, root) == ""


def test_a_database_gets_what_is_asked_for_only() -> None:
    item = {"name": "a`b", "encoding": None, "collation": None}
    assert write_database(item, None, {}) == "CREATE DATABASE `a``b`;\n"
    item = {"name": "a", "encoding": "latin1", "collation": "latin1_bin"}
    assert write_database(item, {}, {}) == "ALTER DATABASE `a` CHARACTER SET latin1 COLLATE latin1_bin;\n"
    assert write_database(item, {}, None) == "DROP DATABASE `a`;\n"


def test_what_the_server_tells_is_read_row_by_row() -> None:
    found = parse(
        '{"kind": "database", "name": "a\\nb", "encoding": "utf8mb4", "collation": "utf8mb4_bin"}\n'
        '{"kind": "collation", "name": "utf8mb4_bin"}\n'
        """{"kind": "user", "name": "'shop'@'%'"}\n"""
        """{"kind": "grant", "user": "'shop'@'%'", "place": "shop", "privilege": "SELECT"}\n"""
    )
    assert found["databases"] == {"a\nb": {"encoding": "utf8mb4", "collation": "utf8mb4_bin"}}
    assert found["users"] == {"'shop'@'%'": {"shop": {"SELECT"}}}
