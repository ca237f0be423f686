import { expect, it } from "vitest";
import { parseCsv } from "../../test/csv.ts";
import { csvLine } from "./usage_csv.ts";

it("quotes what must be quoted and nothing else", () => {
  expect(csvLine(["a b", 'say "hi"', "x,y", "two\r\nlines", 0, 1_000_000])).toBe(
    'a b,"say ""hi""","x,y","two\r\nlines",0,1000000\r\n',
  );
});

it.each(["=1+1", "+1", "-1", "@SUM(A1)", "\tx", "\rx", "\nx", '=HYPERLINK("http://x")', "＝1"])(
  "%j is never a formula",
  (text) => {
    const [record] = parseCsv(csvLine([text, 5]));
    expect(record).toEqual([`'${text}`, "5"]);
  },
);

it("comes back as it was sent, whatever it is", () => {
  const alphabet = ['"', ",", "\r", "\n", "'", "=", "a", " ", "ü", "𝄞", ";"];
  let state = 7;
  const random = (below: number) => {
    state = (Math.imul(state, 1_103_515_245) + 12_345) & 0x7fffffff;
    return (state >> 8) % below;
  };
  const records = Array.from({ length: 500 }, () =>
    // A letter first: a sign that begins a formula would gain its apostrophe.
    Array.from({ length: 4 }, () => `x${Array.from({ length: random(8) }, () => alphabet[random(11)]).join("")}`),
  );
  expect(parseCsv(records.map(csvLine).join(""))).toEqual(records);
});
