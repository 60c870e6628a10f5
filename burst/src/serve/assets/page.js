// The page of bursts: what /api gives, drawn, and kept up by /api/events.
"use strict";

const COLOURS = ["#2a78d6", "#eda100", "#1baf7a", "#8a5cd1", "#d1495b", "#5b8c9e"];
const state = { hours: 24, points: {}, decisions: [], status: null, plots: new Map() };

const node = (tag, text, name) => {
  const made = document.createElement(tag);
  if (text !== undefined) made.textContent = text;
  if (name) made.className = name;
  return made;
};
const style = (name) => getComputedStyle(document.documentElement).getPropertyValue(name).trim();
const dollars = (amount) => Number(amount).toLocaleString("en", { style: "currency", currency: "USD" });
const get = async (path) => {
  const answer = await fetch(path);
  return answer.ok ? answer.json() : null;
};

// ---- charts ----

function rangeOf(points) {
  const last = points.length ? points[points.length - 1].at : Date.now() / 1000;
  return [last - state.hours * 3600, last];
}

function within(points) {
  const [from] = rangeOf(points);
  return points.filter((point) => point.at >= from);
}

const axes = (format) => [
  { stroke: style("--soft"), grid: { stroke: style("--line"), width: 1 }, ticks: { show: false }, space: 70 },
  { stroke: style("--soft"), grid: { stroke: style("--line"), width: 1 }, ticks: { show: false }, size: 52,
    values: (_, ticks) => ticks.map((tick) => format(tick)) },
];
const whole = (tick) => (Number.isInteger(tick) ? String(tick) : "");
const steps = () => uPlot.paths.stepped({ align: 1 });
const line = (label, colour, more = {}) => ({
  label, stroke: colour, width: 1.75, paths: steps(), points: { show: false }, ...more,
});

// Each site on top of those before it; what stands in the legend is its own number.
function fleet(points) {
  const sites = [...new Set(points.flatMap((point) => Object.keys(point.by_site)))].sort();
  const below = points.map(() => 0);
  const tops = sites.map((site) => points.map((point, at) => (below[at] += point.by_site[site] || 0)));
  const order = sites.map((_, at) => sites.length - 1 - at);
  const own = (site) => (_, value, __, at) => (at == null || !points[at] ? "–" : String(points[at].by_site[site] || 0));
  return {
    data: [points.map((point) => point.at), ...order.map((at) => tops[at]), points.map((point) => point.want)],
    series: [{}, ...order.map((at) => line(sites[at], COLOURS[at % COLOURS.length], {
      fill: COLOURS[at % COLOURS.length], width: 1, value: own(sites[at]),
    })), line("wanted", style("--text"), { dash: [5, 4], width: 1.25 })],
    axes: axes(whole), height: 260,
  };
}

function demand(points, limits) {
  return {
    data: [points.map((p) => p.at), points.map((p) => p.ready), points.map((p) => p.need), points.map(() => limits.max)],
    series: [{}, line("ready", COLOURS[0], { fill: COLOURS[0] + "22" }), line("needed", style("--need")),
      line("max", style("--soft"), { dash: [2, 4], width: 1 })],
    axes: axes(whole), height: 220,
  };
}

function cost(points, limits) {
  const data = [points.map((p) => p.at), points.map((p) => p.hour)];
  const series = [{}, line("USD an hour", COLOURS[1], { fill: COLOURS[1] + "22", value: (_, v) => (v == null ? "–" : dollars(v)) })];
  if (limits.hourly != null) {
    data.push(points.map(() => limits.hourly));
    series.push(line("limit", style("--wrong"), { dash: [5, 4], value: (_, v) => (v == null ? "–" : dollars(v)) }));
  }
  return { data, series, axes: axes((tick) => "$" + tick), height: 220 };
}

const CHARTS = { fleet, demand, cost };

function draw(name, section) {
  const track = state.points[name];
  if (!track) return;
  const points = within(track.points);
  for (const place of section.querySelectorAll(".plot")) {
    const kind = place.dataset.chart;
    const chart = CHARTS[kind](points, track.limits);
    const key = name + "/" + kind;
    const known = state.plots.get(key);
    const shape = JSON.stringify([chart.series.map((one) => one.label), state.hours, matchMedia("(prefers-color-scheme: dark)").matches]);
    if (known && known.shape === shape) {
      known.width !== place.clientWidth && known.plot.setSize({ width: known.width = place.clientWidth, height: chart.height });
      known.plot.setData(chart.data, false);
      const [min, max] = rangeOf(track.points);
      known.plot.setScale("x", { min, max });
      continue;
    }
    if (known) known.plot.destroy();
    const plot = new uPlot({
      width: place.clientWidth, height: chart.height, series: chart.series, axes: chart.axes,
      cursor: { drag: { x: false, y: false }, points: { show: false }, sync: { key: name } },
      scales: {
        x: { range: () => rangeOf(state.points[name].points) },
        y: { range: (_, __, most) => [0, Math.max(1e-9, most || 1) * 1.08] },
      },
    }, chart.data, place);
    state.plots.set(key, { plot, shape, width: place.clientWidth });
  }
}

// ---- what is told in words ----

function tile(list, name, value, more) {
  const box = node("div");
  const number = node("dd", value);
  if (more) number.append(" ", node("small", more));
  box.append(node("dt", name), number);
  list.append(box);
}

function tell(list, lines) {
  list.hidden = !lines.length;
  list.replaceChildren(...lines.map((text) => node("li", text)));
}

function doing(step) {
  const verbs = { resume: "put back to work", create: "make", preempt: "tell to give way", drain: "drain", release: "let go" };
  const offer = step.offer ? ` ${step.offer}${step.spot ? " (spot)" : ""}` : "";
  return `${verbs[step.op]} ${step.count}${offer} at ${step.site} ${step.zone}`;
}

function table(headings, rows) {
  const made = node("table");
  const head = node("tr");
  head.append(...headings.map((text) => node("th", text)));
  made.append(head, ...rows.map((cells) => {
    const row = node("tr");
    row.append(...cells.map((text) => node("td", text, typeof text === "number" ? "number" : "")));
    return row;
  }));
  return made;
}

function why(decision) {
  const box = node("div", undefined, "why");
  for (const step of decision.steps) {
    const cost = Number(step.usd_hour) > 0 ? `, ${dollars(step.usd_hour)} an hour` : "";
    box.append(node("p", doing(step) + cost + (step.ids.length ? ": " + step.ids.join(", ") : "")));
  }
  box.append(table(["asks", "machines", "because"], decision.needs.map((need) => [need.by, need.machines, need.because])));
  box.append(table(["signal", "value", "age", "state"], decision.signals.map((signal) => [
    signal.name, signal.value == null ? "–" : Number(signal.value.toPrecision(6)), signal.age_s == null ? "–" : signal.age_s + " s", signal.state])));
  for (const limit of decision.limits) box.append(node("p", `held back by ${limit.by}: ${limit.to} instead of ${limit.from}`));
  for (const alarm of [...decision.alarms, ...(decision.done ? decision.done.problems : [])]) box.append(node("p", alarm, "wrong"));
  return box;
}

function entry(decision) {
  const item = node("li");
  item.dataset.id = decision.id;
  const details = node("details");
  const summary = node("summary");
  const at = new Date(decision.at);
  const when = node("time", at.toLocaleString("en-GB", { month: "short", day: "numeric", hour: "2-digit", minute: "2-digit", second: "2-digit" }));
  when.dateTime = decision.at;
  const what = decision.steps.length ? decision.steps.map(doing).join("; ") : `${decision.want} wanted, by ${decision.decided_by}`;
  summary.append(when, node("span", decision.action, "action " + decision.action), node("span", what, "what"), node("span", decision.id.slice(0, 8), "id"));
  details.append(summary);
  details.addEventListener("toggle", () => { if (details.open && details.children.length < 2) details.append(why(decision)); });
  item.append(details);
  return item;
}

// ---- the whole ----

function sectionOf(name) {
  let section = document.getElementById("burst-" + name);
  if (!section) {
    section = document.getElementById("burst").content.firstElementChild.cloneNode(true);
    section.id = "burst-" + name;
    section.querySelector("h2").textContent = "burst." + name;
    document.getElementById("bursts").append(section);
  }
  return section;
}

function showStatus() {
  const status = state.status;
  const leader = document.getElementById("leader");
  if (!status) {
    leader.textContent = "No controller has run in this folder.";
    return;
  }
  const late = Date.now() - Date.parse(status.at) > 3000 * Math.max(10, status.interval_s);
  const who = status.leader ? `${status.leader.holder} leads, epoch ${status.leader.epoch}` : "nobody is known to lead";
  const at = new Date(status.at).toLocaleString("en-GB");
  leader.textContent = late ? `Nothing since ${at}: the controller is gone.` : `${who}; every ${status.interval_s} s, last at ${at}`;
  leader.classList.toggle("wrong", late);
  tell(document.getElementById("problems"), status.problems);
  for (const burst of status.bursts) {
    const section = sectionOf(burst.name);
    const last = burst.last;
    const held = burst.limited_by.length ? `; held back by ${burst.limited_by.join(", ")}` : "";
    section.querySelector(".last").textContent = (last ? `${burst.fleet}: ${last.action}, decided by ${last.decided_by}` : burst.fleet) + held;
    const tiles = section.querySelector(".tiles");
    tiles.replaceChildren();
    tile(tiles, "wanted", String(burst.want), `of ${burst.min} to ${burst.max}`);
    tile(tiles, "ready", String(burst.ready));
    tile(tiles, "booting", String(burst.pending));
    tile(tiles, "draining", String(burst.draining));
    const limit = (word) => (burst.limit && burst.limit.endsWith(word) ? "of " + burst.limit.split(" in ")[0] : "");
    tile(tiles, "an hour", dollars(burst.hour), limit("hour"));
    tile(tiles, "this month", dollars(burst.month), limit("month"));
    tell(section.querySelector(".alarms"), burst.alarms);
  }
}

function showAll() {
  showStatus();
  for (const name of Object.keys(state.points)) draw(name, sectionOf(name));
  for (const section of document.querySelectorAll(".burst")) {
    const name = section.id.slice("burst-".length);
    const mine = state.decisions.filter((one) => one.burst === name).slice(0, 60);
    const list = section.querySelector(".decisions");
    const known = new Map([...list.children].map((item) => [item.dataset.id, item]));
    list.replaceChildren(...mine.map((one) => known.get(one.id) || entry(one)));
    section.querySelector(".empty").hidden = mine.length > 0;
  }
  document.body.dataset.ready = "yes";
}

async function readAll() {
  const [status, points, decisions] = await Promise.all([get("/api/status"), get("/api/points"), get("/api/decisions?limit=200")]);
  state.status = status;
  state.points = points ? points.bursts : {};
  state.decisions = decisions ? decisions.decisions : [];
  showAll();
}

function listen() {
  const events = new EventSource("/api/events");
  let first = true;
  // After a break, what was missed is read anew.
  events.addEventListener("open", () => { first ? (first = false) : readAll(); });
  events.addEventListener("status", (event) => { state.status = JSON.parse(event.data); showStatus(); });
  events.addEventListener("decision", (event) => {
    const { burst, point, decision } = JSON.parse(event.data);
    const track = state.points[burst];
    if (!track) { readAll(); return; }
    track.points.push(point);
    const before = state.decisions.find((one) => one.burst === burst);
    const same = before && before.action === decision.action && before.want === decision.want;
    if (decision.steps.length || !same) state.decisions.unshift(decision);
    showAll();
  });
}

for (const button of document.querySelectorAll("nav button")) {
  button.addEventListener("click", () => {
    state.hours = Number(button.dataset.hours);
    for (const other of document.querySelectorAll("nav button")) other.setAttribute("aria-pressed", String(other === button));
    showAll();
  });
}
addEventListener("resize", showAll);
matchMedia("(prefers-color-scheme: dark)").addEventListener("change", showAll);
readAll().then(listen);
