/** Most of one event that is kept in memory: its lines, and the line that has not ended. UTF-16 units. */
const MAX_EVENT = 1024 * 1024;

/** The stream holds an event or a line that is longer than anybody should send. */
export class EventTooLong extends Error {}

/**
 * Reads the `data` of server-sent events off bytes as they come (WHATWG HTML 9.2.6): lines end in LF, CRLF or CR, characters and lines may be
 * split anywhere, comments and other fields are passed over. More forgiving than the standard in one thing: what a stream that
 * ended left behind counts as an event, since servers forget the last blank line.
 */
export class EventReader {
  readonly #decoder = new TextDecoder();
  /** The line that has not ended yet. */
  #rest = "";
  #data: string | undefined;
  /** The last character was a CR: a LF that follows belongs to it. */
  #afterCr = false;

  /** The events that these bytes complete. @throws EventTooLong */
  push(bytes: Uint8Array): string[] {
    return this.#read(this.#decoder.decode(bytes, { stream: true }));
  }

  /** What is left when the stream has ended. @throws EventTooLong */
  end(): string[] {
    return this.#read(`${this.#decoder.decode()}\n\n`);
  }

  #read(decoded: string): string[] {
    const events: string[] = [];
    const text = this.#rest + this.#withoutCr(decoded);
    let from = 0;
    // Only what is new can hold the end of a line.
    for (let at = text.indexOf("\n", this.#rest.length); at >= 0; at = text.indexOf("\n", from)) {
      this.#line(text.slice(from, at), events);
      from = at + 1;
    }
    this.#rest = text.slice(from);
    if (this.#rest.length > MAX_EVENT) throw new EventTooLong();
    return events;
  }

  #withoutCr(text: string): string {
    if (text === "") return text;
    const rest = this.#afterCr && text.startsWith("\n") ? text.slice(1) : text;
    this.#afterCr = text.endsWith("\r");
    return rest.includes("\r") ? rest.replace(/\r\n?/g, "\n") : rest;
  }

  #line(line: string, events: string[]): void {
    if (line === "") {
      if (this.#data !== undefined) events.push(this.#data);
      this.#data = undefined;
      return;
    }
    if (!line.startsWith("data:")) return;
    const value = line.slice(line.charCodeAt(5) === SPACE ? 6 : 5);
    this.#data = this.#data === undefined ? value : `${this.#data}\n${value}`;
    if (this.#data.length > MAX_EVENT) throw new EventTooLong();
  }
}

const SPACE = 32;
