import { execFileSync } from "node:child_process";
import { readFileSync } from "node:fs";

/** CPU seconds, user and system, that this process's workerd children have used. */
export function workerdCpuSeconds(): number {
  const ticks = Number(execFileSync("getconf", ["CLK_TCK"], { encoding: "utf8" }));
  const children = readFileSync(`/proc/self/task/${process.pid}/children`, "utf8").trim().split(/\s+/).filter(Boolean);
  let sum = 0;
  for (const pid of children) {
    const stat = readFileSync(`/proc/${pid}/stat`, "utf8");
    if (!stat.includes("(workerd)")) continue;
    const fields = stat.slice(stat.lastIndexOf(")") + 2).split(" ");
    sum += (Number(fields[11]) + Number(fields[12])) / ticks;
  }
  return sum;
}
