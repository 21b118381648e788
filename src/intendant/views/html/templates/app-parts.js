  // Pieces of the page: safe texts and diffs. A part of app.js.
  const MOST_ROWS = 4000;
  const OPEN_ROWS = 120;
  const LONGEST_LINE = 2000;
  const LINE_END = 300;
  const HIDDEN = /(?!\t)[\p{Cc}\p{Cf}\p{Cs}\p{Zl}\p{Zp}]/gu;
  const HIDDEN_IN_LINES = /(?![\t\n])[\p{Cc}\p{Cf}\p{Cs}\p{Zl}\p{Zp}]/gu;
  let rowsLeft = MOST_ROWS;

  const el = (name, css, ...children) => {
    const made = document.createElement(name);
    if (css) made.className = css;
    made.append(...children.flat(9));
    return made;
  };
  const spell = (char) => {
    const point = char.codePointAt(0);
    const [letter, width] = point < 0x100 ? ["x", 2] : point < 0x10000 ? ["u", 4] : ["U", 8];
    return el("span", "spelled", `\\${letter}${point.toString(16).padStart(width, "0")}`);
  };
  // What cannot be seen is spelled, so that nobody decides by something else than what is there.
  const show = (value, hidden = HIDDEN) => {
    const text = typeof value === "string" ? value : JSON.stringify(value) ?? "";
    const pieces = [];
    let end = 0;
    for (const found of text.matchAll(hidden)) {
      pieces.push(text.slice(end, found.index), spell(found[0]));
      end = found.index + found[0].length;
    }
    return [...pieces, text.slice(end)];
  };
  const code = (value) => el("code", "", show(value));
  const alert = (css, title, ...text) => el("p", `alert ${css}`, el("strong", "", title), " ", text);
  const plural = (count, word) => `${count} ${word}${count === 1 ? "" : "s"}`;
  const names = (hosts) => hosts.flatMap((host, at) => (at ? [", ", ...show(host)] : show(host)));
  const deleted = (group) => group.changes.filter((change) => change.action === "delete").length;

  const isShortened = (change) => /… \(\+\d+ characters\)$/.test(change.diff);

  const cells = (text) => {
    if (text.length <= LONGEST_LINE) return show(text);
    const cut = el("span", "spelled", `[… ${text.length - LONGEST_LINE} characters left out …]`);
    return [...show(text.slice(0, LONGEST_LINE - LINE_END)), cut, ...show(text.slice(-LINE_END))];
  };
  const row = (name, number, sign, text) => {
    const edge = [el("span", "no", number ? String(number) : ""), el("span", "sign", sign)];
    return el(name, "line", edge, el("code", "", cells(text)));
  };
  const gap = (...text) => el("div", "gap", ...text);

  const diff = (change, { goesOn, goesFurther }) => {
    const lines = change.diff.split("\n");
    if (lines[0].startsWith("--- ") && lines[1]?.startsWith("+++ ") && lines[2]?.startsWith("@@ ")) lines.splice(0, 2);
    const shown = el("div", "code");
    let [old, fresh, added, removed, first] = [0, 0, 0, 0, true];
    const step = (number) => (number ? number + 1 : 0);
    for (const line of lines) {
      const hunk = /^@@ -(\d+)(?:,\d+)? \+(\d+)(?:,\d+)? @@/.exec(line);
      const made = () => {
        // It may be the rest of a line, whose sign is on the page before.
        if (goesOn && first) return [gap("The diff goes on from the page before."), row("div", 0, "", line)];
        if (hunk && goesOn && !old) return [gap("…")];
        const skipped = hunk ? Number(hunk[1]) - (old || 1) : 0;
        if (hunk) return skipped > 0 ? [gap(plural(skipped, "unchanged line"))] : [];
        if (line.startsWith("+")) return [row("ins", fresh, "+", line.slice(1))];
        if (line.startsWith("-")) return [row("del", old, "−", line.slice(1))];
        return line.startsWith("\\") ? [gap(show(line))] : [row("div", fresh, "", line.slice(1))];
      };
      if (rowsLeft > 0) shown.append(...made());
      rowsLeft -= 1;
      if (hunk) [old, fresh] = [Number(hunk[1]), Number(hunk[2])];
      else if (!(goesOn && first)) {
        const [plus, minus] = [line.startsWith("+"), line.startsWith("-")];
        [added, removed] = [added + plus, removed + minus];
        if (!plus && !line.startsWith("\\")) old = step(old);
        if (!minus && !line.startsWith("\\")) fresh = step(fresh);
      }
      first = false;
    }
    if (rowsLeft < 0) shown.append(gap(`${Math.min(-rowsLeft, lines.length)} more lines are not shown here.`));
    rowsLeft = Math.max(rowsLeft, 0);
    const part = goesOn || goesFurther || isShortened(change);
    const counts = [el("span", "plus", `+${added}`), " ", el("span", "minus", `−${removed}`)];
    const summary = el("summary", "", "Diff ", el("span", "counts", counts), part ? " (a part)" : "");
    const folded = el("details", "diff", summary, shown);
    folded.open = change.action === "delete" || added + removed <= OPEN_ROWS;
    return folded;
  };
