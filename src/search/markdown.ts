/** One section of a Markdown text: text[start, end), under its heading's path. */
export interface Section {
  /** Titles from the outermost heading to this one; empty before the first heading. */
  path: string[];
  start: number;
  end: number;
  /** True when there is nothing but headings. */
  bare: boolean;
}

const atx = /^ {0,3}(#{1,6})(?=[ \t]|$)/;
const fence = /^ {0,3}(`{3,}|~{3,})/;
const setext = /^ {0,3}(=+|-{2,})[ \t]*$/;
const maxTitle = 200;

interface Heading {
  level: number;
  title: string;
  start: number;
  bodyStart: number;
}

/** The sections of a Markdown text (CommonMark ATX and setext headings, not inside fenced code); they tile the text. */
export function sections(text: string): Section[] {
  const found: Section[] = [];
  const open: Heading[] = [];
  let start = 0;
  let bodyStart = 0;
  const close = (end: number): void => {
    if (end === start) return;
    found.push({
      path: open.map(({ title }) => title),
      start,
      end,
      bare: open.length > 0 && !text.slice(bodyStart, end).trim(),
    });
  };
  for (const heading of headings(text)) {
    close(heading.start);
    while (open.length > 0 && (open.at(-1) as Heading).level >= heading.level) open.pop();
    open.push(heading);
    start = heading.start;
    bodyStart = heading.bodyStart;
  }
  close(text.length);
  return found;
}

/** Title of the first heading, empty when there is none. */
export function firstHeading(text: string): string {
  for (const { title } of headings(text)) if (title) return title;
  return "";
}

function* headings(text: string): Generator<Heading> {
  let fenced = "";
  let previous: { line: string; start: number } | null = null;
  for (const match of text.matchAll(/[^\n]*\n|[^\n]+$/g)) {
    const line = match[0].replace(/\r?\n$/, "");
    const start = match.index;
    const bodyStart = start + match[0].length;
    const mark = fence.exec(line)?.[1];
    if (fenced) {
      if (mark?.startsWith(fenced) && line.trim() === mark) fenced = "";
      continue;
    }
    if (mark) fenced = mark;
    const heading = mark ? null : atx.exec(line);
    const underline = mark ? null : setext.exec(line);
    if (heading) {
      const marks = heading[1] as string;
      yield { level: marks.length, title: clean(line.slice(heading[0].length)), start, bodyStart };
    }
    if (underline && previous) {
      yield {
        level: underline[1]?.startsWith("=") ? 1 : 2,
        title: clean(previous.line),
        start: previous.start,
        bodyStart,
      };
    }
    previous = !heading && !underline && /^ {0,3}[^\s>|#*+-]/.test(line) ? { line, start } : null;
  }
}

/** Inline markup and closing marks read badly in a title. */
function clean(title: string): string {
  const plain = title.trim().slice(0, maxTitle);
  return plain
    .replace(/!?\[([^\]]*)\]\([^)]*\)/g, "$1")
    .replace(/[`*]|<[^>]*>|[ \t]#+$/g, "")
    .trim();
}
