import { generateKeyPairSync, randomBytes, sign, verify } from "node:crypto";
import { describe, expect, it } from "vitest";
import { ecdsaSignature } from "./ecdsa_signature.ts";

/** As the Web Crypto API takes a signature: both numbers at full length. */
function joined(bytes: Uint8Array, size: number): Buffer {
  const { r, s } = ecdsaSignature(bytes);
  const full = (number: Uint8Array) => Buffer.concat([Buffer.alloc(size), number]).subarray(-size);
  return Buffer.concat([full(r), full(s)]);
}

describe.each([
  ["P-256", 32],
  ["P-384", 48],
  ["P-521", 66],
])("a signature on %s", (namedCurve, size) => {
  const { privateKey, publicKey } = generateKeyPairSync("ec", { namedCurve });
  const key = publicKey.export({ type: "spki", format: "pem" });

  // One in 256 numbers is shorter than the others, every other one has a zero before it.
  it("is the one that was made", () => {
    for (let i = 0; i < 300; i++) {
      const data = randomBytes(32);
      const signature = joined(sign("sha256", data, privateKey), size);
      expect(verify("sha256", data, { key, dsaEncoding: "ieee-p1363" }, signature)).toBe(true);
    }
  });

  it("is refused when a byte is missing, is there too many, or its frame is another", () => {
    const whole = sign("sha256", randomBytes(32), privateKey);
    for (let end = 0; end < whole.length; end++) expect(() => ecdsaSignature(whole.subarray(0, end))).toThrow("DER");
    expect(() => ecdsaSignature(Buffer.concat([whole, Buffer.of(0)]))).toThrow("DER");
    for (const bit of [1, 2, 16, 128]) {
      const bent = Buffer.from(whole);
      bent[0] = (bent[0] as number) ^ bit;
      expect(() => ecdsaSignature(bent)).toThrow("DER");
    }
  });
});

it("numbers of no length, of an open length, and of more than a byte of length are refused", () => {
  for (const hex of ["3004 0200 0201", "3080 020101 020101", "308200 06 020101 020101", "3006 020101 030101"]) {
    expect(() => ecdsaSignature(Buffer.from(hex.replaceAll(" ", ""), "hex"))).toThrow("DER");
  }
});
