"""What the global options say, handed to every command."""

from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import typer

if TYPE_CHECKING:
    from intendant.app import App


@dataclass(frozen=True)
class Session:
    """One call of the command line."""

    project: Path | None

    def open(self) -> "App":
        """The project's parts, wired. Imported late: Ansible and the database cost a second that --help need not pay.

        Raises:
            ProjectError: no project here, or its settings are wrong.
        """
        from intendant.app import open_app

        return open_app(self.project)


def session_of(context: typer.Context) -> Session:
    """The session that the global options made."""
    session: Session = context.obj
    return session
