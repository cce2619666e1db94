import { randomBytes } from 'node:crypto';

/** A value that only this answer's own script and style tags carry. */
export const newNonce = (): string => randomBytes(16).toString('base64');

/**
 * Headers of each answer. Nothing is loaded from anywhere else, nothing runs that the page did not name, and no other page may frame it or
 * get hold of its window. No script makes elements of text, so the browser may refuse to.
 */
export function securityHeaders(nonce: string): Readonly<Record<string, string>> {
  return {
    'content-security-policy': [
      "default-src 'none'",
      `script-src 'nonce-${nonce}'`,
      `style-src 'nonce-${nonce}'`,
      "img-src 'self' data:",
      "connect-src 'self'",
      "form-action 'self'",
      "base-uri 'none'",
      "frame-ancestors 'none'",
      "require-trusted-types-for 'script'",
      "trusted-types 'none'",
    ].join('; '),
    'x-content-type-options': 'nosniff',
    'x-frame-options': 'DENY',
    // Not `no-referrer`: with it a browser says `Origin: null` of the dashboard's own forms.
    'referrer-policy': 'same-origin',
    'cross-origin-opener-policy': 'same-origin',
    'cross-origin-resource-policy': 'same-origin',
    'cache-control': 'no-store',
  };
}
