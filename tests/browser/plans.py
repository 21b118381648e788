"""Plans worth looking at, kept in an application's store."""

from datetime import UTC, datetime, timedelta

from intendant.app import App
from intendant.intents import Step
from intendant.plans import BlindSpot, HostPlan, Plan
from unit.samples import make_change, make_plan

_NGINX = """\
# managed
user www-data;
worker_processes 2;
events {
    worker_connections 768;
}
http {
    sendfile on;
    server_tokens on;
    keepalive_timeout 65;
    gzip off;
}
"""
_UNIT = """\
[Unit]
Description=Shop \u202ebackend
After=network.target

[Service]
# ends with the site
ExecStart=/usr/local/bin/shop --port 8080
Restart=always
"""


def keep(app: App, plan: Plan) -> Plan:
    """The plan, as if it had been made now, in the store."""
    now = datetime.now(UTC)
    plan = plan.model_copy(update={"created_at": now, "expires_at": now + timedelta(minutes=30)})
    plan = plan.model_copy(update={"digest": plan.compute_digest()})
    app.store.add_plan(plan)
    return plan


def keep_site(app: App, channels: tuple[str, ...] = ("elicitation", "terminal", "page")) -> Plan:
    """A web server on twelve hosts: every kind of change, a blind spot, a host that failed."""
    after = _NGINX.replace("tokens on", "tokens off").replace("65", "30")
    after = after.replace("gzip off;", "gzip on;\n    gzip_types text/css application/json;")
    changes = (
        make_change("update", "/etc/nginx/nginx.conf", before=_NGINX, after=after, role="nginx", task="Configure"),
        make_change("create", "/etc/systemd/system/shop.service", before="", after=_UNIT, role="app_service", step=2),
        make_change(
            "create", "/etc/shop.yml", before="", after='# shop\nname: "shop"\nworkers: 4\ndebug: false\n', step=2
        ),
        make_change("delete", "/etc/nginx/sites-enabled/default", before="server { listen 80; }\n", after=""),
        make_change("create", "/etc/shop.env", before=None, after=None, sensitive=True, step=2),
        make_change("run", "daemon-reload", before=None, after=None, module="systemd", step=2),
    )
    spot = BlindSpot(step=2, task="Migrate the database", reason="a command cannot be predicted")
    plan = make_plan(
        *(HostPlan(host=f"web{number}", changes=changes) for number in range(1, 13)),
        HostPlan(host="web20", changes=changes[:2], blind_spots=(spot,)),
        HostPlan(host="db1", error="It cannot be reached: No route to host.\nCheck the address."),
        HostPlan(host="web30"),
        channels=channels,
        id="plan-site",
        request="set up nginx with the shop behind it on web",
        client="desk",
        approval_reason="the policy of web1, web2 asks for a person's approval",
        steps=(
            Step(intent="nginx", params={"nginx_sites": [{"name": "shop", "port": 8080}], "nginx_gzip": True}),
            Step(intent="app_service", params={"app_name": "shop", "app_token": {"from_var": "vault_shop_token"}}),
        ),
    )
    return keep(app, plan)


def keep_large(app: App) -> Plan:
    """200 hosts that all differ, and a diff of 10,000 lines."""
    hosts = [
        HostPlan(host=f"web{number}", changes=(make_change(after=f"# host {number}\n" + "key = value\n" * 40),))
        for number in range(200)
    ]
    long = "".join(f"key{number} = value {number}\n" for number in range(10_000))
    hosts.append(
        HostPlan(host="long", changes=(make_change("update", "/etc/long.conf", before="a = 1\n", after=long),))
    )
    return keep(app, make_plan(*hosts, channels=("terminal", "page"), id="plan-large"))
