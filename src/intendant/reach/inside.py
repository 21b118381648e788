"""From what a host said to what is ok, what fails and what mends it: Python, sudo, space, clock. Pure."""

from collections.abc import Iterator, Sequence
from typing import Literal

from intendant.reach import advice
from intendant.reach.advice import Target
from intendant.reach.judging import CHECK_KEYS, judge_silence
from intendant.reach.results import Check, HostAnswer
from intendant.reach.script import Report, Space, read_report
from intendant.runner.hints import explain_failure

_LEAST_KIB = 200 * 1024
_LEAST_PART = 0.05
_MOST_SKEW_SECONDS = 30


def judge_inside(target: Target, report: Report, clock: tuple[float, float], pythons: Sequence[str]) -> Iterator[Check]:
    """The checks of what the script saw.

    Args:
        clock: this machine's time (seconds since the epoch) before and after the login.
        pythons: what was looked for where the settings name no interpreter.
    """
    yield Check("shell", True, report.shell or "/bin/sh")
    yield _judge_python(target, report, pythons)
    if target.settings.sudo_by_script:
        yield _judge_sudo(target, report)
    yield _judge_space(report)
    yield _judge_clock(report, clock)


def judge_by_ansible(
    target: Target,
    answer: HostAnswer,
    failure: str,
    clock: tuple[float, float],
    pythons: Sequence[str],
    *,
    name: Literal["connect", "login"],
) -> Iterator[Check]:
    """The checks of a host that only Ansible can log in to (a password, a connection other than ssh).

    Args:
        failure: why Ansible could not be asked at all; empty when it could.
    """
    way = "a password" if name == "login" else f"connection {target.settings.connection}"
    said = answer.script
    if said is None or said.unreachable:
        message = (said.message if said else failure) or "Ansible gave no answer for this host."
        problem = message.splitlines()[0]
        yield Check(name, False, f"through Ansible, {way}: {message}", problem, _hint(message))
        return
    report = read_report(said.stdout)
    if report is None:
        words = "\n".join(filter(None, [said.stderr, "" if said.rc is not None else said.message]))
        if said.rc is None:
            problem = said.message.splitlines()[0] if said.message else "Ansible gave no answer for this host."
            yield Check(name, False, f"through Ansible, {way}: {said.message}", problem, _hint(said.message))
            return
        yield Check(name, True, f"through Ansible, {way}")
        yield judge_silence(target, said.stdout, words, said.rc)
        return
    yield Check(name, True, f"through Ansible, {way}")
    yield from judge_inside(target, report, clock, pythons)


def judge_become(target: Target, answer: HostAnswer, failure: str) -> Check:
    """Whether Ansible became root, with the password or by the method of the inventory."""
    settings = target.settings
    said = answer.become
    how = f"{settings.become_method}{' with the password of the inventory' if settings.become_secret else ''}"
    if said is not None and said.rc == 0 and not said.unreachable:
        return Check("sudo", True, f"becomes {settings.become_user or 'root'} by {how}")
    words = failure or "Ansible gave no answer for this host."
    if said is not None:
        words = said.message if said.rc is None else (said.stderr.strip() or said.stdout.strip() or said.message)
    last = words.strip().splitlines()[-1] if words.strip() else "it does not say why"
    return Check(
        "sudo", False, f"through Ansible, {how}: {last}", f"Becoming root by {how} fails: {last}", _hint(words)
    )


def refuse_su() -> Check:
    """``su`` without a password."""
    problem = "su asks for root's password, and the inventory has none."
    fix = "Set ansible_become_password in a vaulted variable, or ansible_become_method: sudo."
    return Check("sudo", False, "not tried", problem, fix)


def withhold_password() -> Check:
    """The host's key is not checked, so that root's password would go to whatever answers."""
    problem = "The settings switch host key checking off, so that the password for root would go to whatever answers."
    return Check("sudo", False, "not tried", problem, CHECK_KEYS)


def _hint(message: str) -> str:
    """What people do about such a message of Ansible's."""
    hint = explain_failure(message).removeprefix(message.strip()).strip()
    return hint or "Try it by hand: ansible HOST -m ansible.builtin.raw -a id -vvv"


def _judge_python(target: Target, report: Report, pythons: Sequence[str]) -> Check:
    oldest = target.settings.oldest_python
    wanted = ".".join(map(str, oldest))
    fix = advice.install_python(target, report)
    auto = target.settings.python.startswith("auto")
    if not report.python:
        problem = f"There is no Python on the host; Ansible's modules need {wanted} or newer."
        return Check("python", False, f"looked for {', '.join(pythons)}", problem, fix)
    said = f"{report.python}: {report.python_said}"
    numbers = report.python_said.split(".")
    if report.python_exit != "0" or not all(number.isdigit() for number in numbers):
        if not auto:
            fix = f"Correct ansible_python_interpreter (now {report.python}), or install what it names. {fix}"
        return Check("python", False, said, f"The Python interpreter {report.python} does not run.", fix)
    if tuple(map(int, numbers[:2])) < tuple(oldest):
        problem = f"Python is too old: {report.python_said}; Ansible's modules need {wanted} or newer."
        return Check("python", False, said, problem, fix)
    return Check("python", True, f"{report.python} {report.python_said}")


def _judge_sudo(target: Target, report: Report) -> Check:
    state, said, user = report.sudo_exit, report.sudo_said, report.user
    root = target.settings.become_user or "root"
    if state == "same":
        return Check("sudo", True, f"logged in as {user}: not needed")
    if state == "0":
        return Check("sudo", True, f"{user} may become {root} without a password")
    if state == "missing":
        return Check("sudo", False, "not found", "sudo is not installed.", advice.install_sudo())
    fix = advice.allow_sudo(target, report)
    if "password is required" in said or "terminal is required" in said:
        member = [group for group in report.groups if group in ("sudo", "wheel", "admin") and group != user]
        hint = f" ({user} is in the group {member[0]})" if member else f" (or {user} may not use it at all)"
        return Check("sudo", False, said, f"sudo asks {user} for a password{hint}.", fix)
    if "not allowed" in said or "not in the sudoers" in said or "may not run" in said:
        return Check("sudo", False, said, f"{user} may not become {root}.", fix)
    return Check("sudo", False, said or f"exit code {state}", f"sudo fails: {said or 'it does not say why'}", fix)


def _judge_space(report: Report) -> Check:
    if not report.space:
        return Check("space", True, "the host does not say")
    tight = [space for space in report.space if space.free < _LEAST_KIB or space.free < space.total * _LEAST_PART]
    if not tight:
        return Check("space", True, ", ".join(map(_show_space, report.space)))
    worst = min(tight, key=lambda space: space.free)
    problem = f"There is too little free space: {_show_space(worst)}."
    return Check("space", False, ", ".join(map(_show_space, tight)), problem, advice.free_space(worst))


def _show_space(space: Space) -> str:
    return f"{space.free // 1024} of {space.total // 1024} MB free on {space.place}"


def _judge_clock(report: Report, clock: tuple[float, float]) -> Check:
    if report.now is None:
        return Check("clock", True, "the host does not say")
    before, after = clock
    # Its second began at most one before it said so.
    skew = report.now - after if report.now > after else min(report.now + 1 - before, 0.0)
    where = "ahead of" if skew > 0 else "behind"
    if abs(skew) <= _MOST_SKEW_SECONDS:
        return Check("clock", True, f"{abs(skew):.0f} s off" if abs(skew) >= 1 else "right")
    problem = f"The clock is {abs(skew):.0f} s {where} this machine's."
    return Check("clock", False, f"{abs(skew):.0f} s {where} this machine's", problem, advice.set_clock())
