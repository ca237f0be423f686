import { readdirSync, readFileSync } from "node:fs";

/** CPU milliseconds that this process's workerd children have used, all threads, to the nanosecond (schedstat). */
export function workerdCpuMs(): number {
  const threads = readdirSync(`/proc/${process.pid}/task`);
  const children = threads.flatMap((thread) => words(`/proc/${process.pid}/task/${thread}/children`));
  let ns = 0;
  for (const pid of children) {
    if (!readFileSync(`/proc/${pid}/comm`, "utf8").includes("workerd")) continue;
    for (const thread of readdirSync(`/proc/${pid}/task`))
      ns += Number(words(`/proc/${pid}/task/${thread}/schedstat`)[0]);
  }
  return ns / 1e6;
}

const words = (file: string): string[] => readFileSync(file, "utf8").trim().split(/\s+/).filter(Boolean);
