"""Plans and runs for tests of what is shown, made of the real domain objects."""

from datetime import UTC, datetime, timedelta

from intendant.intents import Step
from intendant.plans import Action, Bindings, BlindSpot, Change, HostPlan, Plan
from intendant.runs import Deviation, HostRun, Run, RunStatus

AT = datetime(2026, 3, 1, 12, 0, tzinfo=UTC)
ANY_CHANNEL = ("elicitation", "terminal")


def make_change(action: Action = "create", target: str = "/etc/motd", **fields: object) -> Change:
    values: dict[str, object] = {
        "step": 1,
        "role": "file",
        "task": "Write the file",
        "module": "copy",
        "before": "",
        "after": "hello\n",
    }
    return Change.model_validate({**values, "action": action, "target": target, **fields})


def make_plan(*hosts: HostPlan, channels: tuple[str, ...] = ANY_CHANNEL, **fields: object) -> Plan:
    names = tuple(host.host for host in hosts)
    bindings = Bindings(
        content={}, params="0", hosts=names, variables={name: {} for name in names}, ansible_core="2.19"
    )
    values: dict[str, object] = {
        "id": "plan-0123456789ab",
        "created_at": AT,
        "expires_at": AT + timedelta(minutes=30),
        "pattern": "web",
        "steps": (Step(intent="file", params={"file_path": "/etc/motd", "file_mode": "0644"}),),
        "hosts": hosts,
        "bindings": bindings,
        "approval_reason": "the policy asks",
        "approval_channels": channels,
        "digest": "d" * 64,
    }
    return Plan.model_validate({**values, **fields})


def three_kinds() -> Plan:
    """Two identical hosts, one with a blind spot, one that failed, one with nothing to do."""
    same = (make_change(), make_change("delete", "/etc/old", before="gone\n", after=""))
    return make_plan(
        HostPlan(host="web1", changes=same),
        HostPlan(host="web2", changes=same),
        HostPlan(host="web3", blind_spots=(BlindSpot(step=1, task="Run it", reason="a command"),)),
        HostPlan(host="web4", error="It cannot be reached.\nCheck the address."),
        HostPlan(host="web5"),
    )


def make_run(*hosts: HostRun, status: RunStatus = "succeeded", **fields: object) -> Run:
    values: dict[str, object] = {
        "id": "run-0123456789ab",
        "plan_id": "plan-0123456789ab",
        "status": status,
        "created_at": AT,
        "hosts": hosts,
        "as_planned": status == "succeeded",
    }
    return Run.model_validate({**values, **fields})


def make_deviation() -> Deviation:
    return Deviation(
        host="web1", kind="unplanned", task="Write the file", target="/etc/motd", detail="done, not planned"
    )
