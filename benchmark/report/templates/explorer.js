// The explorer: what is chosen stands in the address (#explorer?study=...), and table and plot follow.
// Every number comes from Python; here they are only chosen, written and placed.

const explorer = document.getElementById("explorer");
const form = explorer.querySelector("form");
const known = JSON.parse(document.getElementById("explorer-data").textContent);
const MARKERS = { better: "▼", worse: "▲", equivalent: "■" };
document.documentElement.classList.add("scripting");

function select(name, choices, wanted) {
  const box = form.elements[name];
  box.replaceChildren(...choices.map(([value, text]) => new Option(text, value)));
  box.value = choices.some(([value]) => value === wanted) ? wanted : choices[0][0];
  box.closest("label").hidden = choices.length < 2;
  return box.value;
}

function degrees(value, sign = "", decimals = 2) {
  if (value === null) return "–";
  const text = Math.abs(value).toFixed(decimals);
  return (value > 0 ? sign : Number(text) ? "−" : "") + text;
}

function explore(choice) {
  const named = Object.entries(known.studies).map(([name, { title }]) => [name, title]);
  const study = known.studies[select("study", named, choice.get("study"))];
  const presets = Object.keys(study.rows);
  const groups = study.rows[select("preset", presets.map((name) => [name, name]), choice.get("preset"))];
  const protocols = Object.keys(groups).map((name) => [name, study.protocols[name]]);
  if (protocols.length > 1) protocols.push(["", "all"]);
  const protocol = select("protocol", protocols, choice.get("protocol"));
  const places = protocol ? [protocol] : Object.keys(groups);
  const metrics = Object.entries(known.metrics).filter(([name]) => places.some((place) => name in groups[place]));
  const metric = select("metric", metrics, choice.get("metric"));
  const rows = places.flatMap((place) => (groups[place][metric] ?? []).map(([arm, group, verdict, ...values]) => (
    { place, arm, group, verdict, ...Object.fromEntries(known.numbers.map((name, i) => [name, values[i]])) })));
  const arms = [...new Set(rows.map((row) => row.arm))];
  const wanted = choice.getAll("arm");
  const legend = form.querySelector("legend");
  legend.parentElement.replaceChildren(legend, ...arms.map((arm) => {
    const label = element("label");
    const box = element("input", undefined, label);
    Object.assign(box, { type: "checkbox", name: "arm", value: arm, checked: !wanted.length || wanted.includes(arm) });
    label.append(` ${arm}`);
    return label;
  }));
  const shown = rows.filter((row) => !wanted.length || wanted.includes(row.arm));
  tabulate(shown, study, metric, form.elements.preset.value, places.length > 1);
}

function tabulate(rows, study, metric, preset, several) {
  const table = explorer.querySelector("table");
  const margin = study.margin;
  const compared = rows.filter((row) => row.difference !== null);
  const drawn = compared.filter((row) => row.pairs >= known.intervals);
  const ends = [-margin, margin, ...compared.map((row) => row.difference), ...drawn.flatMap((row) => [row.low, row.high])];
  const [low, high] = [Math.min(...ends), Math.max(...ends)];
  const at = (value) => `${8 + (84 * (value - low)) / (high - low || 1)}%`;
  const mark = (cell, name, style, text = "") => Object.assign(element("i", text, cell, name).style, style);
  const ground = (cell) => {
    mark(cell, "margin", { left: at(-margin), right: `calc(100% - ${at(margin)})` });
    mark(cell, "zero", { left: at(0) });
  };

  table.classList.toggle("several", several);
  table.classList.toggle("undecided", metric !== "mae");
  for (const heading of table.tHead.rows[0].cells) heading.removeAttribute("aria-sort");
  table.caption.textContent = `${study.title}: ${known.metrics[metric]}, preset ${preset}, `
    + `against ${[...new Set(compared.map((row) => study.baselines[row.arm]))].join(" or ") || "nothing"}; `
    + `margin ± ${margin}°`;
  table.tBodies[0].replaceChildren(...rows.map((row) => {
    const verdict = row.verdict.split(" (")[0];
    const line = element("tr", undefined, undefined, `is-${verdict.replace(" ", "-")}`);
    const name = element("th", undefined, line);
    name.scope = "row";
    Object.assign(element("a", row.arm, name, "trace"), { href: `#trials-${row.group}` });
    element("td", study.protocols[row.place], line);
    const cell = element("td", undefined, line, "plot");
    ground(cell);
    const ends = row.low === null ? "" : ` [${degrees(row.low, "+")}, ${degrees(row.high, "+")}]`;
    const interval = degrees(row.difference, "+") + ends;
    if (drawn.includes(row)) mark(cell, "interval", { left: at(row.low), right: `calc(100% - ${at(row.high)})` });
    if (row.difference !== null) mark(cell, "mean", { left: at(row.difference) }, MARKERS[verdict] ?? "●");
    if (row.difference !== null) cell.title = `${row.arm}: ${interval}°`;
    const chances = [row.p_better, row.p_equivalent, row.p_worse].map((share) => (100 * share).toFixed(0)).join(" / ");
    const error = `${degrees(row.mean)}${row.half_width === null ? "" : ` ± ${degrees(row.half_width)}`}`;
    const texts = [interval, row.p_better === null ? "–" : chances, error, row.n];
    for (const text of texts) element("td", text, line, "number");
    element("td", row.verdict, line);
    return line;
  }));

  const scale = table.tFoot.querySelector(".plot");
  scale.replaceChildren();
  const size = 10 ** Math.floor(Math.log10((high - low || 1) / 2.5));
  const step = [5, 2, 1].map((times) => times * size).find((each) => (high - low) / each >= 2.5) ?? size;
  for (let i = Math.ceil(low / step); i <= high / step; i++) {
    mark(scale, i % 2 ? "odd tick" : "tick", { left: at(i * step) }, degrees(i * step, "+", Math.max(0, -Math.round(Math.log10(size)))));
  }

  const names = ["study", "preset", "protocol", "metric", "arm", "baseline", ...known.numbers, "verdict"];
  const same = { study: study.title, preset, metric };
  const lines = rows.map((row) => ({ ...same, ...row, protocol: row.place, baseline: study.baselines[row.arm] }));
  const csv = [names, ...lines.map((line) => names.map((name) => line[name] ?? ""))]
    .map((cells) => cells.map((cell) => `"${String(cell).replaceAll('"', '""')}"`).join(",")).join("\n");
  const file = `${form.elements.study.value}-${metric}.csv`;
  const href = `data:text/csv;charset=utf-8,${encodeURIComponent(`${csv}\n`)}`;
  Object.assign(explorer.querySelector(".csv"), { href, download: file });
}

function exploreAddress() {
  const [name, choice] = location.hash.slice(1).split("?");
  if (name !== "explorer" && form.elements.study.options.length) return; // an address of something else
  explore(new URLSearchParams(choice));
  if (name === "explorer") explorer.scrollIntoView();
}

form.addEventListener("change", (event) => {
  const choice = new URLSearchParams(new FormData(form));
  const boxes = [...form.querySelectorAll("input")];
  if (event.target.name === "study" || boxes.every((box) => box.checked)) choice.delete("arm");
  else if (!choice.has("arm")) choice.append("arm", ""); // no arm, which is not every arm
  history.replaceState(null, "", `#explorer?${choice}`);
  explore(choice);
  const again = [...form.querySelectorAll("input")].find((box) => box.value === event.target.value); // they are new
  if (event.target.name === "arm") again.focus();
});
addEventListener("hashchange", exploreAddress);
exploreAddress();
