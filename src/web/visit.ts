import { hashKey, randomText } from "../auth/keys.ts";
import { cookieOf, type PresentedSession, Sessions } from "../auth/sessions.ts";
import type { Env } from "../env.ts";

/** The cookie that ties forms to a browser in which nobody is signed in yet. */
export const VISIT_COOKIE = "__Host-waypost-visit";
const SECRET_LENGTH = 40;
const SECRET = /^[0-9a-z]{40}$/;

/** A browser at one page: who is signed in there, and what binds its forms to it. */
export class Visit {
  readonly signedIn: PresentedSession | null;
  /** `Set-Cookie` values that the answer must carry. */
  readonly cookies: string[] = [];
  #secret: string | null;

  private constructor(signedIn: PresentedSession | null, secret: string | null) {
    this.signedIn = signedIn;
    this.#secret = secret;
    if (signedIn?.renewal) this.cookies.push(signedIn.renewal);
  }

  static async of(request: Request, env: Env): Promise<Visit> {
    const signedIn = await new Sessions(env).present(request);
    const visit = cookieOf(request, VISIT_COOKIE);
    return new Visit(signedIn, signedIn?.secret ?? (visit !== null && SECRET.test(visit) ? visit : null));
  }

  /** The token that forms of a page carry; a browser that has nothing to bind it to gets a cookie with the page. */
  async formToken(): Promise<string> {
    if (this.#secret === null) {
      this.#secret = randomText(SECRET_LENGTH);
      this.cookies.push(`${VISIT_COOKIE}=${this.#secret}; Path=/; Secure; HttpOnly; SameSite=Lax`);
    }
    return hashKey(`form ${this.#secret}`);
  }

  /** Whether a token came with a page of this browser and this session. */
  async owns(token: string): Promise<boolean> {
    if (this.#secret === null) return false;
    const expected = await hashKey(`form ${this.#secret}`);
    const encode = (text: string) => new TextEncoder().encode(text);
    return token.length === expected.length && crypto.subtle.timingSafeEqual(encode(token), encode(expected));
  }

  /** Names this browser, and its session if it has one, to what is begun in it and must be finished in it. */
  async browser(): Promise<string> {
    return hashKey(`browser ${this.#secret ?? ""}`);
  }
}
