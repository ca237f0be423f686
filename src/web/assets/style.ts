/** The stylesheet of every page: one column, system fonts, light and dark. */
export const STYLE = `:root {
  color-scheme: light dark;
  --ink: light-dark(#1b1f24, #e6e8eb);
  --quiet: light-dark(#59636e, #9aa4af);
  --paper: light-dark(#fff, #14171a);
  --ground: light-dark(#f4f5f7, #0d0f11);
  --line: light-dark(#d9dee3, #2c3238);
  --accent: light-dark(#0b57d0, #8ab4f8);
  --on-accent: light-dark(#fff, #0b1a33);
  --warn: light-dark(#fff4d6, #3a2f12);
  --warn-line: light-dark(#d9a514, #8a6d1c);
}
* { box-sizing: border-box }
body { margin: 0; font: 16px/1.55 system-ui, sans-serif; color: var(--ink); background: var(--ground) }
header, main { max-width: 44rem; margin: 0 auto; padding: 0 1rem }
header { padding-top: 1.5rem; font-weight: 600 }
header a { color: inherit; text-decoration: none }
main { background: var(--paper); border: 1px solid var(--line); border-radius: 12px; margin: 1rem auto 3rem; padding: 1.5rem 1.5rem 2rem }
@media (max-width: 46rem) { main { margin: 1rem .75rem 3rem } }
h1 { font-size: 1.5rem; line-height: 1.25; margin: 0 0 1rem; overflow-wrap: anywhere }
h2 { font-size: 1.1rem; margin: 2rem 0 .5rem; padding-top: 1rem; border-top: 1px solid var(--line) }
p, dd, li, td { overflow-wrap: anywhere }
a { color: var(--accent) }
code { font: .9em ui-monospace, monospace; background: var(--ground); padding: .1em .3em; border-radius: 4px }
.quiet, dt { color: var(--quiet); font-size: .9rem }
.note, .warning { padding: .75rem 1rem; border: 1px solid var(--line); border-radius: 8px; background: var(--ground) }
.warning { background: var(--warn); border-color: var(--warn-line) }
dl { display: grid; grid-template-columns: max-content 1fr; gap: .35rem 1rem; margin: 0 0 1rem }
dd { margin: 0 }
ul.plain { list-style: none; margin: 0; padding: 0 }
ul.plain > li { display: flex; flex-wrap: wrap; gap: .5rem 1rem; justify-content: space-between; align-items: center; padding: .6rem 0; border-bottom: 1px solid var(--line) }
table { border-collapse: collapse; width: 100% }
td { padding: .35rem .5rem .35rem 0; border-top: 1px solid var(--line) }
fieldset { border: 1px solid var(--line); border-radius: 8px; margin: 0 0 1rem; padding: .5rem 1rem .75rem }
legend { font-weight: 600; padding: 0 .4rem }
fieldset label { display: flex; gap: .6rem; align-items: baseline; padding: .25rem 0 }
label.field { display: block; margin: 0 0 1rem }
label.field input { display: block; width: 100%; margin-top: .25rem }
input[type=text] { font: inherit; color: inherit; background: var(--paper); border: 1px solid var(--quiet); border-radius: 8px; padding: .5rem .7rem }
button, a.button { display: inline-block; font: inherit; font-weight: 600; text-decoration: none; cursor: pointer; color: var(--on-accent); background: var(--accent); border: 1px solid var(--accent); border-radius: 8px; padding: .55rem 1.1rem }
button.secondary, a.secondary { color: var(--ink); background: transparent; border-color: var(--quiet); font-weight: 500 }
button.small { padding: .25rem .7rem; font-size: .9rem }
button:disabled { opacity: .55; cursor: default }
:focus-visible { outline: 3px solid var(--accent); outline-offset: 2px }
form.inline { display: inline }
.row { display: flex; flex-wrap: wrap; gap: .75rem; align-items: center; margin: 1rem 0 0 }
.row + dl { margin-top: 1.5rem }
`;

export const ICON = `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 16 16"><path fill="#0b57d0" d="M7 1h2v2h4l2 2.5L13 8H9v7H7V8H2V3h5z"/></svg>
`;
