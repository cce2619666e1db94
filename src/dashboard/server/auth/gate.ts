import type { DashboardUser } from './options.js';

/** A request at the gate. */
export interface Arrival {
  readonly request: Request;
  /** Address that it comes from; undefined if that is not known. */
  readonly peer: string | undefined;
  /** What came with the request, for a function of the application. */
  readonly context: unknown;
}

/** A request that is not let in: what the answer says. */
export interface Refusal {
  readonly status: 401 | 403 | 429 | 503;
  readonly why: string;
  readonly headers?: Readonly<Record<string, string>>;
}

/** Who is let in: the user; or what is answered in place of a page. */
export type Admission = Required<DashboardUser> | Refusal | Response;

/** Learns who a request comes from. */
export interface Gate {
  /** False if everybody is let in. */
  readonly asks: boolean;
  admit(arrival: Arrival): Promise<Admission>;
}

/** Without `auth`: whoever sits at this machine, as {@link Hosts} has made sure. */
export const openGate: Gate = { asks: false, admit: async () => ({ name: 'local', mayAct: true }) };
