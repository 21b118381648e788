"""The plan of an intent leaves a host as the command would have left it, and says before what that is."""

from dataclasses import dataclass

import pytest

from integration.conftest import ProjectOf
from integration.test_fidelity import FreshHost
from intendant.app import App
from lab.hosts import LabHost
from support.host_state import compare_states, read_state
from support.projects import APPROVED_BY_POLICY, apply

TELLS = (
    "find /srv -type f -exec sha256sum {} + | sort; systemctl is-enabled cron; systemctl is-active cron; hostname; "
    "cat /etc/hostname; date +%Z"
)


@dataclass(frozen=True)
class Case:
    """A command, the intents of its plan, lines that the plan shows, and what both hosts are prepared with."""

    command: str
    intents: str
    shows: tuple[str, ...]
    prepare: str = "true"


CASES = [
    Case(
        "apt-get update && apt-get install -y --no-install-recommends tree && systemctl disable --now cron",
        "packages service",
        ("+tree ", "-enabled: yes", "-active: yes"),
        "apt-get install -y -q --no-install-recommends cron >/dev/null",
    ),
    Case(
        "systemctl enable --now cron.service; useradd -m -s /bin/bash -c 'For deployments' -G adm,www-data "
        "-u 1500 deploy && useradd -r -s /usr/sbin/nologin -d /srv/app app",
        "service user user",
        ("+enabled: yes", "+user: deploy", "+comment: For deployments", "+user: app"),
    ),
    Case(
        "usermod -aG sys,adm app; gpasswd -a deploy audio", "user user", ("+groups: adm, sys", "+groups: adm, audio, ")
    ),
    Case("usermod -G sys app && chsh -s /bin/sh deploy", "user user", ("+groups: sys", "+shell: /bin/sh")),
    Case(
        "userdel app && mkdir -p /srv/one/two && install -d -m 2750 -o deploy -g adm /srv/three && "
        "echo 'a  \"line\"' > /srv/one/first && echo -n two | sudo tee /srv/one/second >/dev/null",
        "user file file file file",
        ("-user: app", "+mode: 2750", '+a  "line"', "+two"),
    ),
    Case(
        "echo three >> /srv/one/first; echo new >> /etc/own.conf; chmod 600 /srv/one/second; ln -s /srv/one /srv/link; "
        "ln -sfn one/two /srv/other",
        "config_line config_line file file file",
        ("+three", "+new", "+mode: 0600", "+link to one/two"),
    ),
    Case(
        "chown deploy:adm /srv/one/second; rm -f /srv/link /etc/gone; timedatectl set-timezone Europe/Vienna; "
        "sed -i 's/^#\\?PermitRootLogin.*/PermitRootLogin prohibit-password/' /etc/ssh/sshd_config; "
        "sed -i '/^FOO=/d' /etc/own.conf",
        "file file file timezone config_line config_line",
        ("+owner: deploy", "-link to /srv/one", "Europe/Vienna", "+PermitRootLogin prohibit-password", "-FOO=2"),
        "printf 'FOO=1\\nBAR=1\\nFOO=2\\n' >/etc/own.conf",
    ),
    Case(
        "sed -i 's|^BAR=.*|BAR=/x|g' /etc/own.conf && hostnamectl set-hostname web7 && apt-get purge -y tree",
        "config_line hostname packages",
        ("+BAR=/x", "web7", "-tree "),
    ),
]


@pytest.mark.parametrize("suite", ["bookworm", "trixie"])
def test_a_host_ends_up_as_the_command_would_have_left_it(
    suite: str, fresh_host: FreshHost, project_of: ProjectOf
) -> None:
    planned, literal = fresh_host(suite), fresh_host(suite)
    app = project_of({"web1": planned}, settings=APPROVED_BY_POLICY).open()
    for host in (planned, literal):
        host.run("hostname web9; echo web9 > /etc/hostname")
    # Their keys and ids, which nothing makes the same.
    ours = {line.split(": ")[0] for line in compare_states(read_state(planned), read_state(literal))}
    try:
        for case in CASES:
            for host in (planned, literal):
                host.run(case.prepare)
            before = read_state(planned)
            result = app.commander.run_command("web1", case.command, sudo=True)
            shown = show_changes(app, result.plan_id)
            assert result.equivalent, f"{case.command}: {result.next}"
            assert " ".join(step.intent for step in app.store.get_plan(result.plan_id).steps) == case.intents
            assert [line for line in case.shows if line not in shown] == [], f"{case.command}: {shown}"
            assert compare_states(before, read_state(planned)) == [], "the plan has changed something"
            run = apply(app, result.plan_id)
            assert (run.status, run.as_planned) == ("succeeded", True), f"{case.command}: {run}"
            literal.run(case.command)
            assert compare_states(read_whole(literal, ours), read_whole(planned, ours)) == [], case.command
    finally:
        app.connections.close()


def show_changes(app: App, plan_id: str) -> str:
    """Every line that the plan takes away or adds."""
    lines: list[str] = []
    for host in app.store.get_plan(plan_id).hosts:
        for change in host.changes:
            lines += [f"-{line}" for line in (change.before or "").splitlines()]
            lines += [f"+{line}" for line in (change.after or "").splitlines()]
    return "\n".join(lines)


def read_whole(host: LabHost, without: set[str]) -> dict[str, str]:
    """The state but for these names, and what it does not hold of what the commands are about."""
    state = {name: value for name, value in read_state(host).items() if name not in without}
    return {**state, "told": host.run(f"{{ {TELLS}; }} 2>&1").stdout}
