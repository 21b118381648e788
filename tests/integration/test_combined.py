"""What people ask for in one breath is predicted as a whole on a fresh host: the sets of `cases/together.yml`."""

import pytest

from fidelity.cases import ParameterSet, read_cases
from fidelity.measure import measure_set
from lab.labs import Lab

pytestmark = pytest.mark.long

SETS = read_cases()["together"].sets


@pytest.mark.parametrize("asked", SETS, ids=lambda asked: asked.name)
def test_a_whole_server_from_one_plan_comes_out_as_planned(asked: ParameterSet, lab: Lab) -> None:
    measured = measure_set("together", asked)
    assert {one.suite: one.problems for one in measured} == {suite: [] for suite in asked.suites}
    assert all(one.predicted >= 4 for one in measured)
