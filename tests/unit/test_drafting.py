"""Roles of others: what their usual shapes give, as they are or with a drafted specification."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import yaml

from intendant.catalog import Catalog
from intendant.cli import main
from intendant.drafting import draft_spec
from intendant.errors import InputError, NotFoundError, ProjectError
from intendant.intents import Step
from unit.projects import write_project

#: A role as larger projects write them: a complete specification, with more entry points than the main one.
SPECIFIED = {
    "meta/main.yml": "galaxy_info: {role_name: gateway, description: A gateway, min_ansible_version: '2.15'}\n",
    "meta/argument_specs.yml": """
argument_specs:
  main:
    short_description: Install and configure the gateway.
    description:
      - Installs the gateway from its own package source.
      - Reloads it when V(gateway_routes) change.
    author: [Some One]
    version_added: 1.0.0
    options:
      gateway_version: {type: str, required: true, description: Version to install.}
      gateway_routes:
        type: list
        elements: dict
        default: []
        description: Routes.
        options:
          name: {type: str, required: true, description: Name of the route.}
          weight: {type: int, default: 1, description: Share of the requests.}
      gateway_admin_secret: {type: str, no_log: true, description: Secret of the administrator.}
  uninstall:
    short_description: Take the gateway away.
    options:
      gateway_keep_data: {type: bool, default: true, description: Whether to keep the data.}
""",
    "defaults/main.yml": "gateway_routes: []\n",
    "tasks/main.yml": "- ansible.builtin.debug: {msg: '{{ gateway_version }}'}\n",
    "tasks/uninstall.yml": "- ansible.builtin.debug: {msg: gone}\n",
}

#: A role of the kind that lives by its README: defaults with comments, tasks by operating system, no specification.
COMMENTED = {
    "meta/main.yml": "galaxy_info: {description: Web cache for Linux, author: someone}\ndependencies: []\n",
    "defaults/main.yml": """---
# ---------------------------------
# The package, and its version.
webcache_package: webcache
# Leave empty for the newest one.
webcache_version: ""

webcache_port: 6081  # where clients connect
webcache_ratio: 0.5
webcache_enabled: true

# Addresses that may clear the cache.
webcache_purgers:
  - 127.0.0.1
  # this one too
  - 10.0.0.1
webcache_backends:
  - name: one
    host: 10.0.0.2
webcache_limits: {memory: 256m}
webcache_mixed: [1, two]

# Where the settings lie. Computed:
webcache_config_path: "{{ webcache_etc }}/cache.conf"

# Who the cache runs as.
# webcache_user: nobody

webcache_admin_password: "change me"
webcache_password_file: null
webcache_api_token: !vault |
  $ANSIBLE_VAULT;1.1;AES256
  6162
webcache_banner: |
  # not a comment
  webcache_nothing: here
""",
    "vars/Debian.yml": "webcache_etc: /etc/webcache\n__webcache_unit: webcache\n",
    "tasks/main.yml": """---
- name: Include variables of the system
  include_vars: "{{ ansible_os_family }}.yml"
- name: Install
  package:
    name: "{{ webcache_package }}"
  register: webcache_installed
  when: webcache_enabled and webcache_license_accepted
- include_tasks: more.yml
  loop: "{{ webcache_backends }}"
  loop_control: {loop_var: webcache_backend}
""",
    "tasks/more.yml": """
- set_fact: {webcache_address: "{{ webcache_backend.host }}"}
- template: {src: cache.conf.j2, dest: "{{ webcache_config_path }}"}
  when: webcache_installed is changed and webcache_extra is defined
  notify: restart webcache
""",
    "handlers/main.yml": "- name: restart webcache\n  service: {name: '{{ __webcache_unit }}', state: restarted}\n",
    "templates/cache.conf.j2": """
{% set seen = [] %}
{% for backend in webcache_backends %}{{ backend.name | some_filter_of_theirs }}{% do seen.append(1) %}{% endfor %}
zone {{ webcache_zone }}; owner {{ webcache_owner | default('nobody') }}; site {{ company_domain }}
{{ webcache_extra }}
""",
    "templates/broken.j2": "{% if %}{{ webcache_never }}",
}

#: A role of the early days: bare variables, short module names, vars instead of defaults, dependencies and handlers.
OLD = {
    "meta/main.yml": "dependencies:\n  - { role: common, common_packages: ['{{ mq_package }}'] }\n  - users\n",
    "vars/main.yml": "mq_service: mqd\nmq_package: mq-server\n",
    "tasks/main.yml": """
- action: apt pkg={{ mq_package }} state=latest
  tags: mq
- template: src=mq.conf dest=/etc/mq.conf mode=0640
  notify:
    - restart mq
- shell: "mqctl add {{ item.name }} {{ item.password }}"
  with_items: mq_queues
  when: mq_create_queues
""",
    "handlers/main.yml": "- name: restart mq\n  action: service name={{ mq_service }} state=restarted\n",
    "templates/mq.conf": "listen {{ mq_listen }}\nsecret {{ mq_cookie_secret }}\nnode {{ ansible_hostname }}\n",
    "files/README": "{{ not_a_template }}\n",
}

WriteRole = Callable[[str, dict[str, str]], Path]


@pytest.fixture
def write_role(tmp_path: Path) -> WriteRole:
    def write(name: str, files: dict[str, str]) -> Path:
        for path, text in files.items():
            file = tmp_path / "roles" / name / path
            file.parent.mkdir(parents=True, exist_ok=True)
            file.write_text(text, encoding="utf-8")
        return tmp_path / "roles" / name

    return write


def draft(name: str, folder: Path) -> tuple[dict[str, dict[str, Any]], str]:
    """The drafted options, and the whole text."""
    text = draft_spec(name, folder)
    return yaml.safe_load(text)["argument_specs"]["main"]["options"], text


def test_a_role_with_several_entry_points_is_the_intent_of_its_main_one(write_role: WriteRole) -> None:
    folder = write_role("gateway", SPECIFIED)
    catalog = Catalog([folder.parent])
    intent = catalog.get("gateway")
    assert intent.title == "Install and configure the gateway."
    assert list(intent.options) == ["gateway_version", "gateway_routes", "gateway_admin_secret"]
    step = Step(intent="gateway", params={"gateway_version": "1", "gateway_routes": [{"name": "a"}]})
    assert catalog.validate_steps([step], lambda _name: False)
    with pytest.raises(InputError, match="has an argument specification"):
        catalog.unspecified_dir("gateway")


def test_a_role_without_a_specification_is_refused_with_the_command_that_drafts_one(write_role: WriteRole) -> None:
    folder = write_role("webcache", COMMENTED)
    catalog = Catalog([folder.parent])
    with pytest.raises(NotFoundError, match="intendant intents --draft-spec webcache") as error:
        catalog.get("webcache")
    assert str(folder) in str(error.value)
    assert catalog.unspecified() == ("webcache",)
    assert catalog.unspecified_dir("webcache") == folder
    with pytest.raises(NotFoundError, match="Did you mean webcache"):
        catalog.unspecified_dir("webcaches")


def test_types_and_defaults_come_from_the_values(write_role: WriteRole) -> None:
    options, _text = draft("webcache", write_role("webcache", COMMENTED))
    types = {name: option["type"] for name, option in options.items()}
    assert types["webcache_package"] == types["webcache_version"] == "str"
    assert (types["webcache_port"], types["webcache_ratio"], types["webcache_enabled"]) == ("int", "float", "bool")
    assert (types["webcache_limits"], types["webcache_config_path"]) == ("dict", "raw")
    assert {name: options[f"webcache_{name}"]["elements"] for name in ("purgers", "backends", "mixed")} == {
        "purgers": "str",
        "backends": "dict",
        "mixed": "raw",
    }
    assert options["webcache_port"]["default"] == 6081
    assert options["webcache_purgers"]["default"] == ["127.0.0.1", "10.0.0.1"]
    assert "default" not in options["webcache_config_path"]


def test_descriptions_come_from_the_comments_above_and_beside(write_role: WriteRole) -> None:
    options, _text = draft("webcache", write_role("webcache", COMMENTED))
    assert options["webcache_package"]["description"] == "The package, and its version."
    assert options["webcache_version"]["description"] == "Leave empty for the newest one."
    assert options["webcache_port"]["description"] == "where clients connect"
    assert options["webcache_purgers"]["description"] == "Addresses that may clear the cache."
    assert options["webcache_enabled"]["description"] == "To be described."
    assert options["webcache_user"] == {"description": "Who the cache runs as.", "type": "raw"}
    assert "webcache_nothing" not in options


def test_what_is_secret_is_marked_and_its_value_left_out(write_role: WriteRole) -> None:
    options, text = draft("webcache", write_role("webcache", COMMENTED))
    assert options["webcache_admin_password"] == {"description": "To be described.", "type": "str", "no_log": True}
    assert options["webcache_api_token"]["no_log"] is True
    assert "change me" not in text
    assert "ANSIBLE_VAULT" not in text


def test_what_is_used_without_a_default_is_required_unless_the_role_does_without(write_role: WriteRole) -> None:
    options, text = draft("webcache", write_role("webcache", COMMENTED))
    required = [name for name, option in options.items() if option.get("required")]
    assert required == ["webcache_license_accepted", "webcache_zone"]
    assert "tasks/main.yml" in options["webcache_license_accepted"]["description"]
    assert {"webcache_extra", "webcache_owner"} <= options.keys()
    own = {"webcache_installed", "webcache_backend", "webcache_address", "webcache_etc", "webcache_never"}
    assert own & options.keys() == set()
    assert "#   company_domain\n" in text
    assert "some_filter" not in text
    assert "ansible_os_family" not in text


def test_an_old_role_gives_what_its_tasks_and_templates_want(write_role: WriteRole) -> None:
    options, text = draft("mq", write_role("mq", OLD))
    assert list(options) == ["mq_cookie_secret", "mq_create_queues", "mq_listen", "mq_queues"]
    assert all(option["required"] for option in options.values())
    assert options["mq_cookie_secret"]["no_log"] is True
    assert "not_a_template" not in text


@pytest.mark.parametrize(("name", "files"), [("webcache", COMMENTED), ("mq", OLD)])
def test_a_draft_that_is_saved_makes_an_intent_of_the_role(
    write_role: WriteRole, name: str, files: dict[str, str]
) -> None:
    folder = write_role(name, files)
    catalog = Catalog([folder.parent])
    text = draft_spec(name, catalog.unspecified_dir(name))
    assert catalog.list() == []
    (folder / "meta" / "argument_specs.yml").write_text(text, encoding="utf-8")
    assert [intent.name for intent in catalog.list()] == [name]
    assert catalog.problems() == ()
    assert catalog.unspecified() == ()


def test_nothing_of_the_role_is_executed(write_role: WriteRole, tmp_path: Path) -> None:
    canary = tmp_path / "canary"
    hostile = {
        "defaults/main.yml": f"""
evil_a: "{{{{ lookup('pipe', 'touch {canary}') }}}}"
evil_b: "{{{{ ''.__class__.__mro__[1].__subclasses__() }}}}"
evil_c: !python/object/apply:os.system ["touch {canary}"]
""",
        "tasks/main.yml": f"- command: touch {canary}\n  when: lookup('pipe', 'touch {canary}') and evil_d\n",
        "templates/x.j2": f"{{% include '/etc/passwd' %}}{{{{ lookup('file', '/etc/passwd') }}}}{canary}",
    }
    options, text = draft("evil", write_role("evil", hostile))
    assert list(options) == ["evil_a", "evil_b", "evil_c", "evil_d"]
    assert "root:" not in text
    assert not canary.exists()


def test_a_role_in_pieces_is_an_error_that_names_the_file(write_role: WriteRole) -> None:
    folder = write_role("app", {"defaults/main.yml": "a: [", "tasks/main.yml": "[]"})
    with pytest.raises(ProjectError, match=r"defaults/main\.yml cannot be read"):
        draft_spec("app", folder)
    (folder / "defaults" / "main.yml").write_text("- a list\n", encoding="utf-8")
    with pytest.raises(ProjectError, match="must hold a mapping"):
        draft_spec("app", folder)


def test_the_command_prints_a_draft_and_the_listing_names_it(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    project = write_project(tmp_path / "project")
    monkeypatch.chdir(project)
    for path, text in COMMENTED.items():
        file = project / "roles" / "webcache" / path
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text(text, encoding="utf-8")
    assert main(["intents"]) == 0
    told = capsys.readouterr().err
    assert "webcache" in told
    assert "intendant intents --draft-spec ROLE" in told
    assert main(["intents", "--draft-spec", "webcache"]) == 0
    printed = capsys.readouterr().out
    assert yaml.safe_load(printed)["argument_specs"]["main"]["short_description"] == "Web cache for Linux"
    assert main(["intents", "webcache"]) == 1
    assert "--draft-spec webcache" in capsys.readouterr().err
    assert main(["intents", "webcache", "--draft-spec", "webcache"]) == 1
    assert "give one of" in capsys.readouterr().err
