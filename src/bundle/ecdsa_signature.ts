const SEQUENCE = 0x30;
const INTEGER = 0x02;
const LONG_FORM = 0x80;

/**
 * The two numbers of an ECDSA signature in DER (RFC 3279, 2.2.3), as their bytes lie in it: of any length, with the leading
 * zero that keeps a number positive.
 * @throws Error when the bytes are anything else
 */
export function ecdsaSignature(bytes: Uint8Array): { r: Uint8Array; s: Uint8Array } {
  const outer = element(bytes, SEQUENCE);
  const r = element(outer.content, INTEGER);
  const s = element(r.rest, INTEGER);
  if (outer.rest.length > 0 || s.rest.length > 0) throw malformed();
  return { r: r.content, s: s.content };
}

/** The first element. One byte of length in the long form is enough: two numbers of P-521 take 139 bytes. */
function element(bytes: Uint8Array, tag: number): { content: Uint8Array; rest: Uint8Array } {
  const long = bytes[1] === LONG_FORM + 1;
  const start = long ? 3 : 2;
  const length = bytes[long ? 2 : 1];
  if (bytes[0] !== tag || !length || (length >= LONG_FORM && !long)) throw malformed();
  if (bytes.length < start + length) throw malformed();
  return { content: bytes.subarray(start, start + length), rest: bytes.subarray(start + length) };
}

const malformed = () => new Error("not an ECDSA signature in DER");
