import { inWorkerd } from "./test/worker/config.ts";

/** Tests of the whole product, which reads its settings once: a Worker of its own for each file. */
export default inWorkerd({ include: ["test/worker/**/*.test.ts"] });
