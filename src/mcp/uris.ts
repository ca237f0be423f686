/** The addresses of resources, `waypost://…`, and what they name. */

export type Address =
  | { kind: "models"; after?: string }
  | { kind: "usage"; month: string }
  | { kind: "session"; id: string; cursor?: { epoch: string; seq: number } }
  | { kind: "document"; id: string; offset: number };

export const TEMPLATES = {
  session: "waypost://sessions/{id}",
  document: "waypost://documents/{id}",
  usage: "waypost://usage/{month}",
} as const;

export const sessionUri = (id: string, cursor?: { epoch: string; seq: number }): string =>
  `waypost://sessions/${encodeURIComponent(id)}${cursor ? `?after=${cursor.epoch}.${cursor.seq}` : ""}`;

export const documentUri = (id: string, offset = 0): string =>
  `waypost://documents/${encodeURIComponent(id)}${offset > 0 ? `?after=${offset}` : ""}`;

export const usageUri = (month: string): string => `waypost://usage/${encodeURIComponent(month)}`;

export const modelsUri = (after?: string): string =>
  `waypost://models${after === undefined ? "" : `?after=${encodeURIComponent(after)}`}`;

/** What a URI names; null when it can name nothing here. */
export function addressOf(uri: string): Address | null {
  if (uri.length > 8_000) return null;
  const [, kind, path, after] =
    /^waypost:\/\/(sessions|documents|usage|models)(?:\/([^?#]+))?(?:\?after=([^&#]*))?$/.exec(uri) ?? [];
  const id = path === undefined ? undefined : decoded(path);
  const place = after === undefined ? undefined : decoded(after);
  if (id === null || place === null) return null;
  if (kind === "models") return id === undefined ? { kind, ...(place === undefined ? {} : { after: place }) } : null;
  if (id === undefined) return null;
  if (kind === "sessions") return sessionAddress(id, place);
  if (kind === "documents") {
    if (place !== undefined && !/^\d{1,9}$/.test(place)) return null;
    return { kind: "document", id, offset: Number(place ?? 0) };
  }
  return kind === "usage" && place === undefined ? { kind, month: id } : null;
}

function sessionAddress(id: string, place: string | undefined): Address | null {
  if (place === undefined) return { kind: "session", id };
  const [, epoch, seq] = /^([\w-]{1,64})\.(\d{1,15})$/.exec(place) ?? [];
  return epoch === undefined ? null : { kind: "session", id, cursor: { epoch, seq: Number(seq) } };
}

function decoded(text: string): string | null {
  try {
    return decodeURIComponent(text);
  } catch {
    return null;
  }
}
