"""The one way on which something runs on a host without a plan: a command that is known to only read."""

import re
import secrets
from collections.abc import Callable, Iterable, Mapping
from datetime import datetime

from intendant.commands import HostOutput, read_stream
from intendant.config import Config
from intendant.connections import GRACE_SECONDS, Answer, Connections
from intendant.errors import InputError, RefusedError
from intendant.intents import COMMAND
from intendant.inventory import Inventory, InventoryView
from intendant.outputs import Outputs
from intendant.policy import check_request
from intendant.redaction import Redactor
from intendant.remote import Order, build_script, read_outcome
from intendant.runner.hints import explain_failure
from intendant.shell.verdicts import Verdict

_CUT_OFF = (
    "the connection ended before the command did: the host, its sshd or the network went away. "
    "Whether the command came to its end is not known; check the host, then run it again."
)


class HostReader:
    """Runs reads; whatever looks at hosts (commands, logs, facts) comes through here.

    Args:
        classify: tells what a command line does.
    """

    def __init__(
        self,
        config: Config,
        inventory: Inventory,
        connections: Connections,
        outputs: Outputs,
        classify: Callable[[str], Verdict],
        now: Callable[[], datetime],
    ) -> None:
        self._config = config
        self._inventory = inventory
        self._connections = connections
        self._outputs = outputs
        self._now = now
        #: tells what a command line does.
        self.classify = classify
        #: why no wall can stand, by host: found out once.
        self._no_wall: dict[str, str] = {}

    def find_hosts(self, pattern: str) -> InventoryView:
        """The hosts that ``pattern`` matches, if the policy allows commands on all of them.

        Raises:
            InputError: the pattern is wrong, or the inventory is empty.
            PolicyError: the policy allows no commands on one of the hosts, or fewer hosts.
            EngineError: the inventory cannot be read.
        """
        view = self._inventory.read(pattern)
        if not view.hosts:
            raise InputError("hosts: the inventory holds no hosts. Add some to the project's inventory.")
        check_request(self._config.policy, [COMMAND], {name: host.groups for name, host in view.hosts.items()})
        return view

    def read(
        self, hosts: Iterable[str], command: str, verdict: Verdict | None = None, *, sudo: bool, timeout: int
    ) -> dict[str, HostOutput]:
        """Run a command line on hosts that ``find_hosts`` gave, all at once.

        Args:
            verdict: what ``classify`` says of this command, where it was asked already.
            timeout: seconds that the command may take on a host; it is ended there then.

        Raises:
            RefusedError: the command is not known to only read.
            EngineError: Ansible could not be started.
        """
        verdict = verdict or self.classify(command)
        if verdict.kind != "read":
            raise RefusedError(f"Not run: only what is known to read runs without a plan. {verdict.reason}")
        mark = secrets.token_hex(8)
        plain = Order(command, mark, timeout, bash=verdict.needs_bash)
        walled = Order(command, mark, timeout, bash=verdict.needs_bash, wall=True)
        reasons = {host: self._explain_no_wall(host, command, sudo=sudo) for host in hosts}
        orders = {host: plain if why else walled for host, why in reasons.items()}
        found = self._ask(orders, sudo=sudo, timeout=timeout)
        # Behind a wall that did not stand nothing has run: without it then.
        fallen = {host: output.no_wall for host, output in found.items() if output.no_wall}
        self._no_wall |= fallen
        reasons |= fallen
        if fallen:
            found |= self._ask(dict.fromkeys(fallen, plain), sudo=sudo, timeout=timeout)
        return {host: found[host].model_copy(update={"no_wall": why if sudo else ""}) for host, why in reasons.items()}

    def keep(self, outputs: Mapping[str, HostOutput]) -> str:
        """Keep whole outputs for a day; returns the id that they can be asked for with."""
        output_id = f"command-{secrets.token_hex(6)}"
        whole = {host: {"stdout": output.stdout, "stderr": output.stderr} for host, output in outputs.items()}
        self._outputs.keep(output_id, whole, self._now())  # type: ignore[arg-type]  # literal keys
        return output_id

    def _ask(self, orders: Mapping[str, Order], *, sudo: bool, timeout: int) -> dict[str, HostOutput]:
        scripts = {host: build_script(order) for host, order in orders.items()}
        answers = self._connections.run(scripts, become=sudo, seconds=timeout)
        return {host: _read_answer(orders[host], answer) for host, answer in answers.items()}

    def _explain_no_wall(self, host: str, command: str, *, sudo: bool) -> str:
        if not sudo:
            return "without sudo there is none"
        if re.search(r"\b(sudo|su|doas|pkexec)\b", command):
            return "the command gains rights by itself, which no wall allows"
        return self._no_wall.get(host, "")


def _read_answer(order: Order, answer: Answer) -> HostOutput:
    if answer.error == "timeout" and not answer.duration:
        return HostOutput(error="it did not get its turn in time: other commands are running; try again")
    if answer.error == "timeout":
        waited = order.seconds + GRACE_SECONDS
        error = f"no answer within {waited} s; the command was told to end after {order.seconds} s"
        return HostOutput(error=error, duration=answer.duration)
    if answer.error == "unreachable" and order.mark in answer.message:
        # It stood at the start of the output: the script had begun.
        return HostOutput(error=_CUT_OFF, duration=answer.duration)
    if answer.error is not None:
        words = f"Failed to connect to the host via ssh: {answer.message}" if answer.error == "unreachable" else ""
        return HostOutput(error=explain_failure(words or answer.message), duration=answer.duration)
    outcome = read_outcome(order, answer.stdout, answer.stderr)
    if outcome.no_wall:
        return HostOutput(no_wall=Redactor().redact(outcome.no_wall), duration=answer.duration)
    if outcome.problem:
        return HostOutput(error=explain_failure(Redactor().redact(outcome.problem)), duration=answer.duration)
    return HostOutput(
        exit_code=outcome.code,
        stdout=read_stream(outcome.stdout),
        stderr=read_stream(outcome.stderr),
        duration=answer.duration,
        ended="timeout" if outcome.timed_out else "",
        wall=outcome.wall,
    )
