"""The command line: `app` holds the commands, `main` runs them and turns errors into exit codes."""

from intendant.cli.entry import app, main

__all__ = ["app", "main"]
