/** Draws the result of the usage tool. Everything drawn stands in words too, and nothing of the result is ever markup. */
export const USAGE_SCRIPT = `
const root = document.documentElement;
const main = document.querySelector("main");
let locale;
let input = {};

const make = (tag, attributes = {}, ...children) => {
  const svg = ["svg", "rect", "line", "title"].includes(tag);
  const element = svg ? document.createElementNS("http://www.w3.org/2000/svg", tag) : document.createElement(tag);
  for (const [name, value] of Object.entries(attributes)) element.setAttribute(name, value);
  element.append(...children);
  return element;
};
const count = (n) => n.toLocaleString(locale);
const usd = (nano) => (nano / 1e9).toLocaleString(locale, { style: "currency", currency: "USD",
  maximumFractionDigits: nano !== 0 && Math.abs(nano) < 1e8 ? 6 : 2 });
const plural = (n, one) => count(n) + " " + one + (n === 1 ? "" : "s");

function days(month, byDay) {
  const [year, number] = month.split("-").map(Number);
  const last = new Date(Date.UTC(year, number, 0)).getUTCDate();
  return Array.from({ length: last }, (_, i) => {
    const day = month + "-" + String(i + 1).padStart(2, "0");
    return { day, cost_nano: 0, calls: 0, ...byDay[day] };
  });
}

function chart(month, byDay) {
  const all = days(month, byDay);
  const money = all.some(({ cost_nano }) => cost_nano > 0);
  const of = (day) => (money ? day.cost_nano : day.calls);
  const said = (day) => (money ? usd(day.cost_nano) + ", " : "") + plural(day.calls, "call");
  const most = Math.max(1, ...all.map(of));
  const dearest = all.find((day) => of(day) === most);
  const words = (money ? "Cost" : "Calls") + " a day in " + month + (dearest ? ". Most on " + dearest.day + ": " + said(dearest) + "." : ".");
  const svg = make("svg", { viewBox: "0 0 " + all.length * 10 + " 96", preserveAspectRatio: "none", role: "img", "aria-label": words });
  all.forEach((day, i) => {
    const height = of(day) > 0 ? Math.max(2, (of(day) / most) * 94) : 0;
    const bar = make("rect", { class: "bar", x: i * 10 + 1.5, y: 95 - height, width: 7, height, rx: 1 });
    bar.append(make("title", {}, day.day + ": " + said(day)));
    svg.append(bar);
  });
  svg.append(make("line", { class: "base", x1: 0, x2: all.length * 10, y1: 95.5, y2: 95.5, "vector-effect": "non-scaling-stroke" }));
  const used = all.filter(({ calls }) => calls > 0);
  const table = make("table", {},
    make("thead", {}, make("tr", {}, ...["Day (UTC)", "Calls", "Cost"].map((name) => make("th", { scope: "col" }, name)))),
    make("tbody", {}, ...used.map((day) => make("tr", {},
      make("td", {}, day.day), make("td", {}, count(day.calls)), make("td", {}, usd(day.cost_nano))))));
  return [
    svg,
    make("div", { class: "axis", "aria-hidden": "true" }, make("span", {}, "1"), make("span", {}, (money ? "Cost" : "Calls") + " a day, at most " + (money ? usd(most) : count(most))), make("span", {}, String(all.length))),
    ...(used.length ? [make("details", {}, make("summary", {}, "By day, in numbers"), table)] : []),
  ];
}

function row(name, used, limit, words) {
  const share = limit > 0 ? Math.min(1, used / limit) : 1;
  const percent = Math.round(share * 100);
  const bar = make("i");
  bar.style.width = percent + "%";
  const meter = make("div", { class: "meter" + (share >= 0.8 ? " high" : ""), role: "meter", "aria-label": name, "aria-valuemin": 0, "aria-valuemax": 100, "aria-valuenow": percent, "aria-valuetext": words }, bar);
  return make("div", { class: "row" }, make("span", {}, name), make("span", { class: "faint" }, words), meter);
}

function draw(report) {
  const { month, plan, total, tokens, balance, limits, forecast, notices = [], left_out = {} } = report;
  const refresh = make("button", { type: "button", hidden: "" }, "Refresh");
  refresh.hidden = !canCall;
  refresh.addEventListener("click", renew);
  const left = tokens.included === null ? [] : [row("Plan tokens", tokens.included - tokens.remaining, tokens.included,
    count(tokens.remaining) + " of " + count(tokens.included) + " left until " + tokens.resets_at.slice(0, 10))];
  const windows = limits.map(({ window, limit, remaining }) => row("Calls " + (window === "hour" ? "an " : "a ") + window, limit - remaining, limit,
    count(remaining) + " of " + count(limit) + " left"));
  main.replaceChildren(
    make("header", {}, make("h1", {}, "Usage in " + month), make("span", { class: "faint" }, "plan " + plan), refresh),
    make("p", { class: "sum" }, usd(total.cost_nano)),
    make("p", { class: "faint" }, plural(total.calls, "call") + (total.errors ? " (" + count(total.errors) + " failed)" : "") + ", " + count(total.input_tokens) + " tokens in, " + count(total.output_tokens) + " out"
      + (forecast ? ". At this rate " + usd(forecast.cost_nano) + " by the end of the month" : "") + "."),
    ...chart(month, report.by_day),
    ...(left_out.by_day ? [make("p", { class: "faint" }, plural(left_out.by_day, "further day") + " had calls and " + (left_out.by_day === 1 ? "is" : "are") + " not drawn.")] : []),
    make("h2", {}, "Left"),
    ...left,
    ...(tokens.included === null ? [make("p", {}, "Plan tokens: unlimited.")] : []),
    ...windows,
    make("p", {}, "Prepaid credit: " + usd(balance.available_nano) + (balance.reserved_nano ? " (" + usd(balance.reserved_nano) + " held by running calls)" : "") + "."),
    ...(notices.length ? [make("h2", {}, "Notices"), ...notices.slice(0, 3).map((notice) => make("p", {}, notice))] : []),
  );
}

function say(words) { main.replaceChildren(make("p", {}, words)); }

function show(result) {
  if (result.isError || !result.structuredContent) {
    say((result.content || []).map(({ text }) => text || "").join(" ") || "There is nothing to show.");
    return;
  }
  try { draw(result.structuredContent); } catch { say("This report could not be drawn; the conversation has it in words."); }
}

async function renew({ target }) {
  target.disabled = true;
  try { show(await bridge.ask("tools/call", { name: "usage", arguments: input })); } catch (error) { say(String(error.message)); }
}

function adapt({ theme, styles, locale: told }) {
  if (theme) root.dataset.theme = theme;
  if (told) locale = told;
  for (const [name, value] of Object.entries((styles && styles.variables) || {})) {
    if (name.startsWith("--") && value) root.style.setProperty(name, value);
  }
}

let canCall = false;
bridge.on("ui/notifications/tool-input", ({ arguments: given }) => { input = given || {}; });
bridge.on("ui/notifications/tool-result", show);
bridge.on("ui/notifications/tool-cancelled", () => say("The call was cancelled."));
bridge.on("ui/notifications/host-context-changed", adapt);
bridge.ask("ui/initialize", { appInfo: { name: "waypost-usage", version: "1" }, appCapabilities: {}, protocolVersion: "2026-01-26" })
  .then(({ hostContext, hostCapabilities }) => {
    adapt(hostContext || {});
    canCall = Boolean(hostCapabilities && hostCapabilities.serverTools);
    bridge.tell("ui/notifications/initialized");
    new ResizeObserver(() => bridge.tell("ui/notifications/size-changed", {
      width: Math.ceil(root.getBoundingClientRect().width), height: Math.ceil(root.getBoundingClientRect().height),
    })).observe(root);
  })
  .catch((error) => say(String(error.message)));
`;
