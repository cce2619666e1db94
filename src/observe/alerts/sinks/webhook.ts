import { createHash, createHmac, randomUUID } from 'node:crypto';
import type { Alert } from '../alert.js';
import { HttpAddress } from './http.js';
import type { AlertSink, Telling } from './sink.js';
import { slackBody } from './slack.js';

/** An address to which alerts are posted. */
export interface WebhookOptions {
  /** Address; it may hold a user and a password, and is never logged beyond its host. */
  url: string;
  /**
   * Secret by which the body is signed: `hopline-signature: t=SECONDS,v1=HEX` is an HMAC-SHA256 of `SECONDS.BODY`. @default not
   * signed
   */
  secret?: string;
  /** `json`: `{ source, alerts }`; `slack`: what Slack's incoming webhooks take, and those that do as they. @default 'json' */
  format?: 'json' | 'slack';
}

/** @internal posts the alerts of a look in one request */
export class Webhook implements AlertSink {
  private readonly address: HttpAddress;
  private readonly instance = randomUUID();

  /** @param source service, or monitor, that the alerts come from */
  constructor(
    private readonly options: WebhookOptions,
    private readonly source: string,
    private readonly now: () => number,
  ) {
    this.address = new HttpAddress(options.url);
  }

  get name(): string {
    return `webhook at ${this.address.name}`;
  }

  tell(alerts: readonly Alert[], { signal }: Telling): Promise<void> {
    const { format, secret } = this.options;
    const content = format === 'slack' ? slackBody(this.source, alerts) : { source: this.source, alerts };
    const body = JSON.stringify(content);
    const headers = {
      'content-type': 'application/json',
      'hopline-delivery': this.deliveryOf(body),
      ...(secret === undefined ? {} : { 'hopline-signature': signatureOf(body, secret, this.now()) }),
    };
    return this.address.ask({ body, headers }, signal);
  }

  /** The same for each try at the same alerts. */
  private deliveryOf(body: string): string {
    return createHash('sha256').update(this.instance).update(body).digest('hex').slice(0, 32);
  }
}

function signatureOf(body: string, secret: string, now: number): string {
  const seconds = Math.floor(now / 1_000);
  return `t=${seconds},v1=${createHmac('sha256', secret).update(`${seconds}.${body}`).digest('hex')}`;
}
