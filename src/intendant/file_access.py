"""Commands of ours on one host, by which its files are looked at, and what goes wrong with them."""

import secrets
from collections.abc import Sequence

from intendant.connections import GRACE_SECONDS, Session
from intendant.errors import HostError, InputError
from intendant.files import clean_name
from intendant.redaction import Redactor
from intendant.remote import Order, Outcome, build_script, read_outcome
from intendant.remote_files import Reply, Status, read_reply
from intendant.runner.hints import explain_failure

_SECONDS = 60
_REFUSED = {
    "folder": "is a folder; list_files lists it",
    "special": "is no regular file but a device, a pipe or a socket, and is not opened",
    "system": "belongs to the kernel (/proc, /sys, /dev), where reading may consume or set off something; "
    "run_command can look at it, as in 'cat /proc/meminfo'",
}


class FileAccess:
    """One host over one session.

    Args:
        sudo: as root, or as the inventory's ``become_user``.
    """

    def __init__(self, session: Session, host: str, *, sudo: bool) -> None:
        self._session = session
        self._sudo = sudo
        self.host = host

    def ask(self, command: str, *, seconds: int = _SECONDS) -> Outcome:
        """Run one of our commands, which may take ``seconds``; what it prints is not masked yet.

        Raises:
            HostError: the host cannot be reached, or did not run it to its end.
        """
        order = Order(command, secrets.token_hex(8), seconds)
        scripts = {self.host: build_script(order)}
        answer = self._session.run(scripts, become=self._sudo, seconds=seconds, raw=True)[self.host]
        if answer.error == "timeout":
            raise HostError(f"{self.host}: no answer within {seconds + GRACE_SECONDS} s.")
        if answer.error is not None:
            words = f"Failed to connect to the host via ssh: {answer.message}" if answer.error == "unreachable" else ""
            raise HostError(f"{self.host}: {explain_failure(words or answer.message)}")
        outcome = read_outcome(order, answer.stdout, answer.stderr)
        if outcome.problem:
            raise HostError(f"{self.host}: {explain_failure(Redactor().redact(outcome.problem))}")
        if outcome.timed_out:
            raise HostError(f"{self.host}: it took longer than {seconds} s and was ended there.")
        return outcome

    def read(self, path: str, command: str, *, seconds: int = _SECONDS) -> tuple[Status, bytes]:
        """What a command that opens a regular file says of it, and what it prints.

        Raises:
            InputError: it is no regular file.
            HostError: it cannot be opened; see ``ask`` too.
        """
        outcome = self.ask(command, seconds=seconds)
        reply = read_reply(outcome.stdout) or Reply("file")
        if reply.kind != "file":
            raise InputError(f"path: {path} {_REFUSED[reply.kind]}.")
        if reply.status is None:
            raise self.explain(path, outcome)
        return reply.status, reply.data

    def mask(self, texts: Sequence[Sequence[str]]) -> list[tuple[str, ...]]:
        """See ``Session.mask``."""
        return self._session.mask(self.host, texts)

    def explain(self, path: str, outcome: Outcome) -> HostError:
        """The error for a path that the host does not show, in its words."""
        words = clean_name(outcome.stderr.data.strip()[:1000])
        [(masked,)] = self.mask([[words]])
        hint = " With sudo it may work." if "denied" in words and not self._sudo else ""
        return HostError(f"{self.host}: {path} cannot be read: {masked or 'the host does not say why'}.{hint}")
