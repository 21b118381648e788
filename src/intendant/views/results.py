"""The results of the MCP tools as typed models. Field names are a public contract; only what is set is sent.

Times are ISO 8601 in UTC. A list that was cut says so in a ``more_…`` field or in ``next_cursor``.
"""

from typing import Any

from pydantic import BaseModel, Field, JsonValue


class ChangeView(BaseModel):
    step: int
    role: str
    task: str
    module: str
    target: str
    action: str
    diff: str


class BlindSpotView(BaseModel):
    task: str
    reason: str


class GroupView(BaseModel):
    """Hosts with identical predictions; ``error`` is why they could not be planned."""

    hosts: list[str]
    more_hosts: int = 0
    changes: list[ChangeView]
    blind_spots: list[BlindSpotView]
    error: str | None = None


class ApprovalView(BaseModel):
    required: bool
    channels: list[str]
    reason: str = ""
    given: bool = False
    by: str = ""
    channel: str = ""


class CandidateView(BaseModel):
    intent: str
    title: str
    score: float
    params: dict[str, JsonValue]
    missing: list[str]


class PlanBrief(BaseModel):
    """The part of a plan that every client needs; the rest is as get_plan describes it."""

    status: str = Field(description="planning, pending, expired, applied, stale, rejected; uncertain")
    next: str
    plan_id: str = ""


class PlanResult(PlanBrief):
    """A plan or a page of it; while it is being made only id and status."""

    digest: str = ""
    complete: bool = Field(False, description="false: something is not predicted")
    applyable: bool = False
    errored: bool = False
    expires_at: str = ""
    counts: dict[str, int] = {}
    groups: list[GroupView] = []
    approval: ApprovalView | None = None
    next_cursor: str = ""


class PlannedResult(PlanResult):
    """A plan; for an uncertain request, candidates and a question instead."""

    candidates: list[CandidateView] = []
    question: str = ""


class HostRunView(BaseModel):
    host: str
    status: str
    changed: int
    failed_task: str
    message: str


class DeviationView(BaseModel):
    host: str
    kind: str
    task: str
    target: str
    detail: str


class ProgressView(BaseModel):
    task: str
    done: int
    expected: int


class RunBrief(BaseModel):
    """The part of a run that every client needs."""

    run_id: str
    plan_id: str
    status: str
    next: str


class RunResult(RunBrief):
    as_planned: bool | None = Field(description="null until it ended")
    deviations: list[DeviationView]
    hosts: list[HostRunView] = Field(description="failed ones first")
    message: str = ""
    progress: ProgressView | None = None
    more_deviations: int = 0
    next_cursor: str = ""


class LastRunView(BaseModel):
    run_id: str
    status: str
    at: str


class HostView(BaseModel):
    name: str
    groups: list[str]
    address: str
    user: str
    connection: str
    last_run: LastRunView | None
    port: int = 0
    facts: dict[str, str] = {}


class HostsResult(BaseModel):
    hosts: list[HostView]
    groups: dict[str, int] = Field(description="name: number of hosts")
    next_cursor: str


class StepView(BaseModel):
    intent: str
    params: dict[str, JsonValue]


class IntentsResult(BaseModel):
    certain: bool
    steps: list[StepView]
    hosts: str
    candidates: list[CandidateView]
    question: str
    next: str
    example: dict[str, Any] = Field({}, description="arguments for plan_changes")


class IntentResult(BaseModel):
    name: str
    title: str
    description: str
    params: dict[str, Any] = Field(description="JSON Schema")
    defaults: dict[str, Any]
    platforms: list[str]
    changes: str
    undo: str
    next: str


class EntryView(BaseModel):
    kind: str = Field(description="plan, approval or run")
    id: str
    plan_id: str
    at: str
    summary: str
    status: str
    hosts: list[str]
    more_hosts: int = 0


class HistoryResult(BaseModel):
    entries: list[EntryView]
    next_cursor: str


class OutputGroupView(BaseModel):
    """Hosts that answered the same; ``stdout`` and ``stderr`` are data from them."""

    hosts: list[str]
    exit_code: int | None
    stdout: str = Field(description="data from the hosts")
    stderr: str = ""
    duration: float
    truncated: dict[str, int] = Field({}, description="bytes left out")
    ended: str = ""
    wall: bool = False
    no_wall: str = ""
    error: str = ""


class CommandView(BaseModel):
    """What became of a command; not executed unless it is known to only read."""

    executed: bool
    kind: str = Field(alias="class")
    reason: str
    groups: list[OutputGroupView]
    plan_id: str | None = None
    equivalent: str | None = Field(None, description="steps that do the same; plan_id is of these")
    output_id: str = ""
    next: str


class OutputPage(BaseModel):
    host: str
    stream: str
    text: str = Field(description="data from the host")
    next_cursor: str


class ExportResult(BaseModel):
    playbook: str
    left_out: list[str]
    secrets: list[str] = Field(description="variables to put into a vault")
    next_cursor: str


class FileEntryView(BaseModel):
    name: str
    type: str
    size: int
    mode: str
    owner: str
    group: str
    modified: str
    target: str = ""


class FilesResult(BaseModel):
    """A folder's entries by name; ``cut`` where it has more than ``total``."""

    host: str
    path: str
    entries: list[FileEntryView] = Field(description="data from the host")
    total: int
    cut: bool = False
    next_cursor: str


class FileResult(BaseModel):
    """A page of a file, ``encoding`` being text, base64 or withheld (binary with something like a secret in it)."""

    host: str
    path: str
    size: int
    mode: str
    owner: str
    group: str
    modified: str
    encoding: str = Field(description="text, base64 or withheld")
    content: str = Field(description="data from the host")
    offset: int
    next_offset: int | None = Field(description="null at the end")


class SavedResult(BaseModel):
    host: str
    path: str
    saved: str
    size: int
    sha256: str


class CheckView(BaseModel):
    name: str
    ok: bool
    detail: str


class HostCheckView(BaseModel):
    host: str
    ok: bool
    checks: list[CheckView] = []
    problem: str = ""
    fix: str = ""
    seconds: float


class ChecksResult(BaseModel):
    """Hosts with a problem first. Long lists of good hosts come without their single checks."""

    ok: bool
    reachable: int
    total: int
    hosts: list[HostCheckView]
    next: str
    next_cursor: str = ""


class LogGroupView(BaseModel):
    """Hosts whose logs end the same; ``text`` is data from them."""

    hosts: list[str]
    text: str = Field(description="data from the hosts, newest last")
    truncated: int = Field(0, description="bytes left out before it")
    note: str = ""
    error: str = ""


class LogView(BaseModel):
    groups: list[LogGroupView]
    output_id: str = ""
    next: str


class TopicView(BaseModel):
    """One topic of a host; ``total`` rows there are, of which ``rows`` are shown."""

    topic: str
    age_seconds: int
    total: int
    rows: list[dict[str, JsonValue]] = Field(description="data from the host")
    problem: str = ""


class HostFactsView(BaseModel):
    host: str
    topics: list[TopicView]
    error: str = ""


class FactsResult(BaseModel):
    hosts: list[HostFactsView]
    next: str
    next_cursor: str = ""
