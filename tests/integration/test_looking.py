"""Logs and facts of real hosts, Debian 12 and 13, through the application and the command line."""

import json
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import pytest
import yaml

from intendant.app import App
from intendant.cli import main
from intendant.errors import InputError, PolicyError
from intendant.facts.asking import TOPICS
from intendant.gathering import FactQuery, HostFacts
from intendant.logs import LogGroup, LogQuery
from lab.fixtures import unique_name
from lab.hosts import LabHost
from lab.labs import Lab
from support.projects import Project, apply, make_project, plan

UNIT = (
    "[Unit]\\nDescription=Talks\\n[Service]\\n"
    "ExecStart=/bin/sh -c 'echo hello; echo password=hunter2hunter2; exit 1'\\n"
)


#: their hosts are asked for by name, which the marker for hosts does not see
pytestmark = pytest.mark.lab


@pytest.fixture(params=[pytest.param("bookworm", marks=pytest.mark.long), "trixie"])
def host(request: pytest.FixtureRequest) -> LabHost:
    found: LabHost = request.getfixturevalue(f"{request.param}_host")
    found.run(
        "systemctl cat talks >/dev/null 2>&1 || {"
        f' printf "{UNIT}" > /etc/systemd/system/talks.service; systemctl daemon-reload; systemctl start talks; }}'
    )
    return found


@pytest.fixture
def project(host: LabHost, tmp_path: Path) -> Project:
    """A host, and one that nobody is at."""
    variables = host.inventory_vars()
    project = make_project(tmp_path / "project", {})
    write_inventory(project, {"web1": variables, "dead": {**variables, "ansible_port": 2}})
    return project


def write_inventory(project: Project, hosts: Mapping[str, Mapping[str, Any]]) -> None:
    """Plain YAML, which is remembered until it changes."""
    project.write("inventory/hosts.yml", yaml.safe_dump({"all": {"hosts": {n: dict(v) for n, v in hosts.items()}}}))


@pytest.fixture
def app(project: Project) -> Iterator[App]:
    app = project.open()
    yield app
    app.connections.close()


def tail(app: App, hosts: str = "web1", *, sudo: bool = True, **query: object) -> list[LogGroup]:
    return list(app.tailer.tail_log(hosts, LogQuery.model_validate(query), sudo=sudo).groups)


def gather(app: App, *topics: str, **query: object) -> HostFacts:
    [found], total = app.gatherer.gather_facts("web1", FactQuery(topics, **query))  # type: ignore[arg-type]
    assert total == 1
    return found


def test_the_journal_of_a_unit(app: App, host: LabHost) -> None:
    [group] = tail(app, unit="talks", grep="hello|password", since="1h", lines=2)
    first, second = group.text.splitlines()[-2:]
    assert first.endswith(": hello")
    assert second.endswith(": password=(sensitive)")
    assert first.startswith("20")
    assert "+00" in first.split()[0]
    assert [(item.text, item.error) for item in tail(app, unit="talks", grep="no such words")] == [("", "")]
    assert [(item.text, item.error) for item in tail(app, unit="no-such-unit")] == [("", "")]
    assert tail(app, unit="talks", since="yesterday")[0].text
    assert tail(app, unit="talks", since="2030-01-01")[0].text == ""
    [own] = tail(app, unit="talks", sudo=False)
    assert "sudo=true" in own.note + own.error


def test_the_end_of_a_file(app: App, host: LabHost) -> None:
    host.run(
        "seq 2000 > /var/log/numbers; printf 'a\\377b (x)\\n' >> /var/log/numbers; : > /var/log/empty;"
        " rm -f /var/log/pipe; mkfifo /var/log/pipe; install -m 600 /var/log/numbers '/var/log/my own'"
    )
    assert tail(app, path="/var/log/numbers", lines=2)[0].text == "2000\na\\xffb (x)\n"
    assert tail(app, path="/var/log/numbers", grep="^19.[05]$", lines=3)[0].text == "1980\n1985\n1990\n1995\n"[5:]
    assert tail(app, path="/var/log/numbers", grep="b [(]x")[0].text == "a\\xffb (x)\n"
    assert tail(app, path="/var/log/empty")[0] == LogGroup(("web1",))
    # It is not waited for: that would end otherwise, after half a minute.
    assert "no regular file" in tail(app, path="/var/log/pipe")[0].error
    [refused] = tail(app, path="/var/log/my own", sudo=False)
    assert "sudo=true" in refused.error
    assert tail(app, path="/var/log/my own", lines=1)[0].text == "a\\xffb (x)\n"
    assert "No such file" in tail(app, path="/var/log/none")[0].error
    assert "no regular file" in tail(app, path="/var/log")[0].error
    assert "Unmatched" in tail(app, path="/var/log/numbers", grep="(")[0].error


def test_a_host_that_is_gone_does_not_hide_the_others(app: App, host: LabHost) -> None:
    host.run("seq 3000 | sed 's/$/ and some more words to make it long/' > /var/log/long")
    result = app.tailer.tail_log("all", LogQuery(path="/var/log/long", lines=1000))
    by_host = {group.hosts: group for group in result.groups}
    assert "Connection refused" in by_host["dead",].error
    shown = by_host["web1",]
    assert shown.text.endswith("3000 and some more words to make it long\n")
    assert shown.truncated > 0
    whole = app.outputs.read(result.output_id, "web1", "stdout")
    assert whole.startswith("2001 and")
    assert whole.endswith(shown.text)


def test_facts_of_every_topic(app: App, host: LabHost) -> None:
    found = gather(app, *TOPICS, sudo=True)
    assert found.error == ""
    assert [topic.topic for topic in found.topics] == list(TOPICS)
    assert {topic.problem for topic in found.topics} == {""}
    rows = {topic.topic: topic.rows for topic in found.topics}
    assert rows["system"][0]["os_id"] == "debian"
    assert rows["system"][0]["name"] == host.run("uname -n").stdout.strip()
    assert len(rows["packages"]) == int(host.run("dpkg -l | grep -c ^.i").stdout)
    assert rows["services"][0]["name"] == "talks.service"
    assert rows["services"][0]["active"] == "failed"
    assert [row for row in rows["disks"] if row["name"] == "/"]
    assert [row for row in rows["network"] if f"{host.address}/22" in str(row.get("addresses"))]
    assert [row["name"] for row in rows["users"]] == ["root", "admin"]
    assert {(row["port"], row["process"]) for row in rows["listening"]} == {(host.port, "sshd")}


def test_a_second_look_needs_no_connection_and_says_how_old_it_is(app: App, project: Project, host: LabHost) -> None:
    first = gather(app, "system")
    app.connections.close()
    again = project.open()
    found, total = again.gatherer.gather_facts("all", FactQuery())
    assert total == 2
    assert again.connections._process is not None, "the dead host is asked"
    again.connections.close()
    by_name = {item.host: item for item in found}
    assert by_name["web1"].topics[0].rows == first.topics[0].rows
    assert "Connection refused" in by_name["dead"].error
    other = project.open()
    cached = gather(other, "system")
    assert other.connections._process is None
    assert cached.topics[0].age >= 0
    modes = {path.stat().st_mode & 0o777 for path in (project.state / "facts").iterdir()}
    assert modes == {0o600}


def test_old_facts_are_given_with_the_error_where_a_host_has_gone(app: App, project: Project, lab: Lab) -> None:
    going = lab.boot(unique_name("going"), "trixie")
    write_inventory(project, {"web1": {**going.inventory_vars(), "ansible_ssh_timeout": 5}})
    before = gather(app, "system")
    lab.stop(going.name)
    after = gather(app, "system", max_age=0)
    assert after.topics[0].rows == before.topics[0].rows
    assert after.topics[0].age > before.topics[0].age
    assert after.error


def test_a_run_makes_facts_old(app: App, host: LabHost) -> None:
    gather(app, "users", max_age=86_400)
    run = apply(app, plan(app, "web1", ("user", {"user_name": "eve"})).id)
    assert run.status == "succeeded"
    found = gather(app, "users", max_age=86_400, match="eve")
    assert [row["name"] for row in found.topics[0].rows] == ["eve"]
    host.run("userdel -r eve 2>/dev/null", check=False)


def test_a_host_without_a_program_says_so(app: App, host: LabHost) -> None:
    host.run("mv /usr/bin/lsblk /usr/bin/lsblk.away; mv $(command -v ss) /tmp/ss.away")
    try:
        found = gather(app, "disks", "listening", "users", max_age=0)
    finally:
        host.run("mv /usr/bin/lsblk.away /usr/bin/lsblk; mv /tmp/ss.away /usr/bin/ss")
    disks, users, listening = sorted(found.topics, key=lambda topic: ("disks", "users", "listening").index(topic.topic))
    assert disks.problem == "the host has no 'lsblk'"
    assert disks.rows
    assert users.rows
    assert listening.problem == "the host has no 'ss'"


def test_another_machine_under_the_same_name_is_asked_anew(app: App, project: Project, host: LabHost) -> None:
    gather(app, "system")
    write_inventory(project, {"web1": {**host.inventory_vars(), "ansible_port": 2}})
    found = gather(project.open(), "system")
    assert found.topics == ()
    assert "Connection refused" in found.error


def test_wrong_arguments_and_the_policy_are_known_before_a_host_is_asked(app: App, project: Project) -> None:
    with pytest.raises(InputError, match="Did you mean packages"):
        gather(app, "package")
    with pytest.raises(InputError, match="max_age"):
        gather(app, "system", max_age=-1)
    with pytest.raises(InputError, match="give one of them"):
        tail(app)
    project.write("intendant.toml", 'state_dir = "state"\n[policy]\nallowed_intents = ["packages"]\n')
    strict = project.open()
    for look in (lambda: gather(strict, "system"), lambda: tail(strict, unit="ssh")):
        with pytest.raises(PolicyError, match="command"):
            look()
    assert strict.connections._process is None


def test_the_command_line(
    project: Project, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.chdir(project.directory)
    assert main(["logs", "web1", "--unit", "talks", "--grep", "hello", "--sudo", "--lines", "1"]) == 0
    shown = capsys.readouterr().out
    assert shown.startswith("web1: 1 line\n  | 20")
    assert main(["logs", "all", "--path", "/etc/hostname", "--json"]) == 1
    groups = json.loads(capsys.readouterr().out)["groups"]
    assert {"Connection refused" in group.get("error", "") for group in groups} == {True, False}
    assert main(["logs", "web1"]) == 1
    assert "unit, path" in capsys.readouterr().err
    assert main(["facts", "web1", "--topic", "listening", "--topic", "services", "--match", "ss"]) == 0
    shown = capsys.readouterr().out
    assert "web1: listening" in shown
    assert "ssh.service" in shown
    assert main(["facts", "web1", "--json"]) == 0
    [facts] = json.loads(capsys.readouterr().out)["hosts"]
    assert facts["topics"][0]["rows"][0]["os_id"] == "debian"
    assert main(["facts", "dead"]) == 1
    assert "could not be asked" in capsys.readouterr().out
