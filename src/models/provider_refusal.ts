import { type ErrorCode, type ErrorExtras, WaypostError } from "../errors.ts";

/** A provider's answer that is no success, with what it is judged by when another try is considered; neither is shown. */
export class ProviderRefusal extends WaypostError {
  /** HTTP status. */
  readonly providerStatus: number;
  /** Seconds the provider itself asked to wait; undefined when it named none, whatever `retry_after` advises the caller. */
  readonly waitS: number | undefined;

  constructor(
    code: ErrorCode,
    detail: string,
    extras: ErrorExtras | undefined,
    providerStatus: number,
    waitS?: number,
  ) {
    super(code, detail, extras);
    this.providerStatus = providerStatus;
    this.waitS = waitS;
  }
}
