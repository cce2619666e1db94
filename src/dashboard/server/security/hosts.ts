import { isIP } from 'node:net';

const LOOPBACK = ['localhost', '127.0.0.1', '[::1]'];

/** Headers of proxies. A request that has one does not come from a browser on this machine, whatever address it is from. */
const OF_PROXIES = ['forwarded', 'x-forwarded-for', 'x-forwarded-host', 'x-real-ip', 'via'];

export interface HostsOptions {
  readonly allowed: readonly string[];
  /** True if users are asked who they are. */
  readonly hasAuth: boolean;
}

/**
 * Which requests are meant for the dashboard. A page of somebody else's can have its own name point to this machine, and then read what its
 * browser gets here; but the browser still says the name (DNS rebinding). A number can't be pointed elsewhere.
 */
export class Hosts {
  constructor(private readonly options: HostsOptions) {}

  /** Why a request is refused, and what to do; undefined if it isn't. */
  refusal(request: Request, peer: string | undefined): string | undefined {
    const hosts = [new URL(request.url).host, request.headers.get('host') ?? undefined];
    const foreign = hosts.find((host) => host !== undefined && !this.isOurs(nameIn(host)));
    if (foreign !== undefined)
      return this.options.hasAuth
        ? `The dashboard does not know itself as '${nameIn(foreign)}'. If that is its name, add it to allowedHosts (--allowed-host).`
        : "Without auth the dashboard answers to 127.0.0.1 and localhost alone. Give auth (--auth), and the dashboard's name in allowedHosts (--allowed-host).";
    if (this.options.hasAuth) return undefined;
    const isForwarded = OF_PROXIES.some((name) => request.headers.has(name));
    if (peer === undefined)
      return 'Without auth the dashboard answers to this very machine alone, and it is not known where the request has come from. Mount dashboard.listener, or give auth.';
    if (isForwarded || !isLoopback(peer))
      return 'Without auth the dashboard answers to this very machine alone, and the request has come by way of another. Give auth (--auth).';
    return undefined;
  }

  /**
   * True for the origin under which a request has reached the dashboard: another port is another server. Behind a proxy that sends another
   * Host, it is one of the names that were given.
   *
   * @param host as the request has it, with its port
   */
  isOurOrigin(origin: string, host: string): boolean {
    if (!URL.canParse(origin)) return false;
    const { protocol, host: from } = new URL(origin);
    // With the protocol of the origin, whose port needs no naming.
    const own = URL.canParse(`${protocol}//${host}`) ? new URL(`${protocol}//${host}`).host : undefined;
    return from !== '' && (from === own || this.options.allowed.includes(from));
  }

  private isOurs(name: string): boolean {
    const { allowed, hasAuth } = this.options;
    if (LOOPBACK.includes(name) || allowed.includes(name)) return true;
    return hasAuth && allowed.length === 0 && isIP(name.replace(/^\[|\]$/g, '')) !== 0;
  }
}

/** A host without its port, in lower case. */
const nameIn = (host: string): string => host.toLowerCase().replace(/:\d*$/, '');

/** True for an address of this machine alone, as node:net writes it. */
export function isLoopback(address: string): boolean {
  return address === '::1' || /^(::ffff:)?127\./.test(address);
}
