import { Hono } from 'hono';
import { HoplineError } from '../../errors.js';
import { assetAnswer } from './assets/assets.js';
import type { Admission } from './auth/gate.js';
import type { DashboardUser } from './auth/options.js';
import { act } from './requests/act.js';
import { type Asking, faultOf, type Known, type Parts, problem } from './requests/asking.js';
import { followPage } from './requests/follow-page.js';
import { showPage } from './requests/show-page.js';
import { newNonce, securityHeaders } from './security/headers.js';

/** The addresses of the dashboard: `PATH/SITE/…`, and `PATH/assets/…`. */
export function appOf(parts: Parts): Hono<Known> {
  const { sites, path } = parts;
  const app = new Hono<Known>({
    getPath: (request) => pathBelow(path, new URL(request.url).pathname),
  });
  app.use(async (asking, next) => {
    const nonce = newNonce();
    asking.set('nonce', nonce);
    await next();
    if (asking.get('isOfApplication')) hedge(asking.res.headers);
    else secure(asking, nonce);
  });
  app.use(async (asking, next) => (await keptOut(asking, parts)) ?? (await next()));
  app.get('/assets/:name', (asking) => {
    const { name } = asking.req.param();
    return assetAnswer(name, asking.req.header('accept-encoding') ?? '') ?? asking.notFound();
  });
  app.get('/', (asking) => asking.redirect(`${path}/${sites[0]?.id}/`));
  for (const site of sites) {
    app.get(`/${site.id}/live`, (asking) => followPage(asking, site, parts));
    app.get(`/${site.id}/*`, (asking) => showPage(asking, site, parts));
    app.post(`/${site.id}/*`, (asking) => act(asking, site, parts));
  }
  app.notFound((asking) =>
    problem(asking, parts, {
      ...{ status: 404, title: 'Not found', message: 'There is no page at this address.' },
      back: `${path}/`,
    }),
  );
  app.onError((error, asking) => failed(error, asking, parts));
  return app;
}

function secure(asking: Asking, nonce: string): void {
  const { headers } = asking.res;
  for (const [name, value] of Object.entries(securityHeaders(nonce)))
    if (name !== 'cache-control' || !headers.has(name)) headers.set(name, value);
}

/** Headers of an answer of the application's own, such as a page for logging in: what it loads is its own business. */
function hedge(headers: Headers): void {
  const { 'content-security-policy': _, ...others } = securityHeaders('');
  const framing = { 'content-security-policy': "frame-ancestors 'none'" };
  for (const [name, value] of Object.entries({ ...others, ...framing }))
    if (!headers.has(name)) headers.set(name, value);
}

/** The answer to a request that is not let in. */
async function keptOut(asking: Asking, parts: Parts): Promise<Response | undefined> {
  const { peer, context, mountedAt } = asking.env;
  const request = asking.req.raw;
  const refusal = parts.hosts.refusal(request, peer);
  if (refusal !== undefined)
    return problem(asking, parts, { status: 403, title: 'Not answered', message: refusal });
  const admitted = await parts.gate.admit({ request, peer, context });
  if (isUser(admitted)) {
    asking.set('user', admitted);
    return misplaced(asking, parts, mountedAt);
  }
  if (!('why' in admitted)) {
    asking.set('isOfApplication', true);
    const { body, status, statusText, headers } = admitted;
    // A copy: headers of a redirect, or of an answer of fetch, can't be changed.
    return new Response(body, { status, statusText, headers: new Headers([...headers]) });
  }
  for (const [name, value] of Object.entries(admitted.headers ?? {})) asking.header(name, value);
  return problem(asking, parts, { status: admitted.status, title: 'Not let in', message: admitted.why });
}

/** Every link of the pages would lead elsewhere. */
function misplaced(asking: Asking, parts: Parts, mountedAt: string | undefined) {
  // Express takes a path in any case for its own.
  if (mountedAt === undefined || mountedAt.toLowerCase() === parts.path.toLowerCase()) return undefined;
  return problem(asking, parts, {
    ...{ status: 500, title: 'Mounted elsewhere' },
    message: `The dashboard is mounted at '${mountedAt}', and its option path says '${parts.path || '/'}'.`,
    help: `Give it path: '${mountedAt}'.`,
  });
}

const isUser = (admitted: Admission): admitted is Required<DashboardUser> => 'mayAct' in admitted;

function failed(error: Error, asking: Asking, parts: Parts): Response | Promise<Response> {
  if (error instanceof HoplineError) {
    const { message, help } = error;
    return problem(asking, parts, { status: 503, title: 'Not known at the moment', message, help });
  }
  return problem(asking, parts, { status: 500, title: 'Failed', message: faultOf(error, parts) });
}

/**
 * The path below that of the dashboard. Frameworks that mount a handler leave that part in the address or take it away: both are
 * understood.
 */
function pathBelow(base: string, path: string): string {
  if (base === '' || !(path === base || path.startsWith(`${base}/`))) return path || '/';
  return path.slice(base.length) || '/';
}
