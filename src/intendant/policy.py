"""What is allowed without asking, what needs a person's approval, and what not at all."""

from collections.abc import Iterable, Mapping, Sequence
from fnmatch import fnmatchcase
from typing import Annotated, Literal

from pydantic import BaseModel, ConfigDict, Field

from intendant.errors import PolicyError
from intendant.plans import Plan

ApprovalRule = Literal["always", "destructive", "never"]
_STRICTNESS: tuple[ApprovalRule, ...] = ("never", "destructive", "always")
Strength = Literal["client", "page", "passkey"]
#: the ways in which a person can approve without a passkey, by how much of a person it takes.
CHANNELS = ("elicitation", "terminal", "page")
_STRENGTHS: dict[Strength, tuple[str, ...]] = {
    "client": CHANNELS,
    "page": ("terminal", "page"),
    "passkey": ("passkey",),
}


class GroupPolicy(BaseModel):
    """What differs for the hosts of one inventory group."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    approval: ApprovalRule | None = None
    approval_strength: Strength | None = None
    allowed_intents: tuple[str, ...] | None = None


class Policy(BaseModel):
    """The ``[policy]`` table of intendant.toml. Names may hold shell wildcards."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    approval: ApprovalRule = "always"
    approval_strength: Strength = "client"
    max_hosts: Annotated[int, Field(gt=0)] = 50
    allowed_intents: tuple[str, ...] = ("*",)
    from_var: tuple[str, ...] = ()
    allow_destructive_commands: bool = False
    groups: dict[str, GroupPolicy] = Field(default_factory=dict)

    def allows_variable(self, name: str) -> bool:
        """Whether ``{"from_var": name}`` may be used."""
        return _matches(name, self.from_var)

    @property
    def wants_passkeys(self) -> bool:
        """Whether there are plans that only a passkey approves."""
        return "passkey" in (self.approval_strength, *(group.approval_strength for group in self.groups.values()))


def check_request(policy: Policy, intents: Iterable[str], host_groups: Mapping[str, Sequence[str]]) -> None:
    """Refuse what the policy forbids before anything is asked of a host.

    Raises:
        PolicyError: too many hosts, or an intent that is not allowed on one of them.
    """
    if len(host_groups) > policy.max_hosts:
        raise PolicyError(
            f"hosts: {len(host_groups)} hosts match and the policy allows {policy.max_hosts} in one plan. "
            "Name fewer hosts, or raise [policy] max_hosts in intendant.toml."
        )
    for intent in intents:
        for host, groups in host_groups.items():
            for allowed in _allowed_intents(policy, groups):
                if not _matches(intent, allowed):
                    raise PolicyError(
                        f"intent: the policy does not allow '{intent}' on {host} "
                        f"(allowed: {', '.join(allowed) or 'none'}). "
                        "A person can change allowed_intents in intendant.toml."
                    )


def decide_approval(
    policy: Policy, plan: Plan, host_groups: Mapping[str, Sequence[str]]
) -> tuple[str, tuple[str, ...]]:
    """Why the plan needs a person's approval, and the channels for it; no channels where the policy itself approves.

    The strictest rule among a host's groups holds for it, and the strictest among the hosts for the plan; likewise for
    the strength, which decides the channels. The inventory is edited by no policy: who a host is, by its key, and what
    policy holds for it, by its groups, a person says.
    """
    if plan.kind == "inventory":
        # The project's own strength too: the groups that a host joins may be laxer.
        return (
            "an edit of the inventory needs a person's approval, whatever the policy says",
            _channels(policy, [(), *host_groups.values()]),
        )
    rules = {host: _approval_rule(policy, host_groups.get(host, ())) for host in plan.healthy_hosts}
    rule = max(rules.values(), key=_STRICTNESS.index, default=policy.approval)
    hosts = ", ".join([host for host in rules if rules[host] == rule][:5])
    if rule == "never":
        return "the policy approves every plan for these hosts", ()
    if rule == "destructive" and not plan.destructive:
        return "the policy approves plans that delete nothing and hide nothing for these hosts", ()
    why = (
        "asks for a person's approval" if rule == "always" else "asks for approval: something is deleted or unforeseen"
    )
    channels = _channels(policy, [host_groups.get(host, ()) for host in rules] or [()])
    return f"the policy of {hosts or 'this project'} {why}", channels


def suffices(channel: str, wanted: Sequence[str]) -> bool:
    """Whether an approval through the channel counts where these are wanted (any when empty); a passkey's does."""
    return not wanted or channel in wanted or channel == "passkey"


def _channels(policy: Policy, groups: Iterable[Sequence[str]]) -> tuple[str, ...]:
    """The channels that satisfy the strongest strength among hosts, each given by its groups."""
    strengths = [_approval_strength(policy, names) for names in groups]
    return _STRENGTHS[max(strengths, key=tuple(_STRENGTHS).index)]


def _approval_rule(policy: Policy, groups: Sequence[str]) -> ApprovalRule:
    own = [policy.groups[name].approval for name in groups if name in policy.groups]
    return max((rule for rule in own if rule), key=_STRICTNESS.index, default=policy.approval)


def _approval_strength(policy: Policy, groups: Sequence[str]) -> Strength:
    own = [policy.groups[name].approval_strength for name in groups if name in policy.groups]
    return max((found for found in own if found), key=tuple(_STRENGTHS).index, default=policy.approval_strength)


def _allowed_intents(policy: Policy, groups: Sequence[str]) -> list[tuple[str, ...]]:
    own = [policy.groups[name].allowed_intents for name in groups if name in policy.groups]
    return [allowed for allowed in own if allowed is not None] or [policy.allowed_intents]


def _matches(name: str, patterns: Iterable[str]) -> bool:
    return any(fnmatchcase(name, pattern) for pattern in patterns)
