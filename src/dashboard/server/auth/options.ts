/** Who a request comes from. */
export interface DashboardUser {
  /** Name, as the list of operations and the audit lines have it. */
  name: string;
  /** False for a user who may only look. Actions need the option `allowActions` besides. @default true */
  mayAct?: boolean;
}

/** How the dashboard learns who a request comes from: one of these. */
export type DashboardAuth = UsersAuth | ProxyAuth | CallbackAuth;

/** Users with passwords, asked for by the browser (HTTP Basic): serve them by TLS, or on this machine alone. */
export interface UsersAuth {
  /**
   * Path of a file with a line for each user, as `hopline dashboard user NAME` prints them, or the lines themselves. Read once, at the start.
   */
  users: string | readonly string[];
}

/** A proxy that asks users who they are, and tells it in a header. */
export interface ProxyAuth {
  proxy: {
    /** Header with the name of the user: `x-forwarded-user`. The proxy must remove what clients send under this name. */
    header: string;
    /**
     * Addresses of the proxy, as `10.0.0.7` or `10.0.0.0/8`: nobody else's header is believed. @default 127.0.0.0/8 and ::1
     */
    from?: readonly string[];
    /**
     * A secret that the proxy sends in another header. Needed where the address of the peer is not known, which is so for requests that reach
     * `dashboard.fetch` without the connection they came by; else an additional check. @default none
     */
    secret?: { header: string; value: string };
    /** Names of the users who may act; others look. @default all may */
    mayAct?: readonly string[];
  };
}

/** A function of the application that hosts the dashboard. */
export interface CallbackAuth {
  /**
   * Says who a request comes from. `undefined` refuses it; a `Response`, such as a redirect to a page for logging in, is the answer. What it
   * throws is logged, and refuses the request.
   *
   * @param context of `listener`, `{ incoming }` with the request of node:http; of `fetch`, whatever came with the request
   */
  authorize(request: Request, context: unknown): AuthorizeResult | Promise<AuthorizeResult>;
}

export type AuthorizeResult = DashboardUser | Response | undefined;
