import { createHmac, randomBytes, timingSafeEqual } from 'node:crypto';

/**
 * Tokens of forms: what another site's page can't know, so that it can't act in the name of who looks at it. One belongs to a user and an
 * application, and holds until the dashboard ends.
 */
export class Tokens {
  private readonly key = randomBytes(32);
  /** Word of this start: tokens of pages with another don't hold. */
  readonly boot = randomBytes(9).toString('base64url');

  of(user: string, site: string): string {
    return this.digest(user, site).toString('base64url');
  }

  isOf(token: string, user: string, site: string): boolean {
    const given = Buffer.from(token, 'base64url');
    const own = this.digest(user, site);
    return given.length === own.length && timingSafeEqual(given, own);
  }

  private digest(user: string, site: string): Buffer {
    return createHmac('sha256', this.key)
      .update(JSON.stringify([user, site]))
      .digest();
  }
}
