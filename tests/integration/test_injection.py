"""What a model sends is data: no string is ever evaluated, each arrives literally or is refused with a clear error.

Every string of ``support.hostile`` goes into every string param of the five general roles, as it is and, where a param
wants a certain form (a path, an address, a key), inside such a form too; the other roles get the worst of them from
``make fidelity``, see ``fidelity.hostile``. A pair of param and string is covered when

- the params are refused before Ansible starts, by an error that names the param; or
- the role, on a real host, refuses it by an error of its own, in check mode or for real; or
- it is planned and applied as planned, and found on the host byte for byte.

The pairs are counted; one that is none of these fails. A canary folder, on this machine and on the host, stays empty.

To be quick, each step goes to a host name of its own (see ``support.spread``), and strings that two params accept, or
that one task checks for both, share a step.
"""

from collections.abc import Callable, Iterator
from os.path import normpath
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import pytest

from fidelity.cases import read_cases
from intendant.app import App
from intendant.catalog import Catalog
from intendant.config import load_config
from intendant.errors import InputError, IntendantError
from intendant.intents import Intent, Step
from intendant.plans import HostPlan
from intendant.runs import HostRun
from intendant.uploads import take_uploads
from lab.hosts import LabHost
from support.arrivals import Arrivals, make_shells, read_arrivals, upload_text
from support.cases import (
    BASE,
    BATCHES,
    Case,
    Pair,
    all_pairs,
    batch_pairs,
    is_applied_together,
    make_cases,
    string_params,
)
from support.hostile import COMPUTED, Hostile, make_hostile
from support.projects import Project, apply, make_project, only_plan, only_run, plan
from support.spread import BYSTANDER, CASE, case_host, open_spread

SETTINGS = 'forks = 4\n[policy]\napproval = "never"\nmax_hosts = 3000\nfrom_var = ["evaluated"]\n'
ROLES = ("file", "packages", "python", "service", "user")
#: strings that are names of files to send; there is none of the other names
UPLOADED = ("statement", "computed", "nested", "substitution", "variable", "home", "short-option")
#: signs that Ansible, Jinja or Python, and none of our own code, found fault with a value
CRASHES = ("Traceback", "is undefined", "deserialization failed", "Syntax error in", "templating", "No module named")


@pytest.fixture(scope="module")
def canary(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder for what is evaluated to leave a file in."""
    return tmp_path_factory.mktemp("canary")


@pytest.fixture(scope="module")
def strings(canary: Path) -> list[Hostile]:
    return make_hostile(canary)


@pytest.fixture(scope="module")
def catalog(repository: Path) -> Catalog:
    return Catalog([repository / "roles"])


@pytest.fixture(scope="module")
def intents(catalog: Catalog) -> dict[str, Intent]:
    return {intent.name: intent for intent in catalog.list()}


@pytest.fixture
def target(fresh_host: Callable[[str], LabHost], canary: Path) -> Iterator[LabHost]:
    """A host that has the canary folder too; both are empty at the end, or something was evaluated."""
    host = fresh_host("bookworm")
    host.run(f"mkdir -p {canary} && chmod 777 {canary}")
    yield host
    assert sorted(path.name for path in canary.iterdir()) == []
    assert host.run(f"ls {canary}").stdout == ""


# First, and its longest batch before the others, so that several workers end at about the same time.
@pytest.mark.parametrize(
    "batch", [pytest.param(name, marks=() if name == "service" else pytest.mark.long) for name in BATCHES]
)
def test_every_hostile_string_in_every_string_param_arrives_literally_or_is_a_clear_error(
    batch: str,
    intents: dict[str, Intent],
    strings: list[Hostile],
    catalog: Catalog,
    target: LabHost,
    tmp_path: Path,
) -> None:
    role = BATCHES[batch][0]
    texts = {hostile.name: hostile.text for hostile in strings}
    pairs = batch_pairs(batch, intents[role], strings)
    covered: dict[Pair, str] = {}
    cases = []
    project = make_project(tmp_path / "project", {}, settings=SETTINGS)
    for name in UPLOADED:
        project.write(f"files/{texts[name]}", upload_text(texts[name]))
    for case in make_cases(role, pairs, strings):
        if (error := refusal(catalog, role, case.params, project)) is None:
            cases.append(case)
            continue
        assert any(pair.slot.param in str(error) for pair in case.pairs), error
        assert_clear(str(error), "")
        covered.update(dict.fromkeys(case.pairs, "refused before Ansible"))

    make_shells(target, cases)
    app = spread_over(target, cases, project)
    planned = app.planner.plan_changes("all", [Step(intent=role, params=case.params) for case in cases])
    predicted = [host for host in planned.hosts if host.host != BYSTANDER]
    done: dict[str, HostRun] = {}
    if any(host.changes for host in predicted):
        run = app.executor.execute(app.executor.start(planned.id, "run-injection"))
        assert run.hosts, run.message
        done = {host.host: host for host in run.hosts}
        assert [deviation for deviation in run.deviations if done[deviation.host].status != "failed"] == []
    arrived = [case for number, case in enumerate(cases) if succeeded(done.get(case_host(number)))]
    words = {
        case.params["user_name"]: case.params["user_password"] for case in arrived if "user_password" in case.params
    }
    arrivals = read_arrivals(target, words)
    for case, host in zip(cases, predicted, strict=True):
        for pair in case.pairs:
            covered[pair] = judge(pair, case, texts[pair.hostile], host, done.get(host.host), arrivals)

    assert covered.keys() == pairs
    assert COMPUTED not in planned.model_dump_json()
    for path in tmp_path.rglob("*"):
        assert not path.is_file() or COMPUTED.encode() not in path.read_bytes(), path
    print(f"{batch}:", {how: list(covered.values()).count(how) for how in sorted(set(covered.values()))})


def test_every_string_in_every_string_param_of_every_role_is_in_one_batch(
    intents: dict[str, Intent], strings: list[Hostile]
) -> None:
    assert len(strings) >= 60
    assert intents.keys() == {*ROLES} | (read_cases().keys() & intents.keys()), "a role that is tried nowhere"
    for role in ROLES:
        intent = intents[role]
        batches = [batch_pairs(batch, intent, strings) for batch, (of, _) in BATCHES.items() if of == role]
        assert sum(map(len, batches)) == len(set().union(*batches))
        assert set().union(*batches) == all_pairs(intent, strings)
        for pairs in batches:
            covered = [pair for case in make_cases(role, pairs, strings) for pair in case.pairs]
            assert sorted(covered) == sorted(pairs)
    params = {role: len(string_params(intents[role])) for role in ROLES}
    assert params == {"file": 7, "packages": 1, "python": 5, "service": 1, "user": 7}


@pytest.mark.parametrize("role", ROLES)
def test_a_param_with_choices_a_number_or_a_boolean_takes_no_other_string(
    role: str, intents: dict[str, Intent], strings: list[Hostile], catalog: Catalog
) -> None:
    others = intents[role].options.keys() - set(string_params(intents[role]))
    assert others
    for param in others:
        for hostile in strings:
            error = refusal(catalog, role, {param: hostile.text})
            assert isinstance(error, InputError), f"{param} takes {hostile.name}"
            assert_clear(str(error), param)


@pytest.mark.parametrize("role", ROLES)
def test_an_object_in_place_of_a_string_is_an_error_that_names_the_param(
    role: str, intents: dict[str, Intent], catalog: Catalog
) -> None:
    objects: list[Any] = [
        {"__ansible_unsafe": "x"},
        {"__ansible_vault": "x"},
        {"__ansible_type": "TrustedAsTemplate", "value": "{{ 1 }}"},
        {"from_var": "not_allowed"},
        {"from_var": "x }}{{ lookup('pipe', 'id') }}"},
        [["x"]],
        [{"__ansible_unsafe": "x"}],
        {"{{ 1 }}": "x"},
        None,
        3.1,
    ]
    for param in string_params(intents[role]):
        for value in objects:
            error = refusal(catalog, role, {param: value})
            assert error is not None, f"{param} takes {value}"
            assert_clear(str(error), param)


def spread_over(host: LabHost, cases: list[Case], project: Project) -> App:
    variables = {**host.inventory_vars(), "ansible_python_interpreter": "/usr/bin/python3"}
    hosts = {case_host(number): {**variables, CASE: number} for number in range(len(cases))}
    project.set_inventory({**hosts, BYSTANDER: variables})
    return open_spread(project.directory)


def refusal(
    catalog: Catalog, role: str, params: dict[str, Any], project: Project | None = None
) -> IntendantError | None:
    """Why these params are refused before Ansible is asked; None when they are not."""
    step = Step(intent=role, params={**BASE[role](0), **params})
    try:
        catalog.validate_steps([step], lambda _: False)
        if project is not None:
            with TemporaryDirectory() as snapshot:
                take_uploads(load_config(project.directory), catalog.get(role), step, Path(snapshot))
    except IntendantError as error:
        return error
    return None


def succeeded(host: HostRun | None) -> bool:
    return host is not None and host.status in ("ok", "changed")


def judge(pair: Pair, case: Case, text: str, planned: HostPlan, done: HostRun | None, arrivals: Arrivals) -> str:
    """How the pair came out; an assertion fails where it is neither literal nor a clear error."""
    where = f"{pair}: {planned.error or (done and done.message)}"
    if planned.error is not None or (done is not None and done.status == "failed"):
        assert not is_applied_together(case), f"one of several params is refused: {where}"
        sent = case.params[pair.slot.param]
        said = planned.error or (done.message if done else "")
        assert_clear(said, pair.slot.param, *([text] if isinstance(sent, list) else [text, sent, normpath(sent)]))
        return "refused in check mode" if planned.error else "refused in the run"
    if planned.changes:
        assert succeeded(done), where
        assert done is not None
        assert done.changes == planned.changes, where
    arrivals.check(pair, case, text, planned)
    return "arrived"


def assert_clear(message: str, param: str, *sent: str) -> None:
    """A message that names the param or what was sent in it, of a length that can be shown, and no accident."""
    assert message.strip()
    assert len(message) < 9000, message[:500]
    assert COMPUTED not in message
    assert not [word for word in CRASHES if word in message], message[:2000]
    named = [param, *(form for text in sent if text for form in (text, repr(text)[1:-1]))]
    assert any(text in message or len(text) > 200 for text in named), message[:2000]


def test_a_template_of_the_projects_own_is_evaluated_so_the_canary_would_sing(
    fresh_host: Callable[[str], LabHost], canary: Path, tmp_path: Path
) -> None:
    """The control: what is evaluated does leave a file, and its product does arrive."""
    [pipe] = [item.text for item in make_hostile(tmp_path) if item.name == "pipe"]
    [computed] = [item.text for item in make_hostile(tmp_path) if item.name == "computed"]
    variables = {**fresh_host("bookworm").inventory_vars(), "evaluated": pipe + computed}
    app = make_project(tmp_path / "project", {"web1": variables}, settings=SETTINGS).open()
    planned = plan(app, "web1", ("file", {"file_path": "/srv/x", "file_content": {"from_var": "evaluated"}}))
    assert only_plan(planned).error is None
    assert COMPUTED in planned.model_dump_json()
    assert (tmp_path / "pipe").exists()


@pytest.mark.long
def test_the_same_strings_in_the_steps_of_one_plan_arrive_through_a_run_of_its_own(
    target: LabHost, canary: Path, tmp_path: Path
) -> None:
    """No spreading here: several steps on one host, applied by the run's own process."""
    names = ("pipe", "statement", "nested", "unsafe-object", "tag-vault", "quotes", "option-with-value", "percent")
    texts = {item.name: item.text for item in make_hostile(canary) if item.name in names}
    assert set(texts) == set(names)
    app = make_project(tmp_path / "project", {"web1": target.inventory_vars()}, settings=SETTINGS).open()
    steps = [("file", {"file_path": f"/srv/x/{name}", "file_content": text}) for name, text in texts.items()]
    planned = plan(app, "web1", *steps)
    assert [change.action for change in only_plan(planned).changes] == ["create"] * len(names)
    run = apply(app, planned.id)
    assert run.as_planned is True, only_run(run)
    for name, text in texts.items():
        assert target.run(f"cat /srv/x/{name}").stdout == text
