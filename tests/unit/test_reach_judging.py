"""From what was read to problems and fixes, without hosts."""

import getpass
import shlex
import subprocess
import sys
import time
from dataclasses import replace
from pathlib import Path

import pytest

from intendant.reach.advice import LocalKeys, Target
from intendant.reach.inside import judge_become, judge_by_ansible, judge_inside
from intendant.reach.judging import judge_jump, judge_onward, judge_silence, judge_way, refuse_password
from intendant.reach.reading import read_attempt
from intendant.reach.results import Check, HostAnswer, HostCheck, TaskAnswer, group_checks
from intendant.reach.script import Report, Space, read_report, write_script
from intendant.reach.settings import HostSettings, SshSettings, config_words, read_ssh_settings
from intendant.views.lines import Line
from intendant.views.reaching import build_checks, check_lines

DATA = Path(__file__).parent / "data" / "reach"
KEY = "/home/ann/.ssh/id_ed25519"
SSH = SshSettings("192.0.2.11", 2222, "admin", (), False, True, "", (KEY,), ("/home/ann/.ssh/known_hosts",))
SETTINGS = HostSettings(host="192.0.2.11", port=2222, remote_user="admin")
TARGET = Target(SETTINGS, SSH, "admin@192.0.2.11", 2222)
NO_KEYS = LocalKeys()
KEYS = LocalKeys(((KEY, f"{KEY}.pub"),))
PYTHONS = ("/usr/bin/python3", "python3")
GOOD = Report(
    now=1_000,
    shell="/bin/bash",
    user="admin",
    groups=("admin", "sudo"),
    system=("debian",),
    python="/usr/bin/python3",
    python_exit="0",
    python_said="3.13.5",
    sudo_exit="0",
    sudo_said="",
    space=(Space("/", 4_000_000, 3_000_000),),
    whole=True,
)


def failed(checks: list[Check]) -> Check:
    return next(check for check in checks if not check.ok)


def way(name: str, target: Target = TARGET, keys: LocalKeys = KEYS, known: tuple[str, ...] = ()) -> list[Check]:
    return list(judge_way(target, read_attempt((DATA / f"{name}.txt").read_text()), keys, known))


def inside(report: Report, target: Target = TARGET, clock: tuple[float, float] = (1_000.0, 1_001.0)) -> list[Check]:
    return list(judge_inside(target, report, clock, PYTHONS))


def test_a_good_login_is_one_good_check_for_each_stage() -> None:
    assert [(check.name, check.ok) for check in way("logged_in")] == [
        (name, True) for name in ("name", "connect", "banner", "host_key", "login")
    ]
    assert [(check.name, check.ok) for check in inside(GOOD)] == [
        (name, True) for name in ("shell", "python", "sudo", "space", "clock")
    ]


@pytest.mark.parametrize(
    ("name", "problem"),
    [
        ("unresolved", "does not resolve"),
        ("refused", "refused"),
        ("firewalled", "timed out"),
        ("unreachable", "no way"),
        ("proxy_refused", "ProxyCommand"),
        ("mute", "no SSH server answers"),
        ("http", "does not speak SSH"),
        ("dropped", "closed before SSH"),
        ("full", "MaxStartups"),
        ("turned_away", "PerSourcePenalties"),
        ("no_common_method", "no method of encryption"),
        ("account_expired", "expired"),
        ("too_many_keys", "gave up after 6 keys"),
    ],
)
def test_each_failure_is_said_differently_and_with_a_fix(name: str, problem: str) -> None:
    found = failed(way(name))
    assert problem in found.problem
    assert found.fix


def test_an_unknown_key_is_accepted_by_nobody_but_a_person_who_compares_it() -> None:
    found = failed(way("unknown_key"))
    assert "ED25519 SHA256:" in found.problem
    assert "ssh_host_ed25519_key.pub" in found.fix
    assert "ssh -o StrictHostKeyChecking=ask -p 2222 admin@192.0.2.11 true" in found.fix
    assert "ssh-keyscan" not in found.fix


def test_a_changed_key_shows_both_fingerprints_and_no_command_that_accepts_it() -> None:
    found = failed(way("changed_key", known=("ED25519 SHA256:old",)))
    assert "CHANGED" in found.problem
    assert "ED25519 SHA256:old" in found.problem
    assert read_attempt((DATA / "changed_key.txt").read_text()).host_key in found.problem
    assert "ask" not in shlex.split(found.fix.replace("'", ""))
    assert "ssh-keygen -f /home/ann/.ssh/changed -R 192.0.2.11" in found.fix


def test_the_key_that_was_refused_is_the_one_to_install() -> None:
    keys = LocalKeys((("/home/ann/.ssh/stranger", "/home/ann/.ssh/stranger.pub"), (KEY, f"{KEY}.pub")))
    found = failed(way("wrong_key", keys=keys))
    assert found.fix == "ssh-copy-id -i /home/ann/.ssh/stranger.pub -p 2222 admin@192.0.2.11"
    assert "/home/ann/.ssh/stranger (ED25519 SHA256:" in found.problem
    assert "publickey, password" in found.problem


def test_where_no_key_is_it_says_how_to_make_one() -> None:
    found = failed(way("no_key", keys=NO_KEYS))
    assert "ssh-keygen -t ed25519 -f ~/.ssh/id_ed25519, then: ssh-copy-id -i ~/.ssh/id_ed25519.pub" in found.fix


def test_a_key_of_the_inventory_that_does_not_exist_is_named() -> None:
    settings = SETTINGS.model_copy(update={"private_key_file": "/keys/web"})
    found = failed(way("no_key", target=replace(TARGET, settings=settings), keys=KEYS))
    assert "key /keys/web does not exist" in found.fix


def test_a_public_half_that_is_missing_is_made_from_the_private_one() -> None:
    found = failed(way("wrong_key", keys=LocalKeys((("/home/ann/.ssh/stranger", ""),))))
    assert found.fix.startswith(
        "ssh-keygen -y -f /home/ann/.ssh/stranger > /home/ann/.ssh/stranger.pub, then: ssh-copy-id"
    )


def test_a_host_that_takes_no_password_gets_its_key_another_way() -> None:
    reading = replace(read_attempt((DATA / "wrong_key.txt").read_text()), methods=("publickey",))
    found = failed(list(judge_way(TARGET, reading, KEYS, ())))
    assert "ssh-copy-id" not in found.fix
    assert "~admin/.ssh/authorized_keys" in found.fix


def test_a_key_with_a_passphrase_belongs_into_the_agent_and_one_that_others_read_is_closed() -> None:
    assert "ssh-add /home/ann/.ssh/locked" in failed(way("key_with_passphrase")).fix
    keys = LocalKeys((("/home/ann/.ssh/open", ""),))
    assert failed(way("key_that_others_can_read", keys=keys)).fix.endswith("chmod 600 /home/ann/.ssh/open")


def test_arguments_of_the_inventory_are_in_the_commands_and_their_secrets_are_not() -> None:
    proxy = "sshpass -p hunter2 ssh -W %h:%p bastion"
    common = f"-J bastion -o 'ProxyCommand={proxy}' -o StrictHostKeyChecking=yes"
    target = replace(TARGET, settings=SETTINGS.model_copy(update={"ssh_common_args": common}))
    for found in (failed(way("unknown_key", target=target)), failed(way("wrong_key", target=target))):
        assert "hunter2" not in found.fix
        assert "bastion" in found.fix
    assert "-o ProxyJump=bastion" in failed(way("wrong_key", target=target)).fix
    assert "StrictHostKeyChecking=yes" not in failed(way("unknown_key", target=target)).fix


def test_a_jump_host_that_fails_is_named() -> None:
    jump = Target(SETTINGS, SSH, "ann@bastion", None, is_jump=True, jumps_before=("outer",))
    found = judge_jump(jump, read_attempt((DATA / "wrong_key.txt").read_text()), KEYS, ())
    assert found.problem.startswith("Jump host ann@bastion: ")
    assert "ssh-copy-id" in found.fix
    assert "ProxyJump=outer" in found.fix
    assert judge_jump(jump, read_attempt((DATA / "jump_refused.txt").read_text()), KEYS, ()).ok
    beyond = judge_onward("connect", "refused", "Connection refused", "ann@bastion")
    assert beyond.problem.startswith("From jump host ann@bastion: The connection is refused")
    assert "AllowTcpForwarding" in judge_onward("connect", "other", "administratively prohibited", "bastion").fix
    inner = judge_onward("connect", "refused", "Connection refused", "outer", "inner")
    assert (inner.name, inner.problem[:40]) == ("jump", "Jump host inner: From jump host outer: T")


def test_a_host_whose_key_is_not_checked_gets_no_password() -> None:
    unchecked = replace(TARGET, ssh=replace(SSH, checks_keys=False))
    [*_, last] = refuse_password(way("only_key", target=unchecked))
    assert (last.name, last.ok) == ("host_key", False)
    assert [check.name for check in refuse_password(way("refused"))] == ["name", "connect"]


@pytest.mark.parametrize(
    ("stdout", "said", "exit_code", "problem"),
    [
        ("This account is currently not available.\n", "", 1, "nologin"),
        ("", "", 1, "/bin/false"),
        ("", "Password change required but no TTY available.", 1, "expired"),
        ("welcome to the menu\n", "", 0, "restricted shell or a forced command"),
        ("", "", None, "no answer came in time"),
    ],
)
def test_a_login_shell_that_runs_nothing_is_said_so(
    stdout: str, said: str, exit_code: int | None, problem: str
) -> None:
    found = judge_silence(TARGET, stdout, said, exit_code)
    assert problem in found.problem
    assert not found.ok


@pytest.mark.parametrize(
    ("values", "name", "problem", "fix"),
    [
        ({"python": ""}, "python", "no Python", "sudo apt-get install -y python3"),
        ({"python": "", "system": ("rocky", "rhel")}, "python", "no Python", "dnf install -y python3"),
        ({"python": "", "system": ("plan9",)}, "python", "no Python", "package manager"),
        ({"python_said": "3.6.8"}, "python", "too old: 3.6.8", "apt-get"),
        ({"python_exit": "1", "python_said": "no module named encodings"}, "python", "does not run", "apt-get"),
        ({"sudo_exit": "missing"}, "sudo", "not installed", "apt-get install sudo"),
        ({"sudo_exit": "1", "sudo_said": "sudo: a password is required"}, "sudo", "in the group sudo", "NOPASSWD"),
        ({"sudo_exit": "1", "sudo_said": "x is not allowed to execute"}, "sudo", "may not become root", "NOPASSWD"),
        ({"space": (Space("/", 4_000_000, 100_000),)}, "space", "97 of 3906 MB free on /", "du -xh /"),
        ({"space": (Space("/", 9_000_000, 400_000),)}, "space", "free on /", "du -xh /"),
        ({"now": 1_100}, "clock", "99 s ahead of", "time_sync"),
        ({"now": 900}, "clock", "99 s behind", "time_sync"),
    ],
)
def test_what_is_wrong_inside_is_named_with_its_fix(
    values: dict[str, object], name: str, problem: str, fix: str
) -> None:
    found = failed(inside(replace(GOOD, **values)))  # type: ignore[arg-type]  # each value fits its field
    assert found.name == name
    assert problem in found.problem
    assert fix in found.fix


def test_a_clock_within_half_a_minute_is_right_and_root_needs_no_sudo() -> None:
    assert not [check for check in inside(replace(GOOD, now=1_025)) if not check.ok]
    assert not [check for check in inside(replace(GOOD, sudo_exit="same")) if not check.ok]


def test_hosts_that_ansible_asked_are_judged_by_the_same_script() -> None:
    target = replace(TARGET, settings=SETTINGS.model_copy(update={"connection": "docker"}))
    printed = "hello\nintendant-reach-begin\nnow=1000\nshell=/bin/sh\npython=\nintendant-reach-end\n"
    answer = HostAnswer(script=TaskAnswer(rc=0, stdout=printed))
    found = list(judge_by_ansible(target, answer, "", (1_000, 1_001), PYTHONS, name="connect"))
    assert found[0] == Check("connect", True, "through Ansible, connection docker")
    assert failed(found).name == "python"
    lost = HostAnswer(script=TaskAnswer(message="Invalid/incorrect password: Permission denied (x)", unreachable=True))
    [check] = judge_by_ansible(target, lost, "", (0, 1), PYTHONS, name="login")
    assert check.name == "login"
    assert "Check ansible_user" in check.fix
    [check] = judge_by_ansible(target, HostAnswer(), "Ansible did not answer within 90 s.", (0, 1), (), name="login")
    assert "90 s" in check.problem
    assert judge_become(target, HostAnswer(become=TaskAnswer(rc=0, stdout="0\n")), "").ok
    assert (
        "Incorrect"
        in judge_become(target, HostAnswer(become=TaskAnswer(message="Incorrect sudo password")), "").problem
    )


def test_what_the_host_prints_is_read_whatever_the_login_shell_says_before() -> None:
    printed = (
        "motd=1\r\nintendant-reach-begin\r\nnow=12\r\nid=uid=1000(ann) gid=100(users) groups=100(users),27(sudo)\r\n"
        'system=ID=rocky\nsystem=ID_LIKE="rhel fedora"\n'
        "Filesystem 1024-blocks Used Available Capacity Mounted on\n"
        "/dev/mapper/a b 1000 400 600 40% /\ntmpfs 16 16 0 100% /tmp\n"
    )
    report = read_report(printed)
    assert report is not None
    assert (report.now, report.user, report.groups) == (12, "ann", ("users", "sudo"))
    assert report.system == ("rocky", "rhel", "fedora")
    assert report.space == (Space("/", 1000, 600), Space("/tmp", 16, 0))
    assert not report.whole
    assert read_report("This account is currently not available.\n") is None


def run_script(settings: HostSettings, folder: Path) -> Report:
    script = write_script(settings, ("no-such-python", sys.executable))
    done = subprocess.run(["/bin/sh", "-s"], input=script, cwd=folder, capture_output=True, text=True, check=True)
    report = read_report(done.stdout)
    assert report is not None
    return report


def test_the_script_says_of_this_machine_what_is_so(tmp_path: Path) -> None:
    report = run_script(HostSettings(become=False, remote_tmp=str(tmp_path)), tmp_path)
    assert report.whole
    assert report.now is not None
    assert abs(report.now - time.time()) < 10
    assert report.user == getpass.getuser()
    assert (report.python, report.python_exit) == (sys.executable, "0")
    assert report.python_said == ".".join(map(str, sys.version_info[:3]))
    assert "/" in [space.place for space in report.space]
    assert run_script(HostSettings(become_exe="no-such-sudo"), tmp_path).sudo_exit in ("missing", "same")
    assert list(tmp_path.iterdir()) == []


def test_names_of_the_inventory_are_data_for_the_script(tmp_path: Path) -> None:
    for evil in ("a;touch evil", "$(touch evil)", "`touch evil`", "' ; touch evil ; '", "@USER@'; touch evil; '@EXE@"):
        settings = HostSettings(
            become_user=evil,
            become_exe=evil,
            become_flags=shlex.quote(evil),
            python=shlex.quote(evil),
            remote_tmp=f"/{evil}",
        )
        assert run_script(settings, tmp_path).whole
    assert list(tmp_path.iterdir()) == []


def test_what_a_host_says_of_itself_gets_into_no_command() -> None:
    evil = "x' ; touch evil ; '"
    printed = (
        f"intendant-reach-begin\nid=uid=1({evil}) gid=1(x) groups=1({evil})\npython=$(touch evil)\n"
        f"sudo_exit=1\nsudo_said=a password is required; touch evil\n"
        f"d 10 5 5 50% /$(touch evil)\nintendant-reach-end\n"
    )
    report = read_report(printed)
    assert report is not None
    for check in inside(report):
        words = shlex.split(check.fix.replace("'s ", " "))
        assert "evil" not in " ".join(word for word in words if not word.startswith("/"))
        assert "touch" not in words


def test_settings_of_openssh_are_read_as_it_prints_them() -> None:
    printed = (
        "user ann\nhostname 192.0.2.7\nport 2200\nproxyjump ann@a:22,b\nproxycommand none\n"
        "stricthostkeychecking false\nidentityfile /k/one\nidentityfile /k/two\n"
        "userknownhostsfile /k/known /k/known2\nkexalgorithms x,y\n"
    )
    found = read_ssh_settings(printed)
    assert (found.login, found.endpoint, found.jumps) == ("ann@192.0.2.7", "[192.0.2.7]:2200", ("ann@a:22", "b"))
    assert not found.checks_keys
    assert not found.has_proxy_command
    assert found.identity_files == ("/k/one", "/k/two")
    assert found.known_hosts == ("/k/known", "/k/known2")
    assert config_words(["-o", "A=b", "-F", "x"]) == ["-F", "x"]
    assert config_words(["-Fx"]) == ["-F", "x"]


def host(name: str, *checks: Check) -> HostCheck:
    return HostCheck(name, checks or (Check("python", True, "python3 3.13"),), 0.1)


def test_people_see_equal_outcomes_once_and_problems_first() -> None:
    bad = Check("connect", False, "192.0.2.1: refused", "The connection is refused.", "Start sshd.")
    groups = group_checks([host("web1"), host("web2"), host("db1", bad), host("db2", bad)])
    assert [line.text for line in check_lines(groups)] == [
        "fail  db1, db2: connect: The connection is refused.",
        "      → Start sshd.",
        "ok    web1, web2: python3 3.13",
        "2 of 4 hosts reachable; the slowest took 0.1 s",
    ]
    assert check_lines([])[-1] == Line("0 of 0 hosts reachable; the slowest took 0.0 s", "heading")


def test_a_result_of_very_many_hosts_stays_small_and_keeps_every_problem() -> None:
    bad = Check("login", False, "x" * 2_000, "The host does not let ann in.", "y" * 5_000)
    many = [host(f"web{number}", *[Check("python", True, "z" * 200)] * 10) for number in range(40)]
    result = build_checks([*many, host("db1", bad)], total=60, start=0)
    assert (result.ok, result.reachable, result.total, result.next_cursor) == (False, 40, 60, "41")
    assert len(result.model_dump_json(exclude_unset=True)) < 20_000
    assert result.hosts[0].host == "db1"
    assert result.hosts[0].problem == "The host does not let ann in."
    assert {view.host for view in result.hosts} == {"db1", *(f"web{number}" for number in range(40))}
