// Shows the result of plan_changes or get_plan in a client that renders apps. It shows and nothing else: it calls no
// tool, sends no message and opens nothing. Every text is of a host or a model, and becomes a text node.
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


  const showChange = (change, edges) => {
    const known = Object.hasOwn(SYMBOLS, change.action);
    const action = [known ? `${SYMBOLS[change.action]} ` : "", show(change.action)];
    const title = [
      el("span", `action ${known ? change.action : "run"}`, action), " ",
      el("span", "target", show(change.target || change.module)),
    ];
    const role = change.role ? [" · ", show(change.role)] : "";
    const by = el("p", "by", `Step ${Number(change.step)}`, role, " · ", show(change.task));
    const nothing = change.diff === "(sensitive)" ? "The content is withheld: it holds a secret."
      : change.diff ? "" : "The module reports no content for this change.";
    const body = nothing ? el("p", "withheld", nothing) : diff(change, edges);
    return el("article", "change", el("h4", "", title), by, body);
  };

  const showGroup = (group, open, edges) => {
    const { hosts, changes, blind_spots: spots } = group;
    const error = group.error ?? "";
    const deletes = deleted(group);
    const found = [plural(changes.length, "change"), deletes && `${deletes} deleted`];
    if (spots.length) found.push(`${spots.length} not predicted`);
    if (edges.partial) found.push("as far as this page goes");
    const nothing = !changes.length && !spots.length && !edges.partial;
    const says = error ? ["cannot be planned"] : nothing ? ["nothing to change"] : found;
    const count = hosts.length + (group.more_hosts ?? 0);
    const head = el("h3", "", `${plural(count, "host")}: `, names(hosts.slice(0, 4)), count > 4 ? " …" : "");
    const line = el("summary", "", head, el("span", "muted", says.filter(Boolean).join(", ")));
    const made = el("details", deletes ? "group card destructive" : "group card", line);
    const more = group.more_hosts ? ` and ${group.more_hosts} more` : "";
    if (count > 4) made.append(el("p", "all-hosts", names(hosts), more));
    if (error) made.append(el("pre", "alert warn", show(error, HIDDEN_IN_LINES)));
    made.append(...spots.map((spot) => alert("warn", "Not predicted:", show(spot.task), ": ", show(spot.reason))));
    made.append(...changes.map((change, at) => showChange(change, at ? {} : edges)));
    made.open = open || Boolean(deletes || spots.length || error);
    return made;
  };

  const showApproval = (plan) => {
    const { required, given, channels = [], reason = "", by = "", channel = "" } = plan.approval ?? {};
    const made = el("section", "card", el("h2", "", "Approval"));
    const why = reason ? [": ", show(reason)] : "";
    if (given) made.append(el("p", "", "Approved by ", show(by), " through ", show(channel), "; not applied yet."));
    else if (!required) made.append(el("p", "", "No person is asked", why, "."));
    else {
      made.append(el("p", "", "A person has to approve it", why, ". Any of these ways counts:"));
      const way = (name) => (Object.hasOwn(WAYS, name) ? WAYS[name](plan.plan_id) : show(name));
      made.append(el("ul", "ways", channels.map((name) => el("li", "", way(name)))));
    }
    const because = "a click in this view would reach Intendant as a call of the model does.";
    made.append(el("p", "muted", `Nothing can be approved here: ${because}`));
    return made;
  };

  const pair = ([name, value]) => el("div", "", el("dt", "", name), el("dd", "", value));
  const told = (text) => (text ? el("p", "muted", "What the assistant was told to do next: ", show(text)) : []);

  const showPlan = (plan) => {
    const { counts = {}, groups = [] } = plan;
    rowsLeft = MOST_ROWS;
    const open = plan.status === "pending";
    const summary = el("section", "card", el("h2", "", open ? "What will happen" : "What was planned"));
    const until = show(`${plan.expires_at.slice(0, 16).replace("T", " ")} UTC`);
    const facts = [["Plan", code(plan.plan_id)], ["Digest", code(plan.digest.slice(0, 16))], ["Valid until", until]];
    const total = ([action, number]) => {
      const css = number && Object.hasOwn(SYMBOLS, action) ? action : "zero";
      return el("li", css, el("b", "", String(Number(number))), " to ", show(action));
    };
    summary.append(el("dl", "facts", facts.map(pair)), el("ul", "totals", Object.entries(counts).map(total)));
    const warn = (title, ...text) => summary.append(alert("warn", title, ...text));
    const deletes = Number(counts.delete ?? 0);
    if (deletes) summary.append(alert("bad", "Destructive.", `It deletes ${plural(deletes, "thing")}.`));
    if (!plan.complete)
      warn("Incomplete.", "Something could not be predicted or planned: a run may do more, or less, than is shown.");
    if (plan.errored) warn("No prediction", "for some hosts: they will not be touched.");
    if (plan.complete && !plan.applyable)
      summary.append(el("p", "", "Nothing to change: the hosts are already as asked."));
    const rest = () => [" ", code(`intendant show ${plan.plan_id}`), " has all of it."];
    if (asked.host)
      warn("One host.", "Only ", show(asked.host), " is shown; the numbers are of the whole plan.", rest());
    if (asked.cursor) warn("A later page.", "The plan begins on an earlier one.", rest());
    if (plan.next_cursor)
      warn("More.", "The plan goes on: ask for the page at cursor ", code(plan.next_cursor), ".", rest());
    if (groups.some((group) => group.changes.some(isShortened)))
      warn("Shortened.", "Diffs that are said to be a part are longer.", rest());
    // A diff that is longer than a page has its place in the cursor.
    const [goesOn, goesFurther] = [asked.cursor, plan.next_cursor].map((cursor) => String(cursor ?? "").includes("."));
    const few = groups.length <= OPEN_GROUPS;
    const shown = groups.map((group, at) => {
      const partial = Boolean((at === 0 && asked.cursor) || (at === groups.length - 1 && plan.next_cursor));
      return showGroup(group, few, { partial, goesOn: goesOn && !at, goesFurther: goesFurther && !at });
    });
    const hosts = el("section", "", el("h2", "", "Changes"), shown);
    hosts.id = "hosts";
    return [summary, hosts, open && plan.applyable ? showApproval(plan) : [], told(plan.next)];
  };

  const showUncertain = (plan) => {
    const items = (plan.candidates ?? []).map((it) => {
      const params = Object.entries(it.params ?? {}).map(([name, value]) => pair([show(name), code(value)]));
      const missing = it.missing?.length ? el("p", "by", "Still to be said: ", names(it.missing)) : "";
      const title = el("strong", "", show(it.title || it.intent));
      return el("li", "", title, " ", code(it.intent), params.length ? el("dl", "params", params) : "", missing);
    });
    const asks = el("p", "alert warn", show(plan.question, HIDDEN_IN_LINES));
    const question = el("section", "card", el("h2", "", "A question first"), asks);
    if (items.length) question.append(el("h3", "", "What may be meant"), el("ol", "steps", items));
    return [question, told(plan.next)];
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
    else if (plan) place(plan.status ?? "", [el("p", "card", "The plan is still being made."), told(plan.next)]);
    else place("", notice("warn", text));
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
      const refused = { error: { code: -32601, message: "This view only shows." } };
      send({ id: data.id, ...(known ? { result: {} } : refused) });
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
