import { createHash, timingSafeEqual } from 'node:crypto';
import { AddressList } from './addresses.js';
import type { Admission, Arrival, Gate, Refusal } from './gate.js';
import type { ProxyAuth } from './options.js';

const OWN_MACHINE = ['127.0.0.0/8', '::1'];

/** Believes a header of the proxy in front, and of nobody else. */
export class ProxyGate implements Gate {
  readonly asks = true;
  private readonly trusted: AddressList;

  constructor(private readonly options: ProxyAuth['proxy']) {
    this.trusted = new AddressList(options.from ?? OWN_MACHINE);
  }

  async admit({ request, peer }: Arrival): Promise<Admission> {
    const { header, secret, mayAct } = this.options;
    if (peer === undefined && !secret)
      return refused(
        'The address that the request comes from is not known, so the header of a proxy is not believed. Mount dashboard.listener, or give auth.proxy.secret.',
      );
    if (peer !== undefined && !this.trusted.has(peer))
      return refused(
        'The dashboard is reached by way of its proxy. Its address is given in auth.proxy.from.',
      );
    if (secret && !isSame(request.headers.get(secret.header) ?? '', secret.value))
      return refused('The request does not carry the secret of the proxy.');
    const name = request.headers.get(header)?.trim();
    if (!name) return refused(`The proxy has not said who you are: the header ${header} is missing.`);
    return { name, mayAct: mayAct?.includes(name) ?? true };
  }
}

const refused = (why: string): Refusal => ({ status: 403, why });

/** Takes the same time wherever they differ. */
function isSame(given: string, secret: string): boolean {
  const digest = (text: string) => createHash('sha256').update(text).digest();
  return timingSafeEqual(digest(given), digest(secret));
}
