"""The plan of an intent leaves a host as the command would have left it, and says before what that is."""

from dataclasses import dataclass

import pytest

from integration.conftest import ProjectOf
from integration.test_fidelity import FreshHost
from intendant.app import App
from lab.hosts import LabHost
from support.host_state import compare_states, read_state
from support.projects import APPROVED_BY_POLICY, apply

#: what changes with each command; the whole state, which takes time to read, is compared at the end
TELLS = (
    "find /srv ! -type d -exec sha256sum {} + | sort; find /srv -printf '%p %M %u %g %l\\n' | sort; "
    "systemctl is-enabled cron; systemctl is-active cron; hostname; dpkg -s tree; readlink -f /etc/localtime; "
    "cat /etc/hostname /etc/passwd /etc/group /etc/own.conf /etc/ssh/sshd_config"
)


@dataclass(frozen=True)
class Case:
    """A command, the intents of its plan, and lines that the plan shows."""

    command: str
    intents: str
    shows: tuple[str, ...]


#: cases that follow one another on one host, with what the host is prepared with
CASES = {
    "services and users": (
        "apt-get update -q >/dev/null; apt-get install -y -q --no-install-recommends cron >/dev/null",
        [
            Case(
                "apt-get update && apt-get install -y --no-install-recommends tree && systemctl disable --now cron",
                "packages service",
                ("+tree ", "-enabled: yes", "-active: yes"),
            ),
            Case(
                "systemctl enable --now cron.service; useradd -m -s /bin/bash -c 'For deployments' -G adm,www-data "
                "-u 1500 deploy && useradd -r -s /usr/sbin/nologin -d /srv/app app",
                "service user user",
                ("+enabled: yes", "+user: deploy", "+comment: For deployments", "+user: app"),
            ),
            Case(
                "usermod -aG sys,adm app; gpasswd -a deploy audio",
                "user user",
                ("+groups: adm, sys", "+groups: adm, audio, "),
            ),
            Case("usermod -G sys app && chsh -s /bin/sh deploy", "user user", ("+groups: sys", "+shell: /bin/sh")),
        ],
    ),
    "files and the system": (
        "apt-get update -q >/dev/null; apt-get install -y -q --no-install-recommends tree >/dev/null; "
        "useradd -m -u 1500 deploy; useradd -r app; printf 'FOO=1\\nBAR=1\\nFOO=2\\n' >/etc/own.conf",
        [
            Case(
                "mkdir -p /srv/one/two && install -d -m 2750 -o deploy -g adm /srv/three && "
                "echo 'a  \"line\"' > /srv/one/first && echo -n two | sudo tee /srv/one/second >/dev/null",
                "file file file file",
                ("+mode: 2750", '+a  "line"', "+two"),
            ),
            Case(
                "echo three >> /srv/one/first; echo new >> /etc/own.conf; chmod 600 /srv/one/second; "
                "ln -s /srv/one /srv/link; ln -sfn one/two /srv/other",
                "config_line config_line file file file",
                ("+three", "+new", "+mode: 0600", "+link to one/two"),
            ),
            Case(
                "chown deploy:adm /srv/one/second; rm -f /srv/link /etc/gone; timedatectl set-timezone Europe/Vienna; "
                "sed -i 's/^#\\?PermitRootLogin.*/PermitRootLogin prohibit-password/' /etc/ssh/sshd_config; "
                "sed -i '/^FOO=/d' /etc/own.conf",
                "file file file timezone config_line config_line",
                (
                    "+owner: deploy",
                    "-link to /srv/one",
                    "Europe/Vienna",
                    "+PermitRootLogin prohibit-password",
                    "-FOO=2",
                ),
            ),
            Case(
                "sed -i 's|^BAR=.*|BAR=/x|g' /etc/own.conf && hostnamectl set-hostname web7 && "
                "apt-get purge -y tree; userdel app",
                "config_line hostname packages user",
                ("+BAR=/x", "web7", "-tree ", "-user: app"),
            ),
        ],
    ),
}


# Half a minute on a machine that has nothing else to do.
@pytest.mark.timeout(1800)
@pytest.mark.long
@pytest.mark.parametrize("suite", ["bookworm", "trixie"])
@pytest.mark.parametrize("group", CASES)
def test_a_host_ends_up_as_the_command_would_have_left_it(
    group: str, suite: str, fresh_host: FreshHost, project_of: ProjectOf
) -> None:
    prepare, cases = CASES[group]
    planned, literal = fresh_host(suite), fresh_host(suite)
    app = project_of({"web1": planned}, settings=APPROVED_BY_POLICY).open()
    for host in (planned, literal):
        host.run(f"hostname web9; echo web9 > /etc/hostname; {prepare}")
    # Their keys and ids, which nothing makes the same. The zone's link may be spelled in two ways, and that timedatectl
    # leaves /etc/timezone as it was, where it is there (Debian 12), is what the entry says.
    ours = {line.split(": ")[0] for line in compare_states(read_state(planned), read_state(literal))}
    ours |= {"/etc/localtime", "/etc/timezone"}
    try:
        for case in cases:
            result = app.commander.run_command("web1", case.command, sudo=True)
            shown = show_changes(app, result.plan_id)
            assert result.equivalent, f"{case.command}: {result.next}"
            assert " ".join(step.intent for step in app.store.get_plan(result.plan_id).steps) == case.intents
            assert [line for line in case.shows if line not in shown] == [], f"{case.command}: {shown}"
            run = apply(app, result.plan_id)
            assert (run.status, run.as_planned) == ("succeeded", True), f"{case.command}: {run}"
            literal.run(case.command)
            assert tell(planned) == tell(literal), case.command
    finally:
        app.connections.close()
    whole = [{name: told for name, told in read_state(host).items() if name not in ours} for host in (literal, planned)]
    assert compare_states(*whole) == []


def show_changes(app: App, plan_id: str) -> str:
    """Every line that the plan takes away or adds."""
    lines: list[str] = []
    for host in app.store.get_plan(plan_id).hosts:
        for change in host.changes:
            lines += [f"-{line}" for line in (change.before or "").splitlines()]
            lines += [f"+{line}" for line in (change.after or "").splitlines()]
    return "\n".join(lines)


def tell(host: LabHost) -> str:
    return host.run(f"{{ {TELLS}; }} 2>&1", check=False).stdout
