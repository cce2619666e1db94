import type { Hosts } from './hosts.js';

/**
 * Whether a page of the dashboard sent a form. Browsers say it in `Sec-Fetch-Site`, but by http only to this very machine; elsewhere they
 * name the origin of a form. What says neither is no browser's form.
 */
export function isFromOwnPage({ headers, url }: Request, hosts: Hosts): boolean {
  const site = headers.get('sec-fetch-site');
  if (site !== null) return site === 'same-origin';
  const origin = headers.get('origin');
  return origin !== null && hosts.isOurOrigin(origin, headers.get('host') ?? new URL(url).host);
}
