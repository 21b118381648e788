"""find_intents and describe_intent: what can be asked for."""

from typing import TYPE_CHECKING, Annotated, Any

from mcp_types import CallToolResult
from pydantic import Field

from intendant.tools.base import Hints, ToolSpec, answer
from intendant.tools.state import Ctx, get_app, run_short
from intendant.views.json import build_intent
from intendant.views.results import CandidateView, IntentResult, IntentsResult, StepView

if TYPE_CHECKING:
    from intendant.app import App
    from intendant.words.candidates import Candidate
    from intendant.words.resolving import Resolution


#: the user's words; longer ones are no request, and results repeat parts of them.
Request = Annotated[str, Field(max_length=1_000, description="the user's own words")]


async def find_intents(ctx: Ctx, request: Request) -> Annotated[CallToolResult, IntentsResult]:
    app = await get_app(ctx)
    return answer(view_resolution(await run_short(lambda: resolve(app, request))))


async def describe_intent(ctx: Ctx, name: str) -> Annotated[CallToolResult, IntentResult]:
    app = await get_app(ctx)

    def describe() -> IntentResult:
        intent = app.catalog.get(name)
        return build_intent(intent, app.catalog.json_schema(intent))

    return answer(await run_short(describe))


def resolve(app: "App", request: str) -> "Resolution":
    """What the words mean in this project; blocking."""
    return app.resolve(request)


def view_candidates(candidates: "list[Candidate]") -> list[CandidateView]:
    """Candidates as results show them."""
    return [
        CandidateView(intent=item.intent, title=item.title, score=item.score, params=item.params, missing=item.missing)
        for item in candidates
    ]


def view_resolution(resolution: "Resolution") -> IntentsResult:
    """The meaning of a request as find_intents tells it, with one call that could follow."""
    result = IntentsResult(
        certain=resolution.certain,
        steps=[StepView(intent=step.intent, params=step.params) for step in resolution.steps],
        hosts=resolution.hosts,
        candidates=view_candidates(resolution.candidates),
        question=resolution.question,
        next="Ask the user the question, or call describe_intent for the params.",
    )
    if example := _example(resolution):
        result.example = example
        if resolution.certain:
            result.next = "Call plan_changes with the example's arguments."
    return result


def _example(resolution: "Resolution") -> dict[str, Any]:
    hosts = resolution.hosts or "<hosts>"
    if resolution.certain:
        return {"hosts": hosts, "steps": [step.model_dump(mode="json") for step in resolution.steps]}
    if not resolution.candidates:
        return {}
    best = resolution.candidates[0]
    params = {**best.params, **{name: f"<{name}>" for name in best.missing}}
    return {"hosts": hosts, "steps": [{"intent": best.intent, "params": params}]}


FIND_INTENTS = ToolSpec(
    find_intents,
    "Find intents",
    "What a request could mean: ranked intents, params read out of it, what is missing, and an example call of "
    "plan_changes. Asks no host.",
    Hints(read_only=True, destructive=False, idempotent=True, open_world=False),
)
DESCRIBE_INTENT = ToolSpec(
    describe_intent,
    "Describe an intent",
    "One intent: JSON Schema of its params, defaults, platforms, what it changes, how it is undone.",
    Hints(read_only=True, destructive=False, idempotent=True, open_world=False),
)
