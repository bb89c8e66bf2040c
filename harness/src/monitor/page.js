"use strict";

const byId = (id) => document.getElementById(id);

/** An element with text or children; every text of the store is text, never markup. */
function element(name, attributes, ...children) {
  const made = document.createElement(name);
  for (const [key, value] of Object.entries(attributes)) made.setAttribute(key, value);
  made.append(...children);
  return made;
}

function drawn(name, attributes, ...children) {
  const made = document.createElementNS("http://www.w3.org/2000/svg", name);
  for (const [key, value] of Object.entries(attributes)) made.setAttribute(key, value);
  made.append(...children);
  return made;
}

function duration(seconds) {
  const s = Math.max(0, Math.round(seconds));
  if (s < 120) return `${s} s`;
  if (s < 7200) return `${Math.floor(s / 60)} min`;
  return `${Math.floor(s / 3600)} h ${Math.floor(s / 60) % 60} min`;
}

const gigabytes = (bytes) => `${(bytes / 1e9).toFixed(2)} GB`;
const since = (time) => duration((Date.now() - Date.parse(time)) / 1000);

function facts(status) {
  const count = (state) => status.states[state] ?? 0;
  const rate = status.error_rate;
  const rows = [
    ["published", count("published")],
    ["running", count("running")],
    ["failed", count("failed"), count("failed") > 0],
    ["pending", count("pending")],
    ["error rate", rate === null ? "–" : `${(100 * rate).toFixed(1)} %`, rate > 0.02],
    ["time left", status.seconds_left === null ? "–" : duration(status.seconds_left)],
    ["memory", status.memory_bytes ? gigabytes(status.memory_bytes) : "–"],
  ];
  byId("facts").replaceChildren(...rows.map(([name, value, bad]) =>
    element("div", {}, element("dt", {}, name), element("dd", bad ? { class: "bad" } : {}, String(value)))));
}

function alerts(found, dead) {
  const lines = found.map((alert) => element("div", { class: `alert ${alert.severity}`, "data-rule": alert.rule },
    element("time", { datetime: alert.since }, `since ${since(alert.since)}`), element("b", {}, alert.severity), alert.text));
  if (dead.length > 0) lines.push(element("div", { class: "alert critical" }, `alerts are not told through ${dead.join(", ")}`));
  byId("alerts").replaceChildren(...(lines.length > 0 ? [element("h2", {}, "Alerts"), ...lines] : []));
}

function runs(all) {
  const live = all.filter((run) => run.heard === "live");
  const shown = live.length > 0 ? live : all.slice(0, 1);
  const cards = shown.map((run) => {
    const state = run.heard === "live" ? `at work for ${since(run.began)}`
      : run.heard === "lost" ? `lost, not heard of for ${since(run.renewed)}` : `${run.state} ${since(run.renewed)} ago`;
    const parts = [`${run.done} of ${run.months} done, ${run.failed} failed`, state];
    if (run.months_per_hour !== null) parts.push(`${Math.round(run.months_per_hour)} months/h`);
    if (run.seconds_left !== null) parts.push(`${duration(run.seconds_left)} left`);
    parts.push(`${run.retries} retries`);
    const items = run.running.map((month) => element("li", {}, `${month.month} ${month.stage} for ${since(month.since)}`));
    if (run.last_error) items.push(element("li", {}, `last error, ${run.last_error.month}: ${run.last_error.error}`));
    const head = element("div", { class: "head" }, element("b", {}, `${run.first} to ${run.last} on ${run.host}`),
      ...parts.map((part) => element("span", { class: "muted" }, part)));
    const bar = element("progress", { max: run.months, value: run.done + run.failed, "aria-label": "months done" });
    return element("div", { class: `run ${run.heard}` }, head, bar, element("ul", {}, ...items));
  });
  byId("runs").replaceChildren(...(cards.length > 0 ? [element("h2", {}, live.length > 0 ? "Runs" : "The last run"), ...cards] : []));
}

function calendar(months, figures) {
  const years = new Map();
  for (const month of months) {
    const [year, number] = month.month.split("-");
    if (!years.has(year)) years.set(year, Array(12).fill(null));
    years.get(year)[Number(number) - 1] = month;
  }
  const names = ["Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"];
  const head = element("tr", {}, element("th", {}), ...names.map((name) => element("th", { scope: "col" }, name)));
  const rows = [...years].map(([year, row]) => element("tr", {}, element("th", { scope: "row" }, year), ...row.map((month) => {
    if (month === null || month.state === "gap" || month.state === "removed") return element("td", {});
    const known = figures[month.month];
    const score = known?.score;
    const band = score === undefined ? "pending" : score >= 0.8 ? "high" : score >= 0.6 ? "medium" : "low";
    const kind = month.state === "published" ? band : month.state;
    const text = month.state === "published" && score !== undefined ? score.toFixed(2).replace("0.", ".") : "";
    const detail = known ? `, quality ${score.toFixed(3)}, ${known.rows} rows, ${known.seconds.toFixed(1)} s` : "";
    return element("td", { class: kind, "data-month": month.month, title: `${month.month} ${month.state}${detail}${month.error ? `: ${month.error}` : ""}` }, text);
  })));
  byId("calendar").replaceChildren(rows.length > 0 ? element("table", {}, head, ...rows) : element("p", { class: "muted" }, "no months yet"));
}

/** The last months, oldest first. */
const LAST = 24;
const STEPS = 5, W = 640, H = 240, LEFT = 44, BOTTOM = 24, TOP = 8;

function axes(most, label, months) {
  const parts = [];
  for (let step = 0; step <= STEPS; step++) {
    const y = TOP + (H - TOP - BOTTOM) * (1 - step / STEPS);
    parts.push(drawn("line", { x1: LEFT, x2: W, y1: y, y2: y }));
    parts.push(drawn("text", { x: LEFT - 6, y: y + 4, "text-anchor": "end" }, label(most * step / STEPS)));
  }
  const every = Math.ceil(months.length / 8);
  const width = (W - LEFT) / months.length;
  months.forEach((month, index) => {
    if (index % every === 0) parts.push(drawn("text", { x: LEFT + width * (index + 0.5), y: H - 6, "text-anchor": "middle" }, month));
  });
  return parts;
}

function keys(names) {
  return element("div", { class: "keys" }, ...names.map((name, index) => element("span", {},
    drawn("svg", { viewBox: "0 0 10 10", "aria-hidden": "true" }, drawn("rect", { width: 10, height: 10, rx: 2, class: `c${index}` })), name.replaceAll("_", " "))));
}

function chart(id, months, names, most, label, shapes) {
  if (months.length === 0 || !(most > 0)) return byId(id).replaceChildren(element("p", { class: "muted" }, "no months yet"));
  const picture = drawn("svg", { viewBox: `0 0 ${W} ${H}`, role: "img", "aria-label": id }, ...axes(most, label, months), ...shapes);
  byId(id).replaceChildren(keys(names), picture);
}

function stages(figures) {
  const months = Object.keys(figures).sort().slice(-LAST);
  const names = [...new Set(months.flatMap((month) => figures[month].stages.map(([name]) => name)))];
  const total = (month) => figures[month].stages.reduce((sum, [, seconds]) => sum + seconds, 0);
  const most = Math.max(0, ...months.map(total)) * 1.05;
  const width = (W - LEFT) / months.length, scale = (H - TOP - BOTTOM) / most;
  const shapes = months.flatMap((month, index) => {
    let y = H - BOTTOM;
    return figures[month].stages.map(([name, seconds]) => {
      y -= seconds * scale;
      const x = LEFT + width * (index + 0.15);
      return drawn("rect", { x, y, width: Math.min(width * 0.7, 48), height: seconds * scale, class: `c${names.indexOf(name)}` },
        drawn("title", {}, `${month} ${name}: ${seconds.toFixed(3)} s`));
    });
  });
  chart("stages", months, names, most, (value) => value.toFixed(value < 10 ? 2 : 0), shapes);
}

function rates(figures) {
  const months = Object.keys(figures).sort().slice(-LAST);
  const names = [...new Set(months.flatMap((month) => Object.keys(figures[month].win_rates)))].sort();
  const most = Math.max(0.5, ...months.flatMap((month) => Object.values(figures[month].win_rates)));
  const width = (W - LEFT) / months.length, scale = (H - TOP - BOTTOM) / most;
  const shapes = names.flatMap((name, number) => {
    const points = months.flatMap((month, index) => {
      const rate = figures[month].win_rates[name];
      return rate === undefined ? [] : [[LEFT + width * (index + 0.5), H - BOTTOM - rate * scale, month, rate]];
    });
    const line = drawn("polyline", { class: `c${number}`, points: points.map(([x, y]) => `${x},${y}`).join(" ") });
    return [line, ...points.map(([cx, cy, month, rate]) => drawn("circle", { cx, cy, r: 3, class: `c${number}` },
      drawn("title", {}, `${month} ${name}: ${(100 * rate).toFixed(1)} %`)))];
  });
  chart("rates", months, names, most, (value) => `${(100 * value).toFixed(0)} %`, shapes);
}

let interval = 5;

async function look() {
  const fresh = byId("fresh");
  try {
    const answer = await fetch("/api/status", { cache: "no-store" });
    if (!answer.ok) throw new Error(await answer.text());
    const found = await answer.json();
    interval = found.interval_seconds;
    byId("where").textContent = found.status.store;
    facts(found.status);
    alerts(found.alerts, found.dead_channels);
    runs(found.status.runs);
    calendar(found.status.months, found.figures);
    stages(found.figures);
    rates(found.figures);
    const age = (Date.now() - Date.parse(found.status.at)) / 1000;
    fresh.className = age > 3 * interval + 60 ? "late" : "muted";
    fresh.textContent = `as of ${new Date(found.status.at).toLocaleTimeString()}`;
    document.body.dataset.ready = "yes";
  } catch (error) {
    fresh.className = "late";
    fresh.textContent = `no answer: ${error.message.trim()}`;
  }
  setTimeout(look, 1000 * Math.min(Math.max(interval / 2, 1), 10));
}

look();
