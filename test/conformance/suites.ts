import { execFileSync } from "node:child_process";
import { readFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { programOf, type Suite } from "./suite.ts";

/** The official suites, and what each of them says that it requires. */
export function suites(): Suite[] {
  const current = "@modelcontextprotocol/conformance" as const;
  const sets = ["2026-07-28", "2025-11-25"].map((revision) => ({
    title: `requirements of ${revision}`,
    runner: current,
    args: ["--requirements", revision],
    required: requirementsOf(revision),
  }));
  const first = "conformance-0.1" as const;
  return [
    ...sets,
    { title: "0.1, every scenario", runner: first, args: ["--suite", "all"], required: scenariosOf(first) },
  ];
}

/** The list below `server:` in a frozen set of requirements. */
function requirementsOf(revision: string): string[] {
  const file = join(dirname(programOf("@modelcontextprotocol/conformance")), `../requirements/${revision}.yaml`);
  const [, list = ""] = /^server:\n((?: {2}- .*\n)+)/m.exec(readFileSync(file, "utf8")) ?? [];
  return [...list.matchAll(/^ {2}- (\S+)$/gm)].map(([, name]) => name as string);
}

/** What a runner lists below "Server scenarios". */
function scenariosOf(runner: Suite["runner"]): string[] {
  const listed = execFileSync(process.execPath, [programOf(runner), "list"], { encoding: "utf8" });
  const [, list = ""] = /^Server scenarios.*\n((?: {2}- .*\n)+)/m.exec(listed) ?? [];
  return [...list.matchAll(/^ {2}- (\S+)/gm)].map(([, name]) => name as string);
}
