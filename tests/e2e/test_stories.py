"""What people say to a model about their servers, and how it goes: each test is one conversation, on a real host."""

from pathlib import Path

import pytest

from e2e.conversing import converse, diffs_of
from lab.hosts import LabHost
from mcp_server.harness import MODES
from support.projects import Project, make_project

pytestmark = [pytest.mark.anyio, pytest.mark.long]


@pytest.fixture(params=MODES)
def mode(request: pytest.FixtureRequest) -> str:
    """The protocol era of the client."""
    return str(request.param)


@pytest.fixture
def project(tmp_path: Path, trixie_host: LabHost) -> Project:
    """One host, and a person who approves everything."""
    hosts = {"web1": {**trixie_host.inventory_vars(), "ansible_become": True}}
    return make_project(tmp_path / "project", hosts, settings="", groups={"web": ["web1"]})


async def test_can_you_reach_web1_and_why_is_nginx_failing(project: Project, trixie_host: LabHost, mode: str) -> None:
    trixie_host.run("apt-get install -qy nginx-light >/dev/null", timeout=300)
    trixie_host.run("echo 'server { listen 8080 nonsense; }' > /etc/nginx/conf.d/shop.conf; systemctl stop nginx")
    trixie_host.run("systemctl start nginx", check=False)
    async with converse(project.directory, mode) as talk:
        # "Can you reach web1?"
        checked = await talk.call("check_hosts", pattern="web1")
        assert (checked["ok"], checked["reachable"]) == (True, 1)

        # "Why is nginx failing?"
        failed = await talk.call("host_facts", hosts="web1", topics=["services"], match="nginx*", max_age=0)
        [topic] = failed["hosts"][0]["topics"]
        assert [row["state"] for row in topic["rows"] if row["name"].startswith("nginx")] == ["failed"], topic
        log = await talk.call("tail_log", hosts="web1", unit="nginx", lines=20, sudo=True)
        assert 'invalid parameter "nonsense" in /etc/nginx/conf.d/shop.conf:1' in log["groups"][0]["text"]
        file = await talk.call("read_file", host="web1", path="/etc/nginx/conf.d/shop.conf")
        assert file["content"] == "server { listen 8080 nonsense; }\n"

        # "Mend it."
        plan = await talk.plan(
            "web1",
            ("file", {"file_path": "/etc/nginx/conf.d/shop.conf", "file_content": "server { listen 8080; }\n"}),
            ("service", {"service_name": "nginx", "service_state": "started"}),
        )
        assert "-server { listen 8080 nonsense; }\n+server { listen 8080; }" in diffs_of(plan)
        run = await talk.apply(plan)
        assert (run["status"], run["as_planned"]) == ("succeeded", True), run
        assert "nonsense" in talk.person.asked[0]
        assert await talk.look("web1", "systemctl is-active nginx") == "active\n"
    trixie_host.run("apt-get purge -qy 'nginx*' >/dev/null; rm -rf /etc/nginx", timeout=120)


async def test_no_not_that_one_and_then_yes(project: Project, trixie_host: LabHost, mode: str) -> None:
    async with converse(project.directory, mode) as talk:
        # "Install tree on the web servers." The person sees the plan and does not want it.
        plan = await talk.call("plan_changes", request="install tree on the web servers")
        assert plan["counts"] == {"create": 1, "update": 0, "delete": 0, "run": 0}
        talk.person.answers = False
        refused = await talk.fail("apply_plan", plan_id=plan["plan_id"])
        assert "approve = no" in refused
        assert "No host was touched" in refused
        assert trixie_host.run("which tree", check=False).returncode == 1

        # "All right, do it."
        talk.person.answers = True
        run = await talk.apply(plan)
        assert (run["status"], run["as_planned"]) == ("succeeded", True), run

        # The same request once more finds nothing to do.
        assert await talk.look("web1", "which tree") == "/usr/bin/tree\n"
        again = await talk.call("plan_changes", request="install tree on the web servers")
        assert (again["applyable"], again["complete"]) == (False, True)
    trixie_host.run("apt-get purge -qy tree >/dev/null", timeout=120)


async def test_what_fills_the_disk(project: Project, trixie_host: LabHost, mode: str) -> None:
    trixie_host.run("mkdir -p /srv/app && yes 'GET /health 200' | head -c 30000000 > /srv/app/access.log")
    async with converse(project.directory, mode) as talk:
        # "What fills the disk of web1?"
        largest = await talk.look("web1", "du -ab /srv | sort -n | tail -3")
        assert "30000000\t/srv/app/access.log" in largest
        listed = await talk.call("list_files", host="web1", path="/srv/app")
        assert [(entry["name"], entry["size"]) for entry in listed["entries"]] == [("access.log", 30_000_000)]
        page = await talk.call("read_file", host="web1", path="/srv/app/access.log", limit=1000)
        assert page["content"].startswith("GET /health 200\n")
        assert page["next_offset"] > 0

        # "Keep a copy here, and delete it there." The command that destroys is refused, the plan asks.
        saved = await talk.call("download_file", host="web1", path="/srv/app/access.log")
        assert (project.directory / saved["saved"]).stat().st_size == 30_000_000
        refused = await talk.call("run_command", hosts="web1", command="rm -rf /srv/app", sudo=True)
        assert (refused["executed"], refused["class"], refused["plan_id"]) == (False, "destructive", None)
        plan = await talk.plan("web1", ("file", {"file_path": "/srv/app/access.log", "file_state": "absent"}))
        assert plan["counts"]["delete"] == 1
        assert (await talk.apply(plan))["as_planned"] is True
        assert "DESTRUCTIVE" in talk.person.asked[0]
    assert trixie_host.run("ls /srv/app").stdout == ""


async def test_the_commands_of_a_tutorial_become_plans(project: Project, trixie_host: LabHost, mode: str) -> None:
    async with converse(project.directory, mode) as talk:
        # Words of a tutorial: the lists of packages are read, then one is installed.
        told = await talk.call(
            "run_command", hosts="web1", command="sudo apt-get update && sudo apt-get install -y hello", sudo=True
        )
        assert (told["executed"], told["class"]) == (False, "change")
        assert "packages" in told["equivalent"]
        plan = await talk.call("get_plan", plan_id=told["plan_id"])
        assert "+hello" in diffs_of(plan)
        run = await talk.apply(plan)
        assert (run["status"], run["as_planned"]) == ("succeeded", True), run

        # "And then: hello | md5sum" runs a program that nobody knows: it is a plan of the command itself.
        unknown = await talk.call("run_command", hosts="web1", command="hello | md5sum")
        assert (unknown["executed"], unknown["class"], unknown["equivalent"]) == (False, "unknown", None)
        plan = await talk.call("get_plan", plan_id=unknown["plan_id"])
        assert plan["complete"] is False
    assert trixie_host.run("hello").stdout == "Hello, world!\n"
    trixie_host.run("apt-get purge -qy hello >/dev/null", timeout=120)


async def test_my_own_file_and_somebody_who_edits_it_meanwhile(
    project: Project, trixie_host: LabHost, mode: str
) -> None:
    # The person's own rule: look again before each apply, however young the plan is.
    project.write("intendant.toml", 'state_dir = "state"\nrecheck_after_seconds = 0\n')
    project.write("files/app.conf", "workers = 2\n")
    upload = ("file", {"file_path": "/etc/app.conf", "file_source": "app.conf", "file_mode": "0644"})
    async with converse(project.directory, mode) as talk:
        # "Put my app.conf on web1."
        assert (await talk.apply(await talk.plan("web1", upload)))["as_planned"] is True
        assert (await talk.call("read_file", host="web1", path="/etc/app.conf"))["content"] == "workers = 2\n"

        # "Now with four workers." Somebody edits the file on the host before the person has said yes.
        project.write("files/app.conf", "workers = 4\n")
        plan = await talk.plan("web1", upload)
        shown = diffs_of(plan).splitlines()
        assert {"-workers = 2", "+backup: /etc/app.conf.NUMBER.DATE@TIME~", "+workers = 4"} < set(shown)
        trixie_host.run("echo 'workers = 3  # by hand' > /etc/app.conf")
        run = await talk.apply(plan)
        assert run["as_planned"] is not True
        assert trixie_host.run("cat /etc/app.conf").stdout == "workers = 3  # by hand\n"

        # "Show me again, then do it." What was there is kept.
        plan = await talk.plan("web1", upload)
        assert {"-workers = 3  # by hand", "+workers = 4"} < set(diffs_of(plan).splitlines())
        assert (await talk.apply(plan))["as_planned"] is True
    assert trixie_host.run("cat /etc/app.conf").stdout == "workers = 4\n"
    assert "by hand" in trixie_host.run("cat /etc/app.conf.*").stdout
    trixie_host.run("rm /etc/app.conf*")


async def test_a_new_server_joins_and_is_like_the_others(
    project: Project, trixie_host: LabHost, bookworm_host: LabHost, mode: str
) -> None:
    fingerprint = bookworm_host.run("ssh-keygen -lf /etc/ssh/ssh_host_ed25519_key.pub").stdout.split()[1]
    project.write(
        "ansible.cfg",
        "[defaults]\ninventory = inventory\ntimeout = 60\n[ssh_connection]\n"
        'ssh_extra_args = -o StrictHostKeyChecking=yes -o UserKnownHostsFile="known_hosts"\n'
        'sftp_extra_args = -o StrictHostKeyChecking=yes -o UserKnownHostsFile="known_hosts"\n',
    )
    project.write("inventory/hosts.yml", "all:\n  hosts: {}\n")
    async with converse(project.directory, mode) as talk:
        # "I have a new server at …, call it web2." The person compares the fingerprint with the console's.
        words = {"address": bookworm_host.address, "user": bookworm_host.user, "key": str(bookworm_host.key)}
        plan = await talk.call("add_host", name="web2", groups=["web"], variables={"ansible_become": True}, **words)
        assert (await talk.apply(plan))["as_planned"] is True
        assert fingerprint in talk.person.asked[0]

        # "Which servers are there, and what is web2?"
        listed = await talk.call("list_hosts", pattern="web")
        assert [host["name"] for host in listed["hosts"]] == ["web2"]
        facts = await talk.call("host_facts", hosts="web2", topics=["system"], max_age=0)
        assert "12" in str(facts["hosts"][0]["topics"][0]["rows"])

        # "Set its clock to Berlin."
        plan = await talk.call("plan_changes", request="set the timezone to Europe/Berlin on web2")
        run = await talk.apply(plan)
        assert (run["status"], run["as_planned"]) == ("succeeded", True), run
        history = await talk.call("list_history", host="web2")
        # When it joined is a part of its history.
        done = [(entry["kind"], entry["status"]) for entry in history["entries"] if entry["kind"] == "run"]
        assert done == [("run", "succeeded"), ("run", "succeeded")]
        assert "add_host web2" in [entry["summary"] for entry in history["entries"]]
    assert bookworm_host.run("timedatectl show -p Timezone --value").stdout == "Europe/Berlin\n"
    bookworm_host.run("timedatectl set-timezone Etc/UTC")


async def test_a_question_is_answered_by_looking_and_never_becomes_a_plan(project: Project, mode: str) -> None:
    async with converse(project.directory, mode) as talk:
        for words in ("is nginx running on web1?", "should I install docker on web1?"):
            asked = await talk.call("plan_changes", request=words)
            assert (asked["status"], asked.get("plan_id", "")) == ("uncertain", "")
        assert await talk.look("web1", "systemctl is-active nginx") == "inactive\n"
        assert (await talk.call("list_history"))["entries"] == []
        assert talk.person.asked == []
