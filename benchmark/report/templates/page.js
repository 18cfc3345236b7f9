"use strict";
const data = JSON.parse(document.getElementById("data").textContent);
const trialTable = document.getElementById("trial-table");
const dialog = document.getElementById("details");
const chosen = document.getElementById("chosen");

// Sorting: a number where the text begins like one, else the text; what is missing comes last.

function sortKey(cell) {
  const text = cell.textContent.trim();
  if (text === "" || text === "–") return null;
  const number = parseFloat(text.replace(/−/g, "-").replace(/^[[<+≠\s]+/, "").replace(/,(?=\d{3})/g, ""));
  return Number.isNaN(number) || !cell.classList.contains("number") ? text : number;
}

function compare(a, b) {
  if (typeof a === "number" && typeof b === "number") return a - b;
  return String(a).localeCompare(String(b), "en", { numeric: true });
}

function sort(table, column, direction) {
  const body = table.tBodies[0];
  const rows = Array.from(body.rows, (row) => ({ row, key: sortKey(row.cells[column]) }));
  rows.sort((a, b) => {
    if (a.key === null || b.key === null) return (a.key === null) - (b.key === null);
    return direction * compare(a.key, b.key);
  });
  body.append(...rows.map((entry) => entry.row));
}

for (const table of document.querySelectorAll("table.sortable")) {
  const headings = Array.from(table.tHead.rows[0].cells);
  headings.forEach((heading, column) => {
    heading.querySelector("button")?.addEventListener("click", () => {
      const ascending = heading.getAttribute("aria-sort") !== "ascending";
      for (const other of headings) other.removeAttribute("aria-sort");
      heading.setAttribute("aria-sort", ascending ? "ascending" : "descending");
      sort(table, column, ascending ? 1 : -1);
    });
  });
}

// Details of a trial, made when they are asked for.

const placeOf = new Map(data.trials.map((trial, place) => [trial[0], place]));

function element(tag, text, parent, name) {
  const made = document.createElement(tag);
  if (text !== undefined) made.textContent = text;
  if (name) made.className = name;
  if (parent) parent.append(made);
  return made;
}

function flat(value, prefix = "") {
  if (value === null || typeof value !== "object") return [[prefix, value === null ? "–" : String(value)]];
  if (Array.isArray(value)) return [[prefix, value.join(", ") || "–"]];
  const parts = Object.entries(value).flatMap(([key, inner]) => flat(inner, prefix ? `${prefix}.${key}` : key));
  return parts.length ? parts : [[prefix, "–"]];
}

function properties(parent, title, value) {
  const pairs = flat(value).filter(([name]) => name);
  if (!pairs.length) return;
  element("h3", title, parent);
  const list = element("dl", undefined, parent, "properties");
  for (const [name, text] of pairs) {
    element("dt", name, list);
    element("dd", text, list);
  }
}

function show(key) {
  const [, core, sampler, environment, finished, weights, error, cells, traceback] = data.trials[placeOf.get(key)];
  const row = document.getElementById(`trial-${key}`);
  const text = (column) => row.cells[column].textContent;
  document.getElementById("details-title").textContent = `Trial ${key}`;
  const parent = dialog.querySelector("div");
  parent.replaceChildren();
  properties(parent, "Training", {
    arm: text(1), seed: text(2), "trained on": text(3), state: text(4), seconds: text(6) || null,
    finished: finished && `${new Date(1000 * finished).toISOString().slice(0, 19).replace("T", " ")} UTC`,
    "weights of the network": weights, error: text(9) ? `${text(9)}: ${error}` : null,
  });
  if (traceback) {
    element("h3", "Traceback", parent);
    element("pre", traceback, parent);
  }
  for (const [group, metrics] of cells) {
    const [study, preset, protocol, arm] = data.groups[group];
    const values = Object.fromEntries(metrics.map((value, i) => [data.metrics[i], `${value}°`]));
    properties(parent, `${study}: ${arm}, ${protocol}, preset ${preset}`, metrics.length ? values : { result: "none" });
  }
  const { sampler: name, parameters, sampler_source: source, ...others } = data.samplers[sampler];
  properties(parent, "Sampler", { sampler: name, parameters, sampler_source: source });
  properties(parent, "Data, version of the core and weights of a backbone", others);
  properties(parent, "Core", data.cores[core]);
  properties(parent, "Machine and versions", data.environments[environment]);
  dialog.showModal();
  dialog.scrollTop = 0;
}

// Addresses: #trials-NUMBER chooses the trials of a row, #trial-KEY opens one.

function choose(group) {
  const folded = trialTable.closest("details"); // a long list is
  if (folded) folded.open = true;
  const members = data.trials.filter((trial) => trial[7].some(([number]) => number === group));
  const keys = group === null ? null : new Set(members.map(([key]) => key));
  for (const row of trialTable.tBodies[0].rows) row.hidden = keys !== null && !keys.has(row.id.slice(6));
  chosen.hidden = keys === null;
  if (keys === null) return;
  const [study, preset, protocol, arm] = data.groups[group];
  const count = keys.size === 1 ? "1 trial" : `${keys.size} trials`;
  chosen.querySelector("span").textContent = `${count} of ${arm}: ${study}, ${protocol}, preset ${preset}.`;
}

function follow() {
  const group = /^#trials-(\d+)$/.exec(location.hash);
  const trial = /^#trial-([0-9a-f]+)$/.exec(location.hash);
  if (group && data.groups[Number(group[1])]) {
    choose(Number(group[1]));
    document.getElementById("trials").scrollIntoView();
    const first = trialTable.querySelector("tbody tr:not([hidden]) a");
    if (first) first.focus({ preventScroll: true });
  } else if (trial && placeOf.has(trial[1])) {
    document.getElementById(`trial-${trial[1]}`).hidden = false;
    show(trial[1]);
  }
}

chosen.querySelector("button").addEventListener("click", () => choose(null));
document.addEventListener("click", (event) => {
  const link = event.target.closest('a[href^="#trial"]');
  if (link && link.hash === location.hash) follow(); // the address does not change, so nothing else would happen
});
addEventListener("hashchange", follow);
addEventListener("beforeprint", () => {
  for (const part of document.querySelectorAll("section:not(.long) details")) part.open = true;
});
follow();
