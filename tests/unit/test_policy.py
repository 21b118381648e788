import pytest
from pydantic import ValidationError

from intendant.errors import PolicyError
from intendant.plans import Action, Change, HostPlan, Plan
from intendant.policy import CHANNELS, GroupPolicy, Policy, check_request, decide_approval, suffices
from unit.samples import make_plan

WEB = {"web1": ("web",), "db1": ("db",)}


def change(action: Action = "update") -> Change:
    return Change(step=1, role="r", task="t", module="m", target="x", action=action)


def plan_of(**hosts: tuple[Change, ...]) -> Plan:
    return make_plan(*(HostPlan(host=name, changes=changes) for name, changes in hosts.items()))


def test_every_plan_needs_approval_unless_the_policy_says_otherwise() -> None:
    assert decide_approval(Policy(), plan_of(web1=(change(),)), WEB)[1] == CHANNELS


def test_no_policy_approves_an_edit_of_the_inventory() -> None:
    edit = plan_of(localhost=(change(),)).model_copy(update={"kind": "inventory"})
    for policy in (Policy(approval="never"), Policy(groups={"web": GroupPolicy(approval="never")})):
        assert decide_approval(policy, edit, {"web1": ("web",)})[1] == CHANNELS


def test_an_edit_of_the_inventory_takes_the_strongest_of_the_project_and_the_groups() -> None:
    edit = plan_of(localhost=(change(),)).model_copy(update={"kind": "inventory"})
    lax = Policy(approval_strength="page", groups={"web": GroupPolicy(approval_strength="client")})
    strict = Policy(groups={"web": GroupPolicy(approval_strength="page")})
    for policy in (lax, strict):
        assert decide_approval(policy, edit, {"web1": ("web",)})[1] == ("terminal", "page")


def test_the_policy_can_approve_the_plans_of_one_group() -> None:
    policy = Policy(groups={"web": GroupPolicy(approval="never")})
    assert decide_approval(policy, plan_of(web1=(change(),)), WEB)[1] == ()
    assert decide_approval(policy, plan_of(db1=(change(),)), WEB)[1] == CHANNELS


def test_the_strictest_rule_of_all_hosts_holds_for_the_plan() -> None:
    policy = Policy(groups={"web": GroupPolicy(approval="never"), "db": GroupPolicy(approval="always")})
    assert decide_approval(policy, plan_of(web1=(change(),), db1=(change(),)), WEB)[1] == CHANNELS


def test_the_strictest_rule_of_a_host_in_two_groups_holds() -> None:
    policy = Policy(groups={"web": GroupPolicy(approval="never"), "prod": GroupPolicy(approval="always")})
    assert decide_approval(policy, plan_of(web1=(change(),)), {"web1": ("prod", "web")})[1] == CHANNELS


@pytest.mark.parametrize("action", ["create", "update", "run"])
def test_destructive_only_approval_lets_other_actions_pass(action: Action) -> None:
    policy = Policy(approval="destructive")
    assert decide_approval(policy, plan_of(web1=(change(action),)), WEB)[1] == ()


def test_destructive_only_approval_asks_for_deletions() -> None:
    policy = Policy(approval="destructive")
    assert decide_approval(policy, plan_of(web1=(change("delete"),)), WEB)[1] == CHANNELS


def test_more_hosts_than_allowed_are_refused_with_both_numbers() -> None:
    with pytest.raises(PolicyError, match="2 hosts match and the policy allows 1"):
        check_request(Policy(max_hosts=1), ["file"], WEB)


def test_an_intent_outside_of_the_allowed_ones_is_refused_by_name() -> None:
    policy = Policy(allowed_intents=("pack*",))
    check_request(policy, ["packages"], WEB)
    with pytest.raises(PolicyError, match="does not allow 'file' on web1"):
        check_request(policy, ["file"], WEB)


def test_a_group_can_narrow_the_allowed_intents() -> None:
    policy = Policy(groups={"db": GroupPolicy(allowed_intents=("service",))})
    check_request(policy, ["file"], {"web1": ("web",)})
    with pytest.raises(PolicyError, match="on db1"):
        check_request(policy, ["file"], WEB)


def test_variables_are_named_by_wildcards_and_none_by_default() -> None:
    assert not Policy().allows_variable("vault_x")
    assert Policy(from_var=("vault_*",)).allows_variable("vault_x")
    assert not Policy(from_var=("vault_*",)).allows_variable("ansible_password")


def test_a_stronger_approval_takes_fewer_channels_and_the_strongest_of_all_hosts_holds() -> None:
    policy = Policy(groups={"db": GroupPolicy(approval_strength="page")})
    assert decide_approval(policy, plan_of(web1=(change(),)), WEB)[1] == CHANNELS
    assert decide_approval(policy, plan_of(web1=(change(),), db1=(change(),)), WEB)[1] == ("terminal", "page")
    assert decide_approval(Policy(approval_strength="page"), plan_of(web1=(change(),)), WEB)[1] == ("terminal", "page")
    weaker = Policy(approval_strength="page", groups={"web": GroupPolicy(approval_strength="client")})
    assert decide_approval(weaker, plan_of(web1=(change(),)), WEB)[1] == CHANNELS
    both = Policy(
        groups={"web": GroupPolicy(approval_strength="client"), "prod": GroupPolicy(approval_strength="page")}
    )
    assert decide_approval(both, plan_of(web1=(change(),)), {"web1": ("prod", "web")})[1] == ("terminal", "page")


def test_what_the_policy_approves_itself_needs_no_strength() -> None:
    policy = Policy(approval="never", approval_strength="page")
    assert decide_approval(policy, plan_of(web1=(change(),)), WEB)[1] == ()


def test_a_passkey_is_the_only_channel_of_the_strongest_strength() -> None:
    policy = Policy(groups={"db": GroupPolicy(approval_strength="passkey")})
    assert policy.wants_passkeys
    assert not Policy(approval_strength="page").wants_passkeys
    assert decide_approval(policy, plan_of(web1=(change(),)), WEB)[1] == CHANNELS
    assert decide_approval(policy, plan_of(web1=(change(),), db1=(change(),)), WEB)[1] == ("passkey",)
    edit = plan_of(localhost=(change(),)).model_copy(update={"kind": "inventory"})
    assert decide_approval(policy, edit, WEB)[1] == ("passkey",)


def test_an_approval_counts_where_its_channel_is_wanted_and_a_passkeys_everywhere() -> None:
    for wanted in (CHANNELS, ("terminal", "page"), ("passkey",), ()):
        assert suffices("passkey", wanted)
    assert suffices("page", ("terminal", "page"))
    assert not suffices("page", ("passkey",))
    assert not suffices("policy", ("passkey",))
    assert suffices("policy", ())


def test_an_unknown_strength_is_refused_with_those_that_there_are() -> None:
    with pytest.raises(ValidationError, match="'client', 'page' or 'passkey'"):
        Policy.model_validate({"approval_strength": "strong"})
