import { readdirSync, readFileSync } from "node:fs";

/** The workerd processes that this process started, itself or through others. */
export function workerdPids(): number[] {
  const parents = new Map<number, { parent: number; name: string }>();
  for (const entry of readdirSync("/proc")) {
    const pid = Number(entry);
    if (!Number.isInteger(pid)) continue;
    try {
      const [, name = "", rest = ""] = /^\d+ \((.*)\) (.*)$/s.exec(readFileSync(`/proc/${pid}/stat`, "utf8")) ?? [];
      parents.set(pid, { parent: Number(rest.split(" ")[1]), name });
    } catch {
      // It ended meanwhile.
    }
  }
  const isMine = (pid: number): boolean =>
    pid === process.pid || (parents.has(pid) && isMine(parents.get(pid)?.parent as number));
  return [...parents].filter(([pid, { name }]) => name.includes("workerd") && isMine(pid)).map(([pid]) => pid);
}

/** CPU milliseconds that processes have used, all threads. */
export function cpuMs(pids: readonly number[]): number {
  let ns = 0;
  for (const pid of pids)
    for (const thread of readdirSync(`/proc/${pid}/task`))
      ns += Number(readFileSync(`/proc/${pid}/task/${thread}/schedstat`, "utf8").split(" ")[0]);
  return ns / 1e6;
}

/** Memory that processes hold, in MB. */
export const residentMb = (pids: readonly number[]): number =>
  pids.reduce((sum, pid) => {
    const kb = /^VmRSS:\s+(\d+)/m.exec(readFileSync(`/proc/${pid}/status`, "utf8"))?.[1];
    return sum + Number(kb ?? 0) / 1024;
  }, 0);
