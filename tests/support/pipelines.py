"""Does what a pipeline's runner does with docs/ci: runs the scripts of its jobs, each in a checkout of its own.

What a runner brings along is played: checking out, installing, logging in, artefacts, and the program that comments.
"""

import json
import os
import re
import shutil
import subprocess
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import yaml

#: what the runner does before our commands: names of steps and beginnings of lines that are not run here.
GITHUB_SETUP = {"Install", "Log in"}
_EXPRESSION = re.compile(r"\$\{\{ *(.*?) *\}\}")
#: stands in for gh and curl: keeps what it is called with, and the comment.
_RECORDER = """#!/bin/sh
echo "$0 $*" >> "$RECORD/calls"
cp plans/comment.md "$RECORD/comment.md"
"""


@dataclass(frozen=True)
class Runner:
    """Where one job runs, and as whom."""

    checkout: Path
    environment: Mapping[str, str]
    user: int | None = None

    def run(self, script: str, extra: Mapping[str, str]) -> int:
        """A script as a runner runs it (GitHub's default shell is ``bash -e``); what it prints is shown on failure."""
        done = subprocess.run(
            ["bash", "-e", "-c", script],
            cwd=self.checkout,
            env={**self.environment, **extra},
            user=self.user,
            group=self.user,
            extra_groups=None if self.user is None else [],
            capture_output=True,
            text=True,
            check=False,
        )
        print(done.stdout, done.stderr)
        return done.returncode


@dataclass
class Pipeline:
    """One of the files under docs/ci, with what its jobs leave for each other."""

    file: Path
    folder: Path
    values: Mapping[str, str]
    outputs: dict[str, str] = field(default_factory=dict)

    @property
    def record(self) -> Path:
        return self.folder / "record"

    @property
    def artefact(self) -> Path:
        return self.folder / "artefact"

    def run_github_job(self, name: str, runner: Runner) -> int:
        """The first exit code that is not 0, as the job's; the steps after it that run all the same are run."""
        code = 0
        for step in self._read()["jobs"][name]["steps"]:
            if step.get("name") in GITHUB_SETUP or (code and "cancelled()" not in step.get("if", "")):
                continue
            if "run" not in step:
                self._play(step, runner)
                continue
            output = self.folder / "output"
            output.write_text("")
            output.chmod(0o666)
            extra = {key: self._resolve(value) for key, value in step.get("env", {}).items()}
            code = runner.run(step["run"], {**extra, "GITHUB_OUTPUT": str(output), **self._bring(runner)}) or code
            lines = [line.partition("=") for line in output.read_text().splitlines()]
            self.outputs.update({key: value for key, _, value in lines})
        return code

    def run_gitlab_job(self, name: str, runner: Runner, extra: Mapping[str, str]) -> int:
        """All lines of the job's script run in one shell."""
        job = self._read()[name]
        if self.artefact.is_dir():
            shutil.copytree(self.artefact, runner.checkout / "plans")
        code = runner.run("\n".join(job["script"]), {**extra, **self._bring(runner)})
        if "artifacts" in job:
            shutil.copytree(runner.checkout / "plans", self.artefact)
        return code

    def _read(self) -> dict[str, Any]:
        document: dict[str, Any] = yaml.safe_load(self.file.read_text(encoding="utf-8"))
        return document

    def _play(self, step: Mapping[str, Any], runner: Runner) -> None:
        uses, given = step["uses"].partition("@")[0], step.get("with", {})
        if uses == "actions/upload-artifact":
            shutil.copytree(runner.checkout / given["path"], self.artefact)
        elif uses == "actions/download-artifact":
            shutil.copytree(self.artefact, runner.checkout / given["path"])
        elif uses == "actions/checkout" and "path" in given:
            shutil.copytree(self.folder / "base", runner.checkout / given["path"])
        else:
            assert uses in ("actions/checkout", "actions/setup-python")

    def _resolve(self, text: str) -> str:
        return _EXPRESSION.sub(lambda found: self.values[found[1]], text)

    def _bring(self, runner: Runner) -> dict[str, str]:
        """The programs gh and curl, which keep what they are called with."""
        programs = self.folder / "programs"
        if not programs.is_dir():
            programs.mkdir()
            self.record.mkdir(mode=0o777)
            for name in ("gh", "curl"):
                (programs / name).write_text(_RECORDER)
                (programs / name).chmod(0o755)
        return {"RECORD": str(self.record), "PATH": f"{programs}{os.pathsep}{runner.environment['PATH']}"}


def read_sarif(path: Path) -> list[str]:
    """The rules that a report's findings are of."""
    return [found["ruleId"] for found in json.loads(path.read_text())["runs"][0]["results"]]
