/** Colours are the host's where it tells them, and follow its theme, or else the system's. */
export const STYLE = `
:root { color-scheme: light dark;
  --ground: var(--color-background-primary, light-dark(#ffffff, #1c1c1f));
  --track: var(--color-background-tertiary, light-dark(#e8e8ec, #36363c));
  --ink: var(--color-text-primary, light-dark(#18181b, #f4f4f5));
  --faint: var(--color-text-secondary, light-dark(#56565f, #b4b4bd));
  --fill: light-dark(#2f6fde, #82aeff);
  --full: light-dark(#b3400f, #ff9d6b); }
:root[data-theme=light] { color-scheme: light; }
:root[data-theme=dark] { color-scheme: dark; }
* { box-sizing: border-box; }
body { margin: 0; padding: 16px; background: var(--ground); color: var(--ink);
  font: 14px/1.45 var(--font-sans, system-ui, sans-serif); font-variant-numeric: tabular-nums; }
header { display: flex; flex-wrap: wrap; align-items: baseline; gap: 2px 12px; }
h1 { margin: 0; font-size: 15px; font-weight: 600; }
h2 { margin: 16px 0 6px; font-size: 13px; font-weight: 600; }
p { margin: 2px 0; overflow-wrap: anywhere; }
.sum { font-size: 26px; font-weight: 650; letter-spacing: -0.01em; }
.faint { color: var(--faint); }
svg { display: block; width: 100%; height: 96px; margin-top: 10px; overflow: visible; }
svg .bar { fill: var(--fill); }
svg .base { stroke: var(--track); }
.axis { display: flex; justify-content: space-between; font-size: 12px; color: var(--faint); }
.row { display: grid; grid-template-columns: minmax(0, 1fr) auto; gap: 0 12px; margin: 7px 0; }
.row .meter { grid-column: 1 / -1; height: 6px; border-radius: 3px; background: var(--track); overflow: hidden; }
.row .meter i { display: block; height: 100%; background: var(--fill); border-radius: 3px; }
.row .meter.high i { background: var(--full); }
details { margin-top: 12px; }
summary { cursor: pointer; color: var(--faint); }
table { border-collapse: collapse; width: 100%; margin-top: 6px; }
th, td { padding: 2px 0; text-align: right; font-weight: 400; }
th:first-child, td:first-child { text-align: left; }
thead th { color: var(--faint); }
button { margin-left: auto; padding: 3px 10px; font: inherit; font-size: 13px; color: inherit; background: none;
  border: 1px solid var(--track); border-radius: 6px; cursor: pointer; }
button:focus-visible, summary:focus-visible { outline: 2px solid var(--fill); outline-offset: 2px; }
`;
