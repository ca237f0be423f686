import { describe, expect, it } from "vitest";
import { htmlToText } from "./html.ts";
import { guessFormat, prepare, whyNotText } from "./prepare.ts";

describe("HTML", () => {
  it("is reduced to what a reader sees, headings and lists marked", () => {
    const html = `<!doctype html><html><head><title>Tea &amp;
      Coffee</title><style>p { color: red }</style><script>alert("no")</script></head>
      <body><h1>Brewing</h1><p>Use <b>soft</b>   water.<br>Not hard.</p><ul><li>Green<li>Black</ul>
      <pre>  a\n    b</pre><svg><title>Logo</title></svg></body></html>`;
    const { text, title } = htmlToText(html);
    expect(title).toBe("Tea & Coffee");
    expect(text).toBe("# Brewing\n\nUse soft water.\nNot hard.\n\n- Green\n- Black\n\n  a\n    b");
  });

  it.each(["<", "<p", "<script>", "</div></div>", "<!--", "&#xD800;&#0;", "<a".repeat(1_000), "<div>".repeat(20_000)])(
    "of any kind is survived: %.20s",
    (html) => {
      expect(htmlToText(html).text.length).toBeLessThan(200_000);
    },
  );

  it("finds the body of a page that leaves its head open", () => {
    expect(htmlToText("<head><title>T</title><body><p>Words").text).toBe("Words");
  });
});

describe("preparing a document", () => {
  it.each([
    [{ id: "notes/a.md", text: "x" }, "markdown"],
    [{ id: "src/a.rs", text: "# x" }, "code"],
    [{ id: "x", url: "https://example.org/a.html?x=1.md#top", text: "x" }, "html"],
    [{ text: "  <!DOCTYPE html><p>x" }, "html"],
    [{ text: "# Title\n\ntext" }, "markdown"],
    [{ id: "log.txt", text: "# Title" }, "text"],
    [{ text: "see example.md" }, "text"],
  ] as const)("guesses the format of %j", (posted, format) => {
    expect(guessFormat(posted)).toBe(format);
  });

  it.each([
    [{ title: " Given ", text: "# Heading\nx" }, "Given"],
    [{ text: "# Heading\n\nx" }, "Heading"],
    [{ text: "<html><title>Page</title><h1>Heading</h1>x" }, "Page"],
    [{ text: "<html><h1>Heading</h1>x" }, "Heading"],
    [{ id: "src/lib/a.ts", text: "let a;" }, "a.ts"],
    [{ text: "\n\nFirst line\nsecond" }, "First line"],
    [{ text: "word ".repeat(100) }, `${"word ".repeat(19)}word…`],
  ])("takes the title from %j", async (posted, title) => {
    expect((await prepare(posted)).title).toBe(title);
  });

  it("makes lone surrogates and line ends uniform before chunking", async () => {
    const { text, chunks } = await prepare({ text: "\uFEFFa\uD800\r\nb" });
    expect([text, chunks.length]).toEqual(["a\uFFFD\nb", 1]);
  });

  it("finds no chunks where there is no text", async () => {
    expect((await prepare({ text: "<html><script>x</script>", format: "html" })).chunks).toEqual([]);
  });
});

describe("what is not text", () => {
  const png = new TextDecoder().decode(
    new Uint8Array([0x89, 0x50, 0x4e, 0x47, 13, 10, 26, 10, 1, 2, 3, 255, 254, 253]),
  );
  it.each(["", " \n\t", "a\u0000b", png, "\ufffd".repeat(50)])("is named: %j", (text) => {
    expect(whyNotText(text)).toMatch(/empty|binary/);
  });

  it.each(["x", "a\tb\r\n", "one \ufffd in a text", "\u001b[31mred\u001b[0m", "日本語", "🙂"])("is not: %j", (text) => {
    expect(whyNotText(text)).toBeNull();
  });
});
