import { HoplineError } from '../../../errors.js';
import { errorText } from '../../../util/text/error-text.js';
import { type Action, type Done, NotFound } from '../../pages/page.js';
import type { Site } from '../../site/site.js';
import { FORM_BYTES, FormRefused, readForm } from '../security/form.js';
import { isFromOwnPage } from '../security/same-origin.js';
import { type Asking, type Parts, type ProblemAnswer, problem } from './asking.js';
import { pathIn, SAID } from './show-page.js';

/** Runs an action that a form of the dashboard asks for, and says so in the log, done or not. */
export async function act(asking: Asking, site: Site, parts: Parts): Promise<Response> {
  const there = parts.addresses.action(pathIn(asking, site));
  if (!there) return asking.notFound();
  const audit = auditOf(asking, site, parts);
  const form = await formOf(asking, site, parts, there.found);
  if (!(form instanceof FormData)) {
    audit.refused(form.message);
    return problem(asking, parts, { title: 'Not done', ...form });
  }
  const { found, params } = there;
  const query = new URL(asking.req.url).searchParams;
  try {
    const done = await found.run({ site, params, query, form, by: asking.get('user').name });
    audit.done(done.say);
    return asking.redirect(placeOf(done, site, parts), 303);
  } catch (error) {
    audit.failed(error);
    const answer = { title: 'Not done', message: (error as Error).message };
    if (error instanceof NotFound) return problem(asking, parts, { ...answer, status: 404 });
    if (!(error instanceof HoplineError)) throw error;
    return problem(asking, parts, { ...answer, status: 409, help: error.help });
  }
}

/** The form, if its sender may act and it comes from a page that the dashboard has drawn for him. */
async function formOf(
  asking: Asking,
  site: Site,
  { allowActions, hosts, tokens }: Parts,
  { maxBytes = FORM_BYTES }: Action,
): Promise<FormData | Omit<ProblemAnswer, 'title'>> {
  const { name, mayAct } = asking.get('user');
  const request = asking.req.raw;
  if (!allowActions)
    return {
      ...{ status: 403, message: 'The dashboard is for reading only.' },
      help: 'Start it with allowActions (--allow-actions).',
    };
  if (!mayAct) return { status: 403, message: `'${name}' may look, and not act.` };
  if (!isFromOwnPage(request, hosts))
    return { status: 403, message: 'The form is not one of this dashboard.' };
  try {
    const form = await readForm(request, maxBytes);
    if (tokens.isOf(String(form.get('token') ?? ''), name, site.id)) return form;
    return {
      ...{ status: 403, message: 'The form is older than the dashboard, or not one of yours.' },
      help: 'Go back, load the page again, and repeat it.',
    };
  } catch (error) {
    if (!(error instanceof FormRefused)) throw error;
    return { status: error.status, message: error.message };
  }
}

function placeOf({ to, say }: Done, site: Site, { path, sayings }: Parts): string {
  const [there = '', fragment] = to.split('#');
  const word = `${there.includes('?') ? '&' : '?'}${SAID}=${sayings.keep(say)}`;
  return `${path}/${site.id}${there}${word}${fragment === undefined ? '' : `#${fragment}`}`;
}

/** Lines of the log: who asked for what, and what came of it. A form's fields are not in it, since a body may be among them. */
function auditOf(asking: Asking, site: Site, { log, audit }: Parts) {
  const fields = {
    user: asking.get('user').name,
    peer: asking.env.peer,
    application: site.id,
    action: pathIn(asking, site),
  };
  return {
    done: (said: string) => audit.info({ ...fields, outcome: 'done', said }, 'an action of the dashboard'),
    refused: (why: string) =>
      log.warn({ ...fields, outcome: 'refused', why }, 'an action of the dashboard was refused'),
    failed: (error: unknown) =>
      log.warn({ ...fields, outcome: 'failed', why: errorText(error) }, 'an action of the dashboard failed'),
  };
}
