import { TrieRouter } from "hono/router/trie-router";
import { describe, expect, it } from "vitest";
import { RememberingRouter } from "./router.ts";

const ROUTES = [
  ["GET", "/v1/usage"],
  ["POST", "/v1/chat"],
  ["DELETE", "/v1/chat/:id"],
  ["GET", "/v1/documents/:id{.+}"],
  ["ALL", "/v1/usage"],
  ["ALL", "/v1/chat/:id"],
] as const;
const PATHS = [
  "/v1/usage",
  "/v1/chat",
  "/v1/chat/a",
  "/v1/chat/:id",
  "/v1/documents/a/b",
  "/v1/none",
  "/",
  "/v1/usage/",
];
const METHODS = ["GET", "POST", "DELETE", "PUT", "BREW"];

describe("the router", () => {
  const mine = new RememberingRouter<string>();
  const trie = new TrieRouter<string>();
  for (const [method, path] of ROUTES) {
    for (const router of [mine, trie]) router.add(method, path, `${method} ${path}`);
  }

  it.each([1, 2, 3])("finds what the trie finds, time %i", () => {
    for (const method of METHODS) {
      for (const path of PATHS) expect(mine.match(method, path)).toEqual(trie.match(method, path));
    }
  });

  it("finds what was added after it was asked", () => {
    const late = new RememberingRouter<string>();
    late.add("GET", "/a", "first");
    expect(late.match("GET", "/a")[0]).toHaveLength(1);
    late.add("GET", "/a", "second");
    expect(late.match("GET", "/a")[0]).toHaveLength(2);
  });
});
