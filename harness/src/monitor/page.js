"use strict";

const byId = (id) => document.getElementById(id);

/** An element with text or children; every text of the store is text, never markup. */
function element(name, attributes, ...children) {
  const made = document.createElement(name);
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
    ...["damaged", "withheld", "removed"].filter(count).map((state) => [state, count(state), state === "damaged"]),
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
  if (dead.length > 0) lines.push(element("div", { class: "alert critical" }, `alerts cannot be sent to ${dead.join(", ")}`));
  byId("alerts").replaceChildren(...(lines.length > 0 ? [element("h2", {}, "Alerts"), ...lines] : []));
}

function runs(all) {
  const live = all.filter((run) => run.heard === "live");
  const shown = live.length > 0 ? live : all.slice(0, 1);
  const cards = shown.map((run) => {
    const state = run.heard === "live" ? `at work for ${since(run.began)}`
      : run.heard === "lost" ? `lost, no heartbeat for ${since(run.renewed)}` : `${run.state} ${since(run.renewed)} ago`;
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

let shown = "";

/** The charts of the reports, drawn anew only when they have changed: a tip someone reads stays. */
async function charts() {
  const answer = await fetch("/charts", { cache: "no-store" });
  if (!answer.ok) throw new Error(await answer.text());
  const found = await answer.text();
  if (found !== shown) byId("charts").innerHTML = found;
  shown = found;
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
    await charts();
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
