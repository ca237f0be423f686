import { describe, expect, it } from "vitest";
import type { DocumentFormat } from "../vault/types.ts";
import { chunk } from "./chunk.ts";

const words = (n: number) => Array.from({ length: n }, (_, i) => `word${i}`).join(" ");
const formats: DocumentFormat[] = ["text", "markdown", "code", "html"];

const texts: Record<string, string> = {
  "one line": "hello",
  "white space only": " \n ",
  paragraphs: Array.from({ length: 40 }, (_, i) => `${words(30)} ${i}.`).join("\n\n"),
  "no break at all": "x".repeat(50_000),
  "surrogate pairs only": "😀".repeat(9_000),
  "a heading on every line": "# a\nb\n".repeat(5_000),
  "nothing but headings": "## t\n".repeat(2_000),
  "an open fence": `\`\`\`\n${"# not a heading\n".repeat(500)}`,
  code: Array.from({ length: 200 }, (_, i) => `function f${i}() {\n  return ${i};\n}\n`).join("\n"),
};

describe("chunks", () => {
  it.each(formats.flatMap((format) => Object.keys(texts).map((name) => [format, name] as const)))(
    "of %s tile the text: %s",
    (format, name) => {
      const text = texts[name] as string;
      const chunks = chunk(text, format);
      expect(chunks.map((piece) => piece.text).join("")).toBe(text);
      for (const [n, { text: piece, start, end, n: number }] of chunks.entries()) {
        expect([number, text.slice(start, end)]).toEqual([n, piece]);
        expect(piece.isWellFormed()).toBe(true);
        expect(piece.length).toBeLessThanOrEqual(2_400);
      }
    },
  );

  it("do not exist without text", () => {
    expect(chunk("", "markdown")).toEqual([]);
  });

  it("keep a moderate text whole and cut a long one into even pieces at paragraphs", () => {
    expect(chunk(words(300), "text")).toHaveLength(1);
    const pieces = chunk(texts.paragraphs as string, "text");
    expect(pieces.length).toBeGreaterThan(5);
    for (const { text } of pieces.slice(0, -1)) expect(text).toMatch(/\.\n\n$/);
    expect(Math.min(...pieces.map(({ text }) => text.length))).toBeGreaterThan(400);
  });

  it("are never so small that markup makes one of every line", () => {
    expect(chunk(texts["a heading on every line"] as string, "markdown").length).toBeLessThan(200);
  });

  it("cut code between definitions", () => {
    const pieces = chunk(texts.code as string, "code");
    expect(pieces.length).toBeGreaterThan(3);
    for (const { text } of pieces) expect(text).toMatch(/^function /);
  });
});

describe("Markdown sections", () => {
  const body = words(60);
  const headings = (text: string) => chunk(text, "markdown").map(({ heading }) => heading);

  it("carry the path of their headings, ATX and setext", () => {
    const text = `${body}\n\n# Guide\n\n${body}\n\n## Install ##\n\n${body}\n\nLinux\n-----\n\n${body}\n\nApi\n===\n\n${body}`;
    expect(headings(text)).toEqual(["", "Guide", "Guide > Install", "Guide > Linux", "Api"]);
  });

  it("are not opened by # inside fenced code", () => {
    expect(headings(`# Run\n\n${body}\n\n~~~sh\n# comment\n\`\`\`\n## other\n~~~\n\n${body}`)).toEqual(["Run"]);
  });

  it("without a body introduce their subsection", () => {
    expect(headings(`# Guide\n\n## Install\n\n${body}\n\n## Use\n\n${body}`)).toEqual([
      "Guide > Install",
      "Guide > Use",
    ]);
  });

  it("show their title without inline markup", () => {
    expect(headings(`# The \`run\` [command](https://example.org) #\n\n${body}`)).toEqual(["The run command"]);
  });

  it("are found in linear time in hostile input", async () => {
    const spaces = " ".repeat(400_000);
    const started = performance.now();
    for (const text of [
      `# ${spaces}x`,
      `# ${"[".repeat(400_000)}`,
      `${spaces}\n`,
      "<".repeat(400_000),
      "`".repeat(400_000),
    ]) {
      chunk(text, "markdown");
    }
    // The clock of a Worker moves with its input and output only.
    await scheduler.wait(1);
    expect(performance.now() - started).toBeLessThan(2_000);
  });
});
