import { expect, test } from "vitest";
import { openVault } from "../../test/worker/vault.ts";
import { unwrap } from "../errors.ts";

const template = (name: string, text = "Say {{what}}") => ({
  name,
  title: "Say it",
  description: "",
  text,
  variables: [{ name: "what", description: "" }],
});

test("every save is a version of its own, and the old ones stay", async () => {
  const { vault } = openVault();
  expect(unwrap(await vault.saveTemplate(template("say", "one {{what}}")))).toMatchObject({ version: 1, newest: 1 });
  expect(unwrap(await vault.saveTemplate(template("say", "two {{what}}")))).toMatchObject({ version: 2, newest: 2 });
  expect(unwrap(await vault.readTemplate("say"))).toMatchObject({ version: 2, newest: 2, text: "two {{what}}" });
  expect(unwrap(await vault.readTemplate("say", 1))).toMatchObject({ version: 1, newest: 2, text: "one {{what}}" });
  expect(await vault.readTemplate("say", 3)).toMatchObject({ ok: false, code: "not_found" });
  expect(await vault.readTemplate("other")).toMatchObject({ ok: false, code: "not_found" });
});

test("saves at the same time get versions of their own", async () => {
  const { vault } = openVault();
  const saved = await Promise.all(Array.from({ length: 20 }, (_, i) => vault.saveTemplate(template("say", `t ${i}`))));
  expect(saved.map((each) => unwrap(each).version).sort((a, b) => a - b)).toEqual(saved.map((_, i) => i + 1));
});

test("the list has the newest of each by name, without texts", async () => {
  const { vault } = openVault();
  for (const name of ["b", "a", "b"]) unwrap(await vault.saveTemplate(template(name)));
  const listed = unwrap(await vault.listTemplates());
  expect(listed.map(({ name, version }) => [name, version])).toEqual([
    ["a", 1],
    ["b", 2],
  ]);
  expect(JSON.stringify(listed)).not.toContain("Say {{what}}");
  expect(listed[0]?.variables).toEqual([{ name: "what", description: "" }]);
});

test("a deleted template is gone with its versions, and a number is never used twice", async () => {
  const { vault } = openVault();
  for (const text of ["one", "two"]) unwrap(await vault.saveTemplate(template("say", text)));
  expect(unwrap(await vault.deleteTemplate("say"))).toEqual({ name: "say", versions: 2 });
  expect(await vault.deleteTemplate("say")).toMatchObject({ ok: false, code: "not_found" });
  expect(await vault.readTemplate("say", 1)).toMatchObject({ ok: false, code: "not_found" });
  expect(unwrap(await vault.listTemplates())).toEqual([]);
  expect(unwrap(await vault.saveTemplate(template("say", "three")))).toMatchObject({ version: 3 });
  expect(await vault.readTemplate("say", 1)).toMatchObject({ ok: false, code: "not_found" });
});

test("another account has none of it", async () => {
  const [mine, theirs] = [openVault(), openVault()];
  unwrap(await mine.vault.saveTemplate(template("say")));
  expect(await theirs.vault.readTemplate("say")).toMatchObject({ ok: false, code: "not_found" });
});

test("there are 500 templates at most; new versions are still taken", async () => {
  const { vault } = openVault();
  for (let i = 0; i < 500; i++) unwrap(await vault.saveTemplate(template(`t${i}`)));
  expect(await vault.saveTemplate(template("one-more"))).toMatchObject({ ok: false, code: "conflict" });
  expect(unwrap(await vault.saveTemplate(template("t7")))).toMatchObject({ version: 2 });
});
