import { Parser } from "htmlparser2";

const skipped = new Set(["script", "style", "noscript", "template", "svg", "iframe"]);
const blocks = new Set(
  `address article aside blockquote body caption dd details dialog div dl dt fieldset figcaption figure footer form header
  hr html main nav ol p pre section summary table tbody tfoot thead tr ul`.split(/\s+/),
);

/**
 * Reduces HTML to the text a reader sees. Headings become Markdown headings and list items dashes, so that the text can
 * be chunked by section; scripts, styles and markup are gone. Any input is accepted, as a browser would.
 */
export function htmlToText(html: string): { text: string; title: string } {
  const out: string[] = [];
  let title = "";
  let skipping = 0;
  let inTitle = false;
  let preformatted = 0;
  const parser = new Parser(
    {
      onopentag(name) {
        if (name === "title" && !title && skipping === 0) inTitle = true;
        if (name === "pre") preformatted++;
        if (skipped.has(name)) skipping++;
        else if (/^h[1-6]$/.test(name)) out.push(`\n\n${"#".repeat(Number(name[1]))} `);
        else if (name === "li") out.push("\n- ");
        else if (name === "br") out.push("\n");
        else if (name === "td" || name === "th") out.push("\t");
        else if (name === "p") out.push("\n\n");
        else if (blocks.has(name)) out.push("\n");
      },
      ontext(data) {
        if (inTitle) title += data;
        else if (skipping === 0) out.push(preformatted > 0 ? data : flow(data, out.at(-1)));
      },
      onclosetag(name) {
        if (name === "title") inTitle = false;
        if (name === "pre") preformatted--;
        if (skipped.has(name)) skipping--;
        else if (/^h[1-6]$/.test(name) || name === "p") out.push("\n\n");
        else if (blocks.has(name)) out.push("\n");
      },
    },
    { decodeEntities: true, lowerCaseTags: true },
  );
  parser.end(html);
  return { text: tidy(out.join("")), title: title.replace(/\s+/g, " ").trim() };
}

/** Running text: white space collapses, and vanishes where a line begins. */
function flow(data: string, before: string | undefined): string {
  const collapsed = data.replace(/[ \t\r\n\f]+/g, " ");
  return before === undefined || /\s$/.test(before) ? collapsed.trimStart() : collapsed;
}

function tidy(text: string): string {
  const lines = text.split(/\r?\n/).map((line) => line.trimEnd());
  return lines
    .filter((line, i) => line !== "" || lines[i - 1] !== "")
    .join("\n")
    .trim();
}
