"""export_playbook over the real server: text in pages, what is left out, and that it writes nothing."""

from pathlib import Path
from typing import Any

import pytest
import yaml

from intendant.app import App
from intendant.playsteps import PlaybookLoader, read_play
from mcp_server.harness import Connect, data_of, error_of
from unit.histories import History

pytestmark = pytest.mark.anyio


@pytest.fixture
def history(app: App) -> History:
    return History(app.store)


def list_files(folder: Path) -> list[Path]:
    return sorted(folder.rglob("*"))


async def test_what_a_conversation_did_comes_back_as_a_playbook(
    connect: Connect, app: App, steps: list[dict[str, Any]], project: Path, note: Path
) -> None:
    async with connect() as client:
        planned = data_of(await client.call_tool("plan_changes", {"hosts": "here", "steps": steps}))
        before = list_files(project)
        found = data_of(await client.call_tool("export_playbook", {"plans": [planned["plan_id"]]}))
        assert list_files(project) == before
    [play] = yaml.load(found["playbook"], PlaybookLoader)
    hosts, [step] = read_play(play)
    assert (hosts, step.model_dump()) == ("here", steps[0])
    assert f"# Plan {planned['plan_id']} of " in found["playbook"]
    assert (found["left_out"], found["secrets"], found["next_cursor"]) == ([], [], "")


async def test_a_long_one_comes_in_pages_that_make_up_the_whole(connect: Connect, app: App, history: History) -> None:
    for number in range(30):
        history.apply(
            f"note {number}", ("note", {"note_path": f"/srv/{number}", "note_text": "ü{{ x }}\n" * 99}), hosts=("here",)
        )
    history.apply("boom", ("note", {"note_path": "/srv/x", "note_text": "x"}), hosts=("here",), status="failed")
    whole = app.exporter.export(hosts="here").text
    pages: list[dict[str, Any]] = []
    async with connect() as client:
        while not pages or pages[-1]["next_cursor"]:
            cursor = pages[-1]["next_cursor"] if pages else ""
            pages.append(data_of(await client.call_tool("export_playbook", {"hosts": "here", "cursor": cursor})))
        assert "".join(page["playbook"] for page in pages) == whole
        assert len(pages) > 2
        assert all(len(page["playbook"].encode()) <= 16_000 for page in pages)
        assert [page["left_out"] for page in pages] == [["run-00000000001f (failed) on here: boom"]] + [[]] * (
            len(pages) - 1
        )
        history.apply("more", ("note", {"note_path": "/srv/y", "note_text": "y"}), hosts=("here",))
        for cursor in (pages[0]["next_cursor"], "17", "x", "0.12345678"):
            moved = await client.call_tool("export_playbook", {"hosts": "here", "cursor": cursor})
            assert "cursor: is no next_cursor of this playbook as it is now" in error_of(moved)


async def test_errors_say_what_is_allowed_and_what_to_do(connect: Connect, history: History) -> None:
    history.apply("boom", ("note", {"note_path": "/srv/x", "note_text": "x"}), hosts=("here",), status="failed")
    async with connect() as client:
        for arguments, says in (
            ({}, "Give exactly one of plans (ids), runs (ids) and hosts"),
            ({"plans": ["a"], "hosts": "here"}, "Give exactly one of plans"),
            ({"plans": ["plan-x"]}, "There is no plan 'plan-x'"),
            ({"runs": ["run-000000000001"]}, "run-000000000001 is failed"),
            ({"hosts": "here"}, "Nothing to export"),
            ({"host": "here"}, "'host' is not an argument of export_playbook. Did you mean 'hosts'?"),
        ):
            assert says in error_of(await client.call_tool("export_playbook", arguments))
