/** Reads CSV as RFC 4180, section 2, defines it: records end with CRLF, a quoted field may hold anything. */
export function parseCsv(text: string): string[][] {
  const records: string[][] = [];
  let at = 0;
  while (at < text.length) {
    const record: string[] = [];
    for (;;) {
      const { value, next } = readField(text, at);
      record.push(value);
      at = next;
      if (text[at] !== ",") break;
      at++;
    }
    if (text.slice(at, at + 2) !== "\r\n") throw new Error(`no line break at ${at}`);
    at += 2;
    records.push(record);
  }
  return records;
}

function readField(text: string, start: number): { value: string; next: number } {
  if (text[start] !== '"') {
    const [value] = /^[^",\r\n]*/.exec(text.slice(start, start + 100_000)) as RegExpExecArray;
    return { value, next: start + value.length };
  }
  let value = "";
  for (let at = start + 1; ; at++) {
    if (at >= text.length) throw new Error("a quote is not closed");
    if (text[at] !== '"') value += text[at];
    else if (text[at + 1] === '"') value += text[at++];
    else return { value, next: at + 1 };
  }
}
