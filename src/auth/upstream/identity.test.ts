import { expect, it } from "vitest";
import { emailAddress, shown } from "./identity.ts";

it("shows a provider's text as one line of visible characters", () => {
  expect(shown("  Ada\n\tLovelace ")).toBe("Ada Lovelace");
  expect(shown("Ada\u202e\u0000Eve")).toBe("Ada Eve");
  expect(shown("e\u0301")).toBe("é");
  for (const nothing of ["", " \n", "\u200b", 7, null, undefined, {}]) expect(shown(nothing)).toBeNull();
});

it("cuts between characters, never within one", () => {
  expect(shown("a".repeat(200))).toBe("a".repeat(100));
  expect(shown(`${"a".repeat(99)}😀`)).toBe("a".repeat(99));
});

it("takes an e-mail address whole or not at all", () => {
  expect(emailAddress("ada@people.example")).toBe("ada@people.example");
  for (const none of ["ada", "a@b@c", "a b@c", "@c", "a@", `${"a".repeat(250)}@b.example`, "a\n@b", 7, null]) {
    expect(emailAddress(none)).toBeNull();
  }
});
