// Shows the result of plan_changes or get_plan in a client that renders apps. It shows and nothing else: it calls no tool,
// sends no message and opens nothing. Every text is of a host or a model, and becomes a text node or is not shown.
(() => {
  const OPEN_GROUPS = 5;
  const SYMBOLS = {{ symbols | tojson }};
  const WAYS = {
    elicitation: () => ["the client's own question, which is asked when the plan is to be applied"],
    terminal: (id) => ["a terminal: ", code(`intendant review ${id}`)],
    page: (id) => ["the review page: ", code(`intendant review --web ${id}`)],
    passkey: (id) => ["a passkey, on the review page: ", code(`intendant review --web ${id}`)],
  };
  const find = (id) => document.getElementById(id);
  let asked = {};

{% include "app-parts.js" %}


  const showChange = (change, goesOn) => {
    const known = Object.hasOwn(SYMBOLS, change.action);
    const action = [known ? `${SYMBOLS[change.action]} ` : "", show(change.action)];
    const title = [
      el("span", `action ${known ? change.action : "run"}`, action), " ",
      el("span", "target", show(change.target || change.module)),
    ];
    const by = [`Step ${Number(change.step)}`, change.role ? [" · ", show(change.role)] : "", " · ", show(change.task)];
    const body = change.diff === "(sensitive)" ? el("p", "withheld", "The content is withheld: it holds a secret.")
      : change.diff ? diff(change, goesOn) : el("p", "withheld", "The module reports no content for this change.");
    return el("article", "change", el("h4", "", title), el("p", "by", by), body);
  };

  const showGroup = (group, open, goesOn) => {
    const { hosts, changes, blind_spots: spots } = group;
    const error = group.error ?? "";
    const says = error ? "cannot be planned" : !changes.length && !spots.length ? "nothing to change"
      : [plural(changes.length, "change"), deleted(group) ? `, ${deleted(group)} deleted` : "", spots.length ? `, ${spots.length} not predicted` : ""];
    const count = hosts.length + (group.more_hosts ?? 0);
    const head = el("h3", "", `${plural(count, "host")}: `, names(hosts.slice(0, 4)), count > 4 ? " …" : "");
    const made = el("details", deleted(group) ? "group card destructive" : "group card", el("summary", "", head, el("span", "muted", says)));
    if (count > 4) made.append(el("p", "all-hosts", names(hosts), group.more_hosts ? ` and ${group.more_hosts} more` : ""));
    if (error) made.append(el("pre", "alert warn", show(error, HIDDEN_IN_LINES)));
    made.append(...spots.map((spot) => alert("warn", "Not predicted:", show(spot.task), ": ", show(spot.reason))));
    made.append(...changes.map((change, at) => showChange(change, goesOn && !at)));
    made.open = open || Boolean(deleted(group) || spots.length || error);
    return made;
  };

  const showApproval = (plan) => {
    const { required, given, channels = [], reason = "", by = "", channel = "" } = plan.approval ?? {};
    const made = el("section", "card", el("h2", "", "Approval"));
    if (given) made.append(el("p", "", "Approved by ", show(by), " through ", show(channel), "; not applied yet."));
    else if (!required) made.append(el("p", "", "No person is asked", reason ? [": ", show(reason)] : "", "."));
    else {
      made.append(el("p", "", "A person has to approve it", reason ? [": ", show(reason)] : "", ". Any of these ways counts:"));
      const ways = channels.map((name) => el("li", "", Object.hasOwn(WAYS, name) ? WAYS[name](plan.plan_id) : show(name)));
      made.append(el("ul", "ways", ways));
    }
    made.append(el("p", "muted", "Nothing can be approved here: what is clicked in this view reaches Intendant as a call of the model would."));
    return made;
  };

  const facts = (pairs) => el("dl", "facts", pairs.map(([name, value]) => el("div", "", el("dt", "", name), el("dd", "", value))));
  const told = (text) => (text ? el("p", "muted", "What the assistant was told to do next: ", show(text)) : []);

  const showPlan = (plan) => {
    const { counts = {}, groups = [] } = plan;
    rowsLeft = MOST_ROWS;
    const summary = el("section", "card", el("h2", "", plan.status === "pending" ? "What will happen" : "What was planned"));
    const totals = Object.entries(counts).map(([action, number]) =>
      el("li", number && Object.hasOwn(SYMBOLS, action) ? action : "zero", el("b", "", String(Number(number))), " to ", show(action)));
    summary.append(facts([["Plan", code(plan.plan_id)], ["Digest", code(plan.digest.slice(0, 16))], ["Valid until", show(`${plan.expires_at.slice(0, 16).replace("T", " ")} UTC`)]]));
    summary.append(el("ul", "totals", totals));
    if (counts.delete) summary.append(alert("bad", "Destructive.", `It deletes ${plural(Number(counts.delete), "thing")}.`));
    if (!plan.complete) summary.append(alert("warn", "Incomplete.", "Something could not be predicted or planned: a run may do more, or less, than is shown."));
    if (plan.errored) summary.append(alert("warn", "No prediction", "for some hosts: they will not be touched."));
    if (plan.complete && !plan.applyable) summary.append(el("p", "", "Nothing to change: the hosts are already as asked."));
    const rest = () => [code(`intendant show ${plan.plan_id}`), " has all of it."];
    if (asked.host) summary.append(alert("warn", "One host.", "Only ", show(asked.host), " is shown; the numbers are of the whole plan. ", rest()));
    if (asked.cursor) summary.append(alert("warn", "A later page.", "The plan begins on an earlier one. ", rest()));
    if (plan.next_cursor) summary.append(alert("warn", "More.", "The plan goes on: ask for the page at cursor ", code(plan.next_cursor), ". ", rest()));
    summary.append(told(plan.next));
    const goesOn = (at) => at === 0 && String(asked.cursor ?? "").includes(".");
    const shown = groups.map((group, at) => showGroup(group, groups.length <= OPEN_GROUPS, goesOn(at)));
    const hosts = el("section", "", el("h2", "", "Changes"), shown);
    hosts.id = "hosts";
    return [summary, hosts, plan.status === "pending" && plan.applyable ? showApproval(plan) : []];
  };

  const showUncertain = (plan) => {
    const items = (plan.candidates ?? []).map((it) => {
      const params = Object.entries(it.params ?? {}).map(([name, value]) => el("div", "", el("dt", "", show(name)), el("dd", "", code(value))));
      return el("li", "", el("strong", "", show(it.title || it.intent)), " ", code(it.intent), el("dl", "params", params),
        it.missing?.length ? el("p", "by", "Still to be said: ", names(it.missing)) : "");
    });
    const question = el("section", "card", el("h2", "", "A question first"), el("p", "alert warn", show(plan.question, HIDDEN_IN_LINES)));
    if (items.length) question.append(el("h3", "", "What may be meant"), el("ol", "steps", items));
    question.append(el("p", "muted", "Nothing was planned."), told(plan.next));
    return [question];
  };

  const notice = (css, text) => [el("pre", `alert ${css}`, show(text, HIDDEN_IN_LINES))];
  const place = (status, parts) => {
    find("status").hidden = !status;
    find("status").replaceChildren(...show(status));
    find("plan").replaceChildren(...parts.flat());
  };
  const render = (result) => {
    const plan = result.structuredContent;
    const text = (result.content ?? []).filter((item) => item.type === "text").map((item) => item.text).join("\n");
    if (result.isError) place("failed", notice("bad", text));
    else if (plan?.status === "uncertain") place(plan.status, showUncertain(plan));
    else if (plan?.digest) place(plan.status, showPlan(plan));
    else place(plan?.status ?? "", plan ? [el("p", "card", "The plan is still being made."), told(plan.next)] : notice("warn", text));
  };

  const HANDLERS = new Map([
    ["ui/notifications/tool-input", ({ arguments: given }) => {
      asked = given ?? {};
      const steps = Array.isArray(asked.steps) ? asked.steps.map((step) => step.intent).join(", ") : "";
      const title = asked.request || [steps, asked.hosts].filter(Boolean).join(" on ") || asked.plan_id || "A plan";
      find("title").replaceChildren(...show(String(title).slice(0, 200)));
    }],
    ["ui/notifications/tool-result", render],
    ["ui/notifications/tool-cancelled", () => place("cancelled", notice("warn", "The call was cancelled."))],
    ["ui/notifications/host-context-changed", ({ theme }) => {
      if (theme === "light" || theme === "dark") document.documentElement.dataset.theme = theme;
    }],
  ]);
  const send = (message) => parent.postMessage({ jsonrpc: "2.0", ...message }, "*");
  const report = () => {
    const height = Math.ceil(document.documentElement.getBoundingClientRect().height);
    send({ method: "ui/notifications/size-changed", params: { width: innerWidth, height } });
  };
  const begin = (context) => {
    HANDLERS.get("ui/notifications/host-context-changed")(context ?? {});
    send({ method: "ui/notifications/initialized", params: {} });
    new ResizeObserver(report).observe(document.documentElement);
  };
  addEventListener("message", ({ source, data }) => {
    if (source !== parent || data?.jsonrpc !== "2.0") return;
    if (data.method === undefined) {
      if (data.id === 1) begin(data.result?.hostContext);
    } else if (data.id !== undefined) {
      const known = data.method === "ping" || data.method === "ui/resource-teardown";
      send({ id: data.id, ...(known ? { result: {} } : { error: { code: -32601, message: "This view only shows." } }) });
    } else {
      try {
        HANDLERS.get(data.method)?.(data.params ?? {});
      } catch (error) {
        place("failed", notice("bad", `This result cannot be shown: ${error.message}`));
      }
    }
  });
  const appInfo = { name: "intendant-plan", version: "1" };
  const appCapabilities = { availableDisplayModes: ["inline", "fullscreen"] };
  send({ id: 1, method: "ui/initialize", params: { protocolVersion: "2026-01-26", appInfo, appCapabilities } });
})();
