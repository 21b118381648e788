"""The figures for people."""

from collections.abc import Mapping
from typing import Any

from rich.console import Console
from rich.table import Table


def print_table(results: Mapping[str, Any]) -> None:
    """One line for each figure; a ratio is Intendant's time to the other's."""
    table = Table(title=f"Intendant beside others ({results['machine']})")
    for column in ("figure", "Intendant", "beside", "", "ratio"):
        table.add_column(column)
    for name, figure in results.items():
        kind, found, hosts = name.partition("_on_")
        if not found:
            continue
        title = {"plan": "plan_changes", "command": "run_command"}[kind]
        for other, ratio in figure["ratio"].items():
            times = (_format(figure["median"]["intendant"]), other, _format(figure["median"][other]))
            table.add_row(f"{title} on {hosts} host(s), median", *times, f"{ratio:.2f}")
        if kind == "plan":
            ratio = figure["result_bytes"] / figure["ansible_bytes"]
            sizes = (f"{figure['result_bytes']} bytes", "ansible-playbook", f"{figure['ansible_bytes']} bytes")
            table.add_row(f"what the caller reads for {hosts} host(s)", *sizes, f"{ratio:.2f}")
    if start := results.get("start_to_tools_list"):
        for other, ratio in start["ratio"].items():
            times = (_format(start["median"]["intendant"]), other, _format(start["median"][other]))
            table.add_row("server start to first tools/list, median", *times, f"{ratio:.2f}")
    for moment, size in results.get("server_memory_mib", {}).items():
        table.add_row(f"memory of the server {moment.replace('_', ' ')}", f"{size} MiB", "", "", "")
    console = Console()
    console.print(table)
    if missing := results.get("ssh_mcp_missing"):
        console.print(missing)


def _format(seconds: float) -> str:
    return f"{seconds:.2f} s" if seconds >= 1 else f"{seconds * 1000:.0f} ms"
