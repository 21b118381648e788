"""Facts from what real hosts printed (tests/unit/data/facts), and from what hostile ones could."""

import json
from datetime import UTC, datetime
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from intendant.commands import read_stream
from intendant.facts.asking import TOPICS, Part, TopicName, build_facts_command, split_answer
from intendant.facts.reading import Reading, Row, find_rows, read_topic
from intendant.remote import Stream
from intendant.shell.classifying import classify
from intendant.shell.rules import load_rules

MARK = "intendant0123456789abcdef"
NOW = datetime(2026, 11, 27, 12, tzinfo=UTC)
GIB = 1 << 30


def read(topic: TopicName, **texts: str | Part) -> Reading:
    """A topic from the parts that are given, the others being programs that the host lacks."""
    given_ = {name: text if isinstance(text, Part) else Part(0, text) for name, text in texts.items()}
    empty = dict.fromkeys(_parts_of(topic), Part(127, "sh: 1: not found\n"))
    assert given_.keys() <= empty.keys()
    return read_topic(topic, {**empty, **given_}, NOW)


def _parts_of(topic: TopicName) -> list[str]:
    words = build_facts_command([topic], MARK).split("; ")
    return [word.split()[-1] for word in words if word.startswith(f"echo {MARK}")]


@pytest.fixture(params=["bookworm", "trixie"])
def suite(request: pytest.FixtureRequest) -> str:
    return str(request.param)


@pytest.fixture
def readings(suite: str) -> dict[str, Reading]:
    data = (Path(__file__).parent / "data" / "facts" / f"{suite}.txt").read_bytes()
    parts = split_answer(read_stream(Stream(data)), MARK)
    assert tuple(parts) == TOPICS
    return {topic: read_topic(topic, parts[topic], NOW) for topic in TOPICS}


def only(reading: Reading, name: str) -> Row:
    [row] = [row for row in reading.rows if row["name"] == name]
    return row


def test_what_is_asked_is_a_read_for_any_shell() -> None:
    rules = load_rules()
    for topics in (TOPICS, *([topic] for topic in TOPICS)):
        verdict = classify(build_facts_command(topics, MARK), rules)
        assert (verdict.kind, verdict.needs_bash) == ("read", False), verdict.reason


def test_real_hosts_have_no_problems(readings: dict[str, Reading]) -> None:
    assert {topic: reading.problem for topic, reading in readings.items()} == dict.fromkeys(TOPICS, "")


def test_system(readings: dict[str, Reading], suite: str) -> None:
    [row] = readings["system"].rows
    assert row["os_version"] == {"bookworm": "12", "trixie": "13"}[suite]
    assert str(row["os"]).startswith("Debian GNU/Linux 1")
    assert (row["os_id"], row["architecture"], row["cpus"]) == ("debian", "x86_64", 2)
    assert str(row["kernel"]).startswith("Linux 6.")
    assert GIB < int(str(row["memory_available_bytes"])) < int(str(row["memory_bytes"])) < 100 * GIB
    assert row["swap_bytes"] == 0
    assert row["booted_at"] == "2026-11-27T23:10:04+00:00"
    assert row["timezone"] == "Etc/UTC"


def test_packages(readings: dict[str, Reading], suite: str) -> None:
    rows = readings["packages"].rows
    names = [str(row["name"]) for row in rows]
    assert names == sorted(names)
    assert len(names) > 100
    assert only(readings["packages"], "adduser") == {
        "name": "adduser",
        "version": {"bookworm": "3.134", "trixie": "3.152"}[suite],
        "architecture": "all",
    }


def test_services_that_failed_come_first_then_those_that_run(readings: dict[str, Reading]) -> None:
    rows = readings["services"].rows
    assert rows[0] == {"name": "broken.service", "active": "failed", "state": "failed", "enabled": "static"}
    states = [(row["active"], row.get("state")) for row in rows]
    assert states.index(("active", "exited")) > max(
        index for index, state in enumerate(states) if state == ("active", "running")
    )
    assert only(readings["services"], "ssh.service")["enabled"] == "enabled"
    assert "display-manager.service" not in {row["name"] for row in rows}, "there is no such unit"
    assert only(readings["services"], "cryptdisks.service") == {
        "name": "cryptdisks.service",
        "active": "inactive",
        "enabled": "masked",
    }


def test_disks(readings: dict[str, Reading]) -> None:
    root = only(readings["disks"], "/")
    assert root["kind"] == "filesystem"
    assert 0 < int(str(root["free_bytes"])) < int(str(root["size_bytes"]))
    assert only(readings["disks"], "vda")["size_bytes"] == 274877906944
    assert "/dev/shm" not in {row["name"] for row in readings["disks"].rows}


def test_network(readings: dict[str, Reading]) -> None:
    eth0 = only(readings["network"], "eth0")
    assert (eth0["state"], eth0["mtu"], eth0["gateways"]) == ("up", 1500, ["10.213.0.1"])
    [four, six] = eth0["addresses"] if isinstance(eth0["addresses"], list) else []
    assert str(four).startswith("10.213.0.")
    assert str(six).startswith("fe80::")
    resolver = only(readings["network"], "/etc/resolv.conf")
    assert (resolver["nameservers"], resolver["search"]) == (["192.0.2.53"], ["example.org"])


def test_users_are_people_and_who_can_log_in(readings: dict[str, Reading]) -> None:
    assert [row["name"] for row in readings["users"].rows] == ["root", "admin", "eve"]
    eve = only(readings["users"], "eve")
    assert eve == {
        "name": "eve",
        "uid": 1001,
        "groups": ["eve", "adm", "sudo"],
        "home": "/home/eve",
        "shell": "/bin/bash",
    }
    assert "Secret" not in json.dumps(eve), "what a person wrote of themselves is not needed"


def test_an_account_called_like_a_secret_is_no_secret() -> None:
    text = "vault-token\tx\t1002\t1002\t\t/home/v\t/bin/bash\n"
    masked = read_stream(Stream(text.encode()))
    assert [row["name"] for row in read("users", accounts=masked, groups="").rows] == ["vault-token"]
    assert "getent: not found" in read("users", accounts="sh: 1: getent: not found\n", groups="").problem


def test_listening(readings: dict[str, Reading]) -> None:
    rows = readings["listening"].rows
    assert [(row["name"], row["port"], row["address"], row["process"]) for row in rows[:2]] == [
        ("tcp/22", 22, "0.0.0.0", "sshd"),
        ("tcp/22", 22, "::", "sshd"),
    ]


def test_addresses_of_every_kind_are_read() -> None:
    lines = [
        'tcp   LISTEN 0      4096     127.0.0.53%lo:53         0.0.0.0:*    users:(("systemd-resolve",pid=1,fd=2))',
        'tcp   LISTEN 0      511         *:80     *:*    users:(("nginx",pid=3,fd=5),("nginx",pid=2,fd=5))',
        "udp   UNCONN 0      0              [::1]:323             [::]:*",
    ]
    rows = read("listening", ss="\n".join(lines)).rows
    assert [(row["name"], row["address"], row.get("process")) for row in rows] == [
        ("tcp/53", "127.0.0.53%lo", "systemd-resolve"),
        ("tcp/80", "*", "nginx"),
        ("udp/323", "::1", None),
    ]


def test_rpm_and_apk_are_read_as_documented() -> None:
    rpm = (
        "bash\t(none)\t5.2.26-3.fc40\tx86_64\nopenssl-libs\t1\t3.2.1-2.fc40\tx86_64\ngpg-pubkey\t(none)\ta-b\t(none)\n"
    )
    reading = read("packages", rpm=rpm)
    assert reading.problem == ""
    assert reading.rows == (
        {"name": "bash", "version": "5.2.26-3.fc40", "architecture": "x86_64"},
        {"name": "gpg-pubkey", "version": "a-b"},
        {"name": "openssl-libs", "version": "1:3.2.1-2.fc40", "architecture": "x86_64"},
    )
    apk = read("packages", apk="P:musl\nV:1.2.5-r0\nA:x86_64\nP:zlib\nV:1.3.1-r1\nA:x86_64\n")
    assert [(row["name"], row["version"]) for row in apk.rows] == [("musl", "1.2.5-r0"), ("zlib", "1.3.1-r1")]


def test_what_was_removed_and_left_its_settings_is_not_installed() -> None:
    reading = read("packages", dpkg="rc \tgone\t1\tall\nii \there\t2\tall\nhi \theld\t3\tall\n")
    assert [row["name"] for row in reading.rows] == ["held", "here"]


def test_a_missing_program_is_named_and_the_rest_is_read() -> None:
    reading = read("disks", df="/dev/sda1 ext4 100 50 50 50% /srv/a b\n")
    assert reading.problem == "the host has no 'lsblk'"
    assert [row["name"] for row in reading.rows] == ["/srv/a b"]
    assert "no 'ss'" in read("listening").problem
    assert "no 'systemctl'" in read("services").problem
    assert "no 'apk'" in read("packages").problem


def test_what_fails_or_takes_too_long_says_so_and_claims_nothing() -> None:
    failed = Part(1, "Failed to connect to bus: Host is down\n")
    reading = read("services", units=failed, files="ssh.service enabled enabled\n")
    assert reading.rows == ()
    assert "Host is down" in reading.problem
    assert "did not end in time" in read("disks", df=Part(124, ""), lsblk="").problem
    assert (
        "did not end in time" in read("users", accounts=Part(None, "root\tx\t0\t0\t\t/\t/bin/sh\n"), groups="").problem
    )


def test_a_topic_that_was_cut_off_is_not_there() -> None:
    text = f"noise\n{MARK} users accounts\nroot:x:0:0::/root:/bin/sh\n{MARK} 0\n"
    assert split_answer(text, MARK) == {}
    assert split_answer(f"{text}{MARK} users groups\n", MARK)["users"]["groups"].is_late


@given(st.dictionaries(st.sampled_from(TOPICS), st.text(max_size=300), min_size=1))
@settings(deadline=None)
def test_no_answer_breaks_a_reader(texts: dict[TopicName, str]) -> None:
    for topic, text in texts.items():
        reading = read_topic(topic, dict.fromkeys(_parts_of(topic), Part(0, text)), NOW)
        assert Reading.model_validate_json(reading.model_dump_json()) == reading


HOSTILE = [
    '[{"ifname":1,"mtu":"x","addr_info":[3,{"local":{}}],"address":[]},7]',
    '[{"ifname":"a","addr_info":"text"}]',
    "[" * 5000,
    'NAME="a" SIZE="99999999999999999999999999999999" TYPE="disk"',
    "tcp LISTEN 0 0 x:99999999999999999999999999999999999999999999 *:*",
    "a\tx\t99999999999\t0\t\t/\t/bin/sh",
    f"{'9' * 400}.{'9' * 400} 1",
    f"/dev/sda1 ext4 {'9' * 400} 1 1 1% /",
    "ii \t" + "a" * 10_000 + "\t1\tall",
    "a.service loaded active running \x1b[31mred",
    "NAME='open",
]


@pytest.mark.parametrize("text", HOSTILE, ids=[str(number) for number in range(len(HOSTILE))])
@pytest.mark.parametrize("topic", TOPICS)
def test_hostile_answers_stay_small_and_plain(topic: TopicName, text: str) -> None:
    reading = read_topic(topic, dict.fromkeys(_parts_of(topic), Part(0, text)), NOW)
    assert len(reading.model_dump_json()) < 5_000


def test_rows_are_found_by_a_part_of_the_name_a_glob_a_process_or_a_port() -> None:
    rows: tuple[Row, ...] = (
        {"name": "tcp/80", "port": 80, "process": "nginx"},
        {"name": "tcp/8080", "port": 8080, "process": "Java"},
    )
    reading = Reading(topic="listening", read_at=NOW, rows=rows)
    found = {match: len(find_rows(reading, match)) for match in ("", "80", "tcp/80?*", "NGINX", "j*", "[", "none")}
    assert found == {"": 2, "80": 2, "tcp/80?*": 1, "NGINX": 1, "j*": 1, "[": 0, "none": 0}
    system = Reading(topic="system", read_at=NOW, rows=({"name": "web1"},))
    assert len(find_rows(system, "none")) == 1
