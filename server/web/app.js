// The page at /: the models, and a form to try one.
import { build, make, read } from "./form.js";

const $ = (id) => document.getElementById(id);
const PREDICT = "api/v1/inference/predict";
const MOST_BARS = 20;
let current = null; // the model that is shown

/* ---- Requests ---- */

async function ask(path, body) {
  const headers = {};
  const key = sessionStorage.getItem("key");
  if (key) headers["Authorization"] = `Bearer ${key}`;
  if (body) headers["Content-Type"] = "application/json";
  const options = body ? { method: "POST", body: JSON.stringify(body), headers } : { headers };
  const reply = await fetch(path, options);
  if (reply.status === 401 || reply.status === 403) {
    $("key").hidden = false;
    $("key-text").focus();
  }
  const answer = await reply.json();
  if (!reply.ok) throw new Error(reason(answer, reply));
  return answer;
}

function reason(answer, reply) {
  const detail = answer.detail;
  if (Array.isArray(detail)) return detail.map((one) => one.msg).join("; ");
  return detail ?? answer.error ?? `${reply.status} ${reply.statusText}`;
}

/* ---- Words ---- */

const number = (value) => value.toLocaleString("en", { maximumFractionDigits: 6 });

function seconds(value) {
  if (value < 1e-3) return `${(value * 1e6).toFixed(0)} µs`;
  return value < 1 ? `${(value * 1e3).toFixed(1)} ms` : `${value.toFixed(2)} s`;
}

function bytes(value) {
  for (const unit of ["bytes", "kB", "MB", "GB"]) {
    if (value < 1000 || unit === "GB") return `${unit === "bytes" ? value : value.toFixed(1)} ${unit}`;
    value /= 1000;
  }
}

function say(value) {
  if (value === null) return "missing";
  if (Array.isArray(value)) return value.map(say).join(", ");
  return typeof value === "number" ? number(value) : String(value);
}

/* ---- The list ---- */

function group(models) {
  const groups = new Map();
  for (const model of models) {
    const name = model.name ?? model.model_path;
    const known = groups.get(name);
    if (known) known.versions.push(model.version);
    groups.set(name, { ...model, name, versions: known ? known.versions : [model.version] });
  }
  return [...groups.values()];
}

function card(model) {
  const button = make("button", { type: "button", "aria-pressed": "false", "data-name": model.name });
  button.append(make("strong", {}, model.name));
  const what = [model.kind, model.n_inputs && `${model.n_inputs} columns`].filter(Boolean).join(", ");
  button.append(make("span", {}, what || (model.error ? "cannot be opened" : "not opened yet")));
  if (model.class) button.append(make("span", {}, model.class.split(".").pop()));
  const versions = model.versions.filter((version) => version !== null);
  if (versions.length) button.append(make("span", {}, `versions ${versions.join(", ")}`));
  button.append(make("span", { class: `state ${model.state}`, title: model.error ?? "" }, model.state));
  button.addEventListener("click", () => { location.hash = encodeURIComponent(model.name); });
  return make("li", {}, button);
}

async function list() {
  const { models } = await ask("api/v1/models");
  const groups = group(models);
  $("models").replaceChildren(...groups.map(card));
  $("none").hidden = groups.length > 0;
  mark();
  return groups;
}

function mark() {
  for (const button of document.querySelectorAll("#models button"))
    button.setAttribute("aria-pressed", String(button.dataset.name === current?.name));
}

/* ---- One model ---- */

function facts(model) {
  const about = model.model;
  const pairs = [
    ["Kind", about.kind],
    ["Written by", `${about.library} ${about.library_version}`],
    ["Columns", String(about.inputs.length)],
    ["Methods", model.methods.join(", ")],
    ["Version", model.version],
    ["Memory", bytes(model.bytes + model.plan_bytes + model.session_bytes)],
    ["Latency p50, p99", model.requests ? `${seconds(model.latency.p50)}, ${seconds(model.latency.p99)}` : null],
    ["SHA-256", model.sha256 && `${model.sha256.slice(0, 16)}…`],
  ];
  const shown = pairs.filter(([, value]) => value);
  $("facts").replaceChildren(...shown.map(([term, value]) =>
    make("div", {}, make("dt", {}, term), make("dd", {}, value))));
  $("steps").replaceChildren(...about.steps.map((step) => make("li", {},
    step.class.split(".").pop(), step.detail ? ` (${step.detail}) ` : " ", make("code", {}, step.path))));
}

function forget() {
  $("prediction").className = "hint";
  $("prediction").textContent = "What the model says of the row comes here.";
  $("bars").replaceChildren();
  $("took").textContent = "";
  $("problem").hidden = true;
  $("curl").textContent = "";
}

async function show(name) {
  const model = await ask(`api/v1/models/${encodeURIComponent(name)}`);
  current = { name, ...model, name };
  $("model-title").textContent = name;
  facts(model);
  build($("fields"), model.model.inputs, model.example);
  forget();
  $("model").hidden = false;
  mark();
}

/* ---- A prediction ---- */

function bar(label, share) {
  const inner = make("div");
  inner.style.width = `${100 * share}%`;
  const percent = `${(100 * share).toFixed(1)} %`;
  return make("div", { class: "bar" }, make("p", {}, make("span", {}, label), make("span", {}, percent)),
    make("div", { role: "img", "aria-label": `${label}: ${percent}` }, inner));
}

function bars(answer) {
  const row = answer.probabilities?.[0];
  if (!row || !answer.classes || row.length !== answer.classes.length) return [];
  const pairs = row.map((share, i) => [share, answer.classes[i]]).sort((a, b) => b[0] - a[0]);
  const shown = pairs.slice(0, MOST_BARS).map(([share, label]) => bar(say(label), share ?? 0));
  if (pairs.length > MOST_BARS) shown.push(make("p", { class: "hint" }, `and ${pairs.length - MOST_BARS} more`));
  return shown;
}

function curl(body) {
  const text = JSON.stringify(body).replaceAll("'", "'\\''");
  const url = new URL(PREDICT, location.href.split("#")[0]);
  return `curl -s ${url} -H 'Content-Type: application/json' \\\n  -d '${text}'`;
}

async function predict(event) {
  event.preventDefault();
  $("problem").hidden = true;
  $("predict").disabled = true;
  try {
    const row = read($("fields"), current.model.inputs);
    const body = { model_path: current.model_path, features: [row],
      return_probabilities: current.methods.includes("predict_proba") };
    $("curl").textContent = curl(body);
    const begun = performance.now();
    const answer = await ask(PREDICT, body);
    const trip = (performance.now() - begun) / 1000;
    $("prediction").className = "value";
    $("prediction").textContent = say(answer.predictions[0]);
    $("bars").replaceChildren(...bars(answer));
    $("took").textContent = `${seconds(answer.inference_time_seconds)} to predict, ${seconds(trip)} with the way there and back`;
  } catch (error) {
    forget();
    problem(error);
  }
  $("predict").disabled = false;
}

function problem(error) {
  $("problem").textContent = error.message;
  $("problem").hidden = false;
}

/* ---- The page ---- */

async function health() {
  try {
    const reply = await fetch("api/v1/inference/health");
    const answer = await reply.json();
    $("health").className = reply.ok ? "ok" : "bad";
    $("health").textContent = `${answer.status}, version ${answer.version}`;
  } catch {
    $("health").className = "bad";
    $("health").textContent = "does not answer";
  }
}

async function go() {
  const name = decodeURIComponent(location.hash.slice(1));
  if (!name || name === "main") return;
  try {
    await show(name);
    $("model").scrollIntoView({ block: "nearest" });
  } catch (error) {
    $("model-title").textContent = name;
    $("facts").replaceChildren();
    $("fields").replaceChildren();
    $("model").hidden = false;
    problem(error);
  }
}

async function start() {
  health();
  try {
    const models = await list();
    if (!location.hash && models.length) location.hash = encodeURIComponent(models[0].name);
    else await go();
  } catch (error) {
    $("none").textContent = error.message;
    $("none").hidden = false;
  }
}

$("row").addEventListener("submit", predict);
$("reset").addEventListener("click", () => { build($("fields"), current.model.inputs, current.example); forget(); });
$("key").addEventListener("submit", (event) => {
  event.preventDefault();
  sessionStorage.setItem("key", $("key-text").value);
  $("key").hidden = true;
  start();
});
window.addEventListener("hashchange", go);
setInterval(health, 15000);
start();
