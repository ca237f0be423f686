/** A reason not to start that the person at the terminal can act on: printed as one line, exit code 1. */
export class StartFailure extends Error {
  override readonly name = "StartFailure";
}

/** First line of an error's message, for failures that are reported in one line. */
export function firstLine(error: unknown): string {
  const text = error instanceof Error ? error.message : String(error);
  return text.trim().split("\n", 1)[0] ?? "";
}

export class PortInUse extends StartFailure {}

export const portInUse = (port: number): PortInUse =>
  new PortInUse(`port ${port} is in use; stop what listens there, or use --port N (0 = any free port)`);

/** Why a port cannot be listened on, by what the operating system said. */
export function portFailure(port: number, error: NodeJS.ErrnoException): StartFailure {
  if (error.code === "EADDRINUSE") return portInUse(port);
  const why = error.code === "EACCES" ? "may not be used by this user" : `cannot be used: ${firstLine(error)}`;
  return new StartFailure(`port ${port} ${why}; use --port N (0 = any free port)`);
}
