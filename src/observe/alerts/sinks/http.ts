import { RefusedAlertsError, TooMuchError } from './sink.js';

/** Time for one answer. */
const ANSWER_MS = 10_000;

/** An address that is asked over HTTP, without its secrets in any text: a path may be one, as in Slack's. */
export class HttpAddress {
  private readonly url: URL;
  private readonly authorization: string | undefined;

  /** True for an address that can be asked. */
  static accepts(url: string): boolean {
    if (!URL.canParse(url) || !/^https?:$/.test(new URL(url).protocol)) return false;
    try {
      credentialsOf(new URL(url));
      return true;
    } catch {
      return false;
    }
  }

  /** @param url may hold a user and a password, which travel in a header */
  constructor(url: string) {
    this.url = new URL(url);
    const credentials = credentialsOf(this.url);
    this.authorization =
      credentials === ':' ? undefined : `Basic ${Buffer.from(credentials).toString('base64')}`;
    this.url.username = '';
    this.url.password = '';
  }

  /** Host and port alone. */
  get name(): string {
    return this.url.host;
  }

  /**
   * Sends one request; redirects are not followed, since the body is for this receiver alone.
   *
   * @throws RefusedAlertsError for an answer that another try would not change; Error if there is none
   */
  async ask(
    request: { body?: string; headers?: Record<string, string> },
    ending: AbortSignal,
  ): Promise<void> {
    const { body, headers } = request;
    const response = await fetch(this.url, {
      method: body === undefined ? 'GET' : 'POST',
      headers: { ...headers, ...(this.authorization ? { authorization: this.authorization } : {}) },
      ...(body === undefined ? {} : { body }),
      redirect: 'manual',
      signal: AbortSignal.any([AbortSignal.timeout(ANSWER_MS), ending]),
    }).catch((error: Error) => {
      // Its text may hold the address.
      const { code, name } = (error.cause ?? error) as { code?: unknown; name?: string };
      // A DOMException's is a number.
      throw new Error(`${this.name} does not answer: ${typeof code === 'string' ? code : name}`);
    });
    await response.body?.cancel();
    const { status, ok } = response;
    if (ok) return;
    const message = `${this.name} answers ${status}`;
    if (status >= 500 || status === 408 || status === 429) throw new Error(message);
    if (status === 413) throw new TooMuchError(message);
    throw new RefusedAlertsError(status < 400 ? `${message}, a redirect, which is not followed` : message);
  }
}

/** @throws URIError for a percent sign that begins no byte */
const credentialsOf = ({ username, password }: URL): string =>
  `${decodeURIComponent(username)}:${decodeURIComponent(password)}`;
