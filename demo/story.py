"""What the demo does and shows: a real MCP client on `intendant serve`, over stdio."""

import contextlib
import json
import signal
import subprocess
import sys
import tempfile
from pathlib import Path
from types import FrameType
from typing import Any

import anyio
import psutil
from demo.targets import DemoError, Target, open_target
from mcp import Client
from mcp.client.stdio import StdioServerParameters, stdio_client
from mcp_types import CallToolResult, ElicitRequestFormParams, ElicitRequestParams, ElicitResult, TextContent
from rich.console import Console
from rich.panel import Panel
from rich.progress import BarColumn, MofNCompleteColumn, Progress, SpinnerColumn, TextColumn
from rich.syntax import Syntax

from intendant.views.lines import plural
from lab import LabError

COMMAND = str(Path(sys.executable).with_name("intendant"))
_POLICY = """
# Written by the demo: there is no terminal to ask on, so this one disposable host needs no approval.
[policy.groups.demo]
approval = "never"
"""


def main() -> int:
    """The whole demo; its exit status."""
    console = Console(highlight=False, width=None if sys.stdout.isatty() else 110)
    # A handler of our own, so that Ctrl-C also ends a question, and every host is stopped on the way out.
    signal.signal(signal.SIGINT, _stop)
    signal.signal(signal.SIGTERM, _stop)
    signal.signal(signal.SIGHUP, _stop)
    status = 0
    try:
        with tempfile.TemporaryDirectory(prefix="intendant-demo-") as name:
            folder = Path(name)
            try:
                with open_target(folder, lambda text: console.print(f"[dim]{text}[/]")) as target:
                    anyio.run(Story(console, target, folder).tell)
            finally:
                _end_runs(folder)
    except* KeyboardInterrupt:
        console.print("\nStopped; the host is gone.")
        status = 130
    except* (DemoError, LabError, OSError, subprocess.SubprocessError) as group:
        for error in _leaves(group):
            console.print("The demo failed:", style="bold red", end=" ")
            console.print(error, markup=False)
        status = 1
    return status


def _stop(_number: int, _frame: FrameType | None) -> None:
    raise KeyboardInterrupt


def _end_runs(folder: Path) -> None:
    """End what still runs for this demo: a run outlives its server, but its host is gone now."""
    left = [process for process in psutil.process_iter(["cmdline"]) if _is_run_below(process, folder)]
    for process in left:
        with contextlib.suppress(psutil.NoSuchProcess):
            process.kill()
    psutil.wait_procs(left, timeout=10)


def _is_run_below(process: psutil.Process, folder: Path) -> bool:
    return any(word.startswith(str(folder)) for word in process.info["cmdline"] or ())


def _leaves(group: BaseExceptionGroup[BaseException]) -> list[BaseException]:
    found: list[BaseException] = []
    for error in group.exceptions:
        found += _leaves(error) if isinstance(error, BaseExceptionGroup) else [error]
    return found


class Story:
    """One telling, on one target."""

    def __init__(self, console: Console, target: Target, folder: Path) -> None:
        self.console = console
        self.target = target
        self.folder = folder
        self.project = folder / "project"
        self.can_ask = sys.stdin.isatty() and console.is_terminal
        self.said_no = False

    async def tell(self) -> None:
        """From the request to the proof that nothing is left to do. Raises DemoError when it goes otherwise."""
        self.make_project()
        server = StdioServerParameters(
            command=COMMAND,
            args=["--project", str(self.project), "serve"],
            env={"INTENDANT_STATE_DIR": str(self.folder / "state")},
            cwd=self.folder,
        )
        with (self.folder / "server.log").open("w") as log:
            async with Client(
                stdio_client(server, errlog=log),
                elicitation_callback=self.ask_person if self.can_ask else None,
            ) as client:
                await self.talk(client)

    def make_project(self) -> None:
        self.heading("A project", f"intendant init, then one host in its inventory: {self.target.what}")
        done = subprocess.run([COMMAND, "init", str(self.project)], capture_output=True, text=True, check=False)
        if done.returncode != 0:
            raise DemoError(f"intendant init: {done.stderr.strip()}")
        inventory = {"demo": {"hosts": {self.target.name: self.target.variables}, "vars": self.target.role_variables}}
        (self.project / "inventory" / "hosts.yml").write_text(json.dumps(inventory, indent=2) + "\n")
        if self.target.look is not None and not self.can_ask:
            with (self.project / "intendant.toml").open("a") as settings:
                settings.write(_POLICY)
            self.console.print("There is no terminal to ask on: [bold]a policy file approves[/], for this host alone:")
            self.console.print(Syntax(_POLICY.strip(), "toml", background_color="default"))

    async def talk(self, client: Client) -> None:
        request = f"install Python {self.target.python} on {self.target.name}"
        self.heading("The request", f'plan_changes(request="{request}")')
        plan = await self.call(client, "plan_changes", {"request": request})
        if "plan_id" not in plan:
            raise DemoError(f"the request was not understood: {plan['question']}")
        self.show_plan(plan)
        if self.target.look is None:
            self.say_what_is_missing()
        if plan["errored"]:
            raise DemoError(f"no prediction: {plan['groups'][0]['error']}")
        if self.target.look is None:
            return
        if not plan["applyable"]:
            raise DemoError("a fresh host has nothing to change?")
        self.heading("Approval and apply", f'apply_plan(plan_id="{plan["plan_id"]}")')
        try:
            run = await self.call(client, "apply_plan", {"plan_id": plan["plan_id"], "wait_seconds": 45})
        except DemoError as refusal:
            if not self.said_no:
                raise
            self.console.print(f"You said no, and the server answers its client: {refusal}", markup=False)
            return
        while run["status"] in ("queued", "running"):
            run = await self.call(client, "get_run", {"run_id": run["run_id"], "wait_seconds": 45})
        self.show_run(run)
        self.heading("With our own eyes", f"python{self.target.python} --version")
        said = self.target.look(f"python{self.target.python} --version")
        self.console.print(said)
        if not said.startswith(f"Python {self.target.python}"):
            raise DemoError(f"the host says {said!r}")
        self.heading("The same request again", "a host that is as asked has nothing to change")
        again = await self.call(client, "plan_changes", {"request": request})
        self.show_plan(again)
        if again["applyable"] or again["errored"] or not again["complete"]:
            raise DemoError("the second plan is not empty")
        self.console.print("\n[bold green]Done:[/] planned, approved, applied as planned, and nothing left to do.")

    def say_what_is_missing(self) -> None:
        self.console.print("\n[bold]Nothing was changed, and nothing will be:[/] this is your own machine.")
        self.console.print("What is missing for the rest of the demo:")
        for reason in self.target.missing:
            self.console.print(f"  - {reason}", markup=False)

    async def call(self, client: Client, tool: str, arguments: dict[str, Any]) -> dict[str, Any]:
        """Call a tool, with its progress shown as it comes."""
        columns = (SpinnerColumn(), TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn())
        with Progress(*columns, console=self.console, transient=True) as bar:
            task = bar.add_task(tool, total=None)

            async def on_progress(progress: float, total: float | None, message: str | None) -> None:
                bar.update(task, completed=int(progress), total=total, description=message or tool)
                if not self.console.is_terminal:
                    self.console.print(f"  [dim]{int(progress)}{f'/{int(total)}' if total else ''}[/] {message}")

            self._bar = bar
            result = await client.call_tool(tool, arguments, progress_callback=on_progress)
        if result.is_error:
            raise DemoError(f"{tool}: {text_of(result)}")
        return dict(result.structured_content or {})

    async def ask_person(self, context: object, params: ElicitRequestParams) -> ElicitResult:
        """Put the server's question on the terminal, as an MCP client would in a window."""
        del context  # the client's own; nothing in it is needed
        if not isinstance(params, ElicitRequestFormParams):
            return ElicitResult(action="decline")
        self._bar.stop()
        self.console.print(Panel(params.message, title="The server asks", border_style="yellow"), markup=False)
        # Blocking on purpose: while a person thinks, nothing else is to be done, and Ctrl-C ends it.
        answer = self.console.input("[bold]Apply this plan?[/] (yes/no) ").strip().lower()
        self._bar.start()
        self.said_no = answer not in ("y", "yes")
        return ElicitResult(action="accept", content={"approve": not self.said_no, "comment": "in the demo"})

    def show_plan(self, plan: dict[str, Any]) -> None:
        counts = ", ".join(f"{number} to {action}" for action, number in plan["counts"].items())
        self.console.print(f"[bold]{plan['plan_id']}[/]  {counts}  [dim]digest {plan['digest'][:16]}…[/]")
        for group in plan["groups"]:
            self.console.print(f"[bold]{', '.join(group['hosts'])}[/]")
            if not group["changes"] and not group["error"]:
                self.console.print("  nothing to change")
            for change in group["changes"]:
                self.console.print(f"  {change['action']} {change['target']}  ({change['task']})", markup=False)
                if change["diff"]:
                    self.console.print(Syntax(change["diff"], "diff", background_color="default", word_wrap=True))
            for spot in group["blind_spots"]:
                self.console.print(f"  cannot be predicted: {spot['task']}: {spot['reason']}", markup=False)
        self.console.print(f"[dim]next:[/] {plan['next']}")

    def show_run(self, run: dict[str, Any]) -> None:
        for host in run["hosts"]:
            self.console.print(
                f"{host['host']}: {host['status']}, {plural(host['changed'], 'change')} {host['message']}", markup=False
            )
        if run["status"] != "succeeded" or not run["as_planned"]:
            raise DemoError(f"the run {run['status']}: {json.dumps(run['deviations'] or run['hosts'])[:1500]}")
        self.console.print(f"[bold green]{run['status']}, as planned[/]  ({run['run_id']})")

    def heading(self, title: str, what: str) -> None:
        self.console.print()
        self.console.rule(f"[bold]{title}[/]", align="left")
        self.console.print(f"[cyan]{what}[/]")


def text_of(result: CallToolResult) -> str:
    return " ".join(item.text for item in result.content if isinstance(item, TextContent))
