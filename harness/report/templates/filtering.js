"use strict";
// Filters all cells of a run. They come column by column, packed; a filter reads codes and makes a page of rows.
{
  const FIRST = 50, MORE = 500;
  const query = document.getElementById("filter");
  const status = document.getElementById("status");
  const table = document.getElementById("results");
  const more = document.getElementById("more");
  const count = new Intl.NumberFormat("en");
  let cells, matching = [], shown = 0;

  const unpacked = async () => {
    const bytes = Uint8Array.from(atob(document.getElementById("cells").textContent), (letter) => letter.charCodeAt(0));
    const stream = new Blob([bytes]).stream().pipeThrough(new DecompressionStream("gzip"));
    const told = await new Response(stream).json();
    for (const field of Object.values(told.fields)) {
      field.codes = Uint32Array.from(field.codes);
      field.lower = field.names.map((name) => name.toLowerCase());
    }
    return told;
  };

  // A query is terms: minus, field, value. A name that is no field is a part of the word.
  const terms = (text) => Array.from(text.toLowerCase().matchAll(/(-?)(?:([a-z]+):)?("[^"]*"|\S+)/g), ([, minus, field, value]) => {
    value = value.replaceAll('"', "");
    return field && !(field in cells.fields) ? { minus, value: `${field}:${value}` } : { minus, field, value };
  });

  // A star stands for anything, in a whole name or in a part of one.
  const pattern = (value) => value.split("*").map((part) => part.replace(/[.+?^${}()|[\]\\]/g, "\\$&")).join(".*");
  const is = (value) => value.includes("*") ? (name) => new RegExp(`^${pattern(value)}$`, "s").test(name) : (name) => name === value;
  const has = (value) => value.includes("*") ? (name) => new RegExp(pattern(value), "s").test(name) : (name) => name.includes(value);

  // Every check is a list of columns, each with the codes that satisfy it; a cell has to satisfy one of them.
  const checks = (text) => {
    const found = [], wanted = {}, sought = Object.keys(cells.fields).filter((field) => field !== "known");
    const column = (field, fits) => [cells.fields[field].codes, Uint8Array.from(cells.fields[field].lower, (name) => Number(fits(name)))];
    for (const { minus, field, value } of terms(text)) {
      const fits = (field ? is : has)(value);
      if (field && !minus) (wanted[field] ??= []).push(fits);
      else if (field) found.push([column(field, (name) => !fits(name))]);
      else if (minus) found.push(...sought.map((each) => [column(each, (name) => !fits(name))]));
      else found.push(sought.map((each) => column(each, fits)).filter(([, satisfied]) => satisfied.includes(1)));
    }
    for (const [field, tests] of Object.entries(wanted)) found.push([column(field, (name) => tests.some((fits) => fits(name)))]);
    return found;
  };

  const filter = () => {
    const total = cells.scores.length, kept = new Uint8Array(total).fill(1);
    for (const columns of checks(query.value)) {
      const satisfied = new Uint8Array(total);
      for (const [codes, fits] of columns) for (let index = 0; index < total; index++) satisfied[index] |= fits[codes[index]];
      for (let index = 0; index < total; index++) kept[index] &= satisfied[index];
    }
    matching = [];
    for (let index = 0; index < total; index++) if (kept[index]) matching.push(index);
    shown = 0;
    table.tBodies[0].replaceChildren();
    tell(total);
    extend();
  };

  const tell = (total) => {
    const { names, codes } = cells.fields.verdict, tally = new Array(names.length).fill(0);
    for (const index of matching) tally[codes[index]]++;
    const verdicts = names.map((name, code) => tally[code] && `${cells.symbols[code]} ${count.format(tally[code])} ${name}`).filter(Boolean);
    status.textContent = `${count.format(matching.length)} of ${count.format(total)} cells${verdicts.length ? `: ${verdicts.join(", ")}` : ""}`;
  };

  const extend = () => {
    const rows = document.createDocumentFragment(), end = shown + (shown ? MORE : FIRST);
    for (const index of matching.slice(shown, end)) rows.append(row(index));
    table.tBodies[0].append(rows);
    shown = Math.min(end, matching.length);
    more.hidden = shown === matching.length;
    more.textContent = `Show more: ${count.format(matching.length - shown)} are left`;
  };

  const name = (field, index) => cells.fields[field].names[cells.fields[field].codes[index]];
  const part = (tag, text, kind = "", place = "") => {
    const made = document.createElement(tag);
    made.textContent = text;
    if (kind) made.className = kind;
    if (place) made.dataset.place = place;
    if (tag === "td") made.role = "cell";
    return made;
  };
  // A name may be broken after what parts its words, and stays whole where somebody copies it.
  const named = (made, text) => {
    for (const piece of text.split(/(?<=[_./])/)) made.append(piece, document.createElement("wbr"));
    return made;
  };
  const link = (text, href) => {
    const made = named(part("a", ""), text);
    made.href = href;
    return made;
  };

  const row = (index) => {
    const made = document.createElement("tr"), verdict = name("verdict", index), page = name("page", index);
    made.role = "row";
    const word = part("span", `${cells.symbols[cells.fields.verdict.codes[index]]} ${verdict}`, `v-${verdict}`);
    const first = part("td", ""), second = part("td", "");
    if (page) {
      const around = link("", page);
      around.append(word);
      first.append(around);
    } else first.append(word);
    second.append(link(name("operation", index), cells.pages[cells.fields.operation.codes[index]]));
    const score = cells.scores[index];
    made.append(
      first, second,
      ...["implementation", "property", "device", "dtype"].map((field) => named(part("td", ""), name(field, index))),
      part("td", score === null ? "" : score >= 1e6 ? score.toExponential(1) : String(score), "n", "u"),
      part("td", cells.extents[index] || count.format(cells.cases[index]), "n", "cases"),
      part("td", name("reason", index), "told"),
    );
    return made;
  };

  const fromAddress = () => {
    try {
      query.value = decodeURIComponent(location.hash.slice(1));
    } catch {
      query.value = location.hash.slice(1);
    }
    filter();
  };

  const start = async () => {
    try {
      cells = await unpacked();
    } catch (failure) {
      status.textContent = `The results can't be unpacked in this browser (${failure.message}); they stand on the operations' pages too.`;
      return;
    }
    table.hidden = false;
    query.disabled = false;
    query.addEventListener("input", () => {
      history.replaceState(null, "", query.value ? `#${encodeURIComponent(query.value)}` : location.pathname);
      filter();
    });
    addEventListener("hashchange", fromAddress);
    more.addEventListener("click", extend);
    fromAddress();
  };
  start();
}
