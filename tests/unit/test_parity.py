"""The page that compares us with others names tests that exist, and leaves out no tool of theirs."""

import ast
import re
from pathlib import Path

import pytest

# Their tools as they list them themselves; those of mcp-remote-exec's plugins are named by their prefix.
TOOLS = {
    "ssh-mcp": (
        "list-connections list-sessions open-session close-session read-session-output read-command run-command"
        " privileged-command sftp-upload sftp-download sftp-list sftp-upload-file sftp-download-file signal-process"
    ),
    "mcp-remote-exec": "ssh_exec_command ssh_upload_file ssh_download_file proxmox_* imagekit_*",
    "mcp-ssh-manager": (
        "ssh_alert_setup ssh_alias ssh_backup_create ssh_backup_list ssh_backup_restore ssh_backup_schedule"
        " ssh_command_alias ssh_connection_status ssh_db_dump ssh_db_import ssh_db_list ssh_db_query ssh_deploy"
        " ssh_download ssh_execute ssh_execute_group ssh_execute_sudo ssh_group_manage ssh_health_check ssh_history"
        " ssh_hooks ssh_key_manage ssh_list_servers ssh_monitor ssh_process_manager ssh_profile ssh_service_status"
        " ssh_session_close ssh_session_list ssh_session_send ssh_session_start ssh_sync ssh_tail ssh_tunnel_close"
        " ssh_tunnel_create ssh_tunnel_list ssh_upload"
    ),
}
TO_COME = "*to be filled in: "


@pytest.fixture(scope="module")
def rows(repository: Path) -> list[dict[str, str]]:
    """The tables' rows, by the heading of the column."""
    found, names = [], []
    for line in (repository / "docs/parity.md").read_text().splitlines():
        cells = [cell.strip() for cell in line.strip("|").split("|")]
        if not line.startswith("|") or set(line) <= set("|-"):
            continue
        if cells[0] == "what people do":
            names = cells
        else:
            found.append(dict(zip(names, cells, strict=True)))
    assert len(found) > 30
    return found


def test_each_row_names_a_test_that_exists_or_says_that_it_is_not_offered(
    rows: list[dict[str, str]], repository: Path
) -> None:
    for row in rows:
        shown = row["shown by"]
        if shown.startswith(TO_COME) or (not shown and row["here"].startswith("not offered")):
            continue
        named = re.fullmatch(r"`([\w/]+\.py)::(\w+)`", shown)
        assert named, row
        tree = ast.parse((repository / "tests" / named[1]).read_text())
        tests = {node.name for node in tree.body if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef)}
        assert named[2] in tests, row


@pytest.mark.parametrize("server", TOOLS)
def test_every_tool_of_the_others_is_in_a_row(server: str, rows: list[dict[str, str]]) -> None:
    named = {tool for row in rows for tool in re.findall(r"`([\w*-]+)`", row[server])}
    assert set(TOOLS[server].split()) - named == set()
