import { createHmac, timingSafeEqual } from 'node:crypto';

/** What GitHub puts into `X-Hub-Signature-256`: the HMAC-SHA256 of the body, keyed with a secret both sides know. */
export function sign(secret: string, body: string): string {
  return `sha256=${createHmac('sha256', secret).update(body).digest('hex')}`;
}

/** Takes the same time for every wrong signature, so that it can't be guessed digit by digit. */
export function isSigned(secret: string, body: string, signature: string | undefined): boolean {
  const expected = Buffer.from(sign(secret, body));
  const given = Buffer.from(signature ?? '');
  return given.length === expected.length && timingSafeEqual(given, expected);
}
