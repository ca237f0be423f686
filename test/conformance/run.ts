import { browserPerson } from "../oauth/browser_person.ts";
import { runAuthorization } from "./authorization.ts";
import { isGood, type Outcome, run } from "./suite.ts";
import { suites } from "./suites.ts";
import { startConformance } from "./world.ts";

/**
 * `npm run conformance`: the official suites against a started server with their fixtures, through its real authentication,
 * limits and billing. Exits with 1 when anything that is required did not pass.
 */

let missed = 0;

function line(good: boolean, title: string, count: string, note = ""): void {
  if (!good) missed++;
  console.log(`${good ? "ok  " : "MISS"}  ${title.padEnd(36)} ${count.padStart(7)}  ${note}`);
}

function tell(outcome: Outcome): void {
  const { suite, code, passed, scenarios, output } = outcome;
  const others = scenarios.filter(({ name }) => !suite.required.includes(name));
  const more =
    others.length === 0 ? "" : `${others.filter((each) => each.passed).length}/${others.length} not required`;
  line(isGood(outcome), suite.title, `${passed.length}/${suite.required.length}`, `exit code ${code}; ${more}`);
  for (const name of suite.required) {
    const checks = scenarios.find((each) => each.name === name)?.checks;
    if (!checks) console.log(`        ${name}: did not run`);
    for (const { id, status, errorMessage } of checks ?? []) {
      if (status === "FAILURE" || status === "WARNING") console.log(`        ${name} ${status} ${id}: ${errorMessage}`);
    }
  }
  if (scenarios.length === 0) console.log(output.slice(-2_000));
}

const world = await startConformance();
const person = await browserPerson();
try {
  for (const suite of suites()) tell(await run(suite, world));
  await person.claim(world.claim);
  for (const version of ["2026-07-28", "2025-11-25"]) {
    const { code, checks, output } = await runAuthorization(version, world, person);
    const passed = checks.filter(({ status }) => status === "SUCCESS").length;
    const good = code === 0 && passed === checks.length && checks.length > 0;
    line(good, `authorization, ${version}`, `${passed}/${checks.length}`, `exit code ${code}`);
    if (!good) console.log(output.slice(-2_000));
  }
} finally {
  await person.close();
  await world.stop();
}
process.exitCode = missed > 0 ? 1 : 0;
