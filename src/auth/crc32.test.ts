import { crc32 as known } from "node:zlib";
import { expect, test } from "vitest";
import { crc32 } from "./crc32.ts";

test("is the CRC-32 that zlib computes, of every character of ASCII and of every length", () => {
  const ascii = Array.from({ length: 128 }, (_, code) => String.fromCharCode(code)).join("");
  expect(crc32("123456789")).toBe(0xcbf43926);
  for (let i = 0; i <= 128; i++) {
    expect(crc32(ascii.slice(0, i))).toBe(known(ascii.slice(0, i)));
    expect(crc32(ascii.slice(i))).toBe(known(ascii.slice(i)));
  }
});
