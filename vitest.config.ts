import { inWorkerd } from "./test/worker/config.ts";

/**
 * Tests beside the code they test. They share a Worker, since loading its modules takes longer than most files do; each file
 * still begins with empty stores and the settings of all (`test/worker/setup.ts`). What is read of the settings is kept with
 * the modules, so one that needs other settings in `env` belongs into `test/worker`.
 */
export default inWorkerd({ include: ["src/**/*.test.ts"], isolate: false });
