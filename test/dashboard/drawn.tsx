import { renderToString } from 'preact-render-to-string';
import { Redaction } from '../../src/dashboard/letters/redaction.js';
import type { Done, Page } from '../../src/dashboard/pages/page.js';
import { PAGES } from '../../src/dashboard/pages/pages.js';
import type { View, ViewContext } from '../../src/dashboard/pages/view.js';
import { VIEWS } from '../../src/dashboard/pages/views.js';
import { Addresses } from '../../src/dashboard/server/requests/addresses.js';
import { REDACTED } from '../../src/dashboard/site/redacted.js';
import type { Seen } from '../../src/dashboard/site/seen.js';
import type { Site } from '../../src/dashboard/site/site.js';
import type { FailureIndex, IndexedLetter } from '../../src/failures/groups/group.js';
import { Names } from '../../src/topology/names.js';
import { systemClock } from '../../src/util/clock.js';

/** A site of which a test has given what its page needs: whatever else is asked of it fails. */
export function siteOf(parts: Partial<Site>): Site {
  const letters = { redaction: new Redaction(REDACTED) };
  const site = { names: new Names(), clock: systemClock, index: indexOf([]), letters, ...parts };
  return new Proxy(site, {
    get(target, name) {
      if (name in target) return target[name as keyof typeof target];
      throw new Error(`the test has given its site no ${String(name)}`);
    },
  }) as Site;
}

export const CONTEXT: ViewContext = {
  base: '/ops/shop',
  mayAct: true,
  token: 'the-token',
  links: {},
  now: Date.UTC(2026, 10, 30, 12),
};

export interface Drawn<Model> {
  readonly model: Model;
  readonly html: string;
  /** What is read, with single spaces. */
  readonly text: string;
}

/** A page as it is sent: its model has gone through JSON, as the browser gets it. */
export async function drawn<Model>(
  name: string,
  site: Site,
  {
    query = '',
    params = {},
    context = {},
  }: { query?: string; params?: Record<string, string>; context?: Partial<ViewContext> } = {},
): Promise<Drawn<Model>> {
  const page = PAGES.find((each) => each.name === name) as Page<unknown> | undefined;
  if (!page) throw new Error(`there is no page '${name}'`);
  const loaded = await page.load({ site, params, query: new URLSearchParams(query) });
  const model = JSON.parse(JSON.stringify(loaded)) as Model;
  return { model, ...drawnOf(name, model, context) };
}

/** Does what a form that is posted to this path would do. */
export async function acted(
  site: Site,
  path: string,
  fields: Readonly<Record<string, string | readonly string[]>> = {},
  by = 'ada',
): Promise<Done> {
  const there = new Addresses().action(path);
  if (!there) throw new Error(`there is no action '${path}'`);
  const form = new FormData();
  for (const [name, value] of Object.entries(fields))
    for (const each of [value].flat()) form.append(name, each);
  const { found, params } = there;
  return found.run({ site, params, query: new URLSearchParams(), form, by });
}

/** A view of a literal model. */
export function drawnOf(
  name: string,
  model: unknown,
  context: Partial<ViewContext> = {},
): Omit<Drawn<never>, 'model'> {
  const View = VIEWS[name] as View<unknown>;
  const html = renderToString(<View model={model} context={{ ...CONTEXT, ...context }} />);
  return { html, text: readable(html) };
}

function readable(html: string): string {
  const entities: Readonly<Record<string, string>> = {
    '&lt;': '<',
    '&gt;': '>',
    '&quot;': '"',
    '&#39;': "'",
    '&amp;': '&',
  };
  return html
    .replace(/<[^>]*>/g, ' ')
    .replace(/&\w+;|&#39;/g, (entity) => entities[entity] ?? entity)
    .replace(/[\s\u00a0]+/g, ' ');
}

/** What was seen of an application that has nothing, but for what a test gives. */
export const seenOf = (parts: Partial<Seen> = {}): Seen => ({
  at: CONTEXT.now,
  reached: true,
  ...{ silent: [], processes: [], handlers: [], queues: [], delays: [], paused: [], lost: 0 },
  broker: {
    ...{ name: 'RabbitMQ 4.3.6', cluster: undefined, blocked: false, nodes: [], critical: undefined },
    ...{ connections: undefined, connectionChurn: undefined },
  },
  ...parts,
});

/** A watch that has looked once. */
export const watchOf = (
  seen: Partial<Seen>,
  running: Site['watch']['running'] = async () => [],
): Site['watch'] =>
  ({
    seen: seenOf(seen),
    latest: async () => seenOf(seen),
    again: async () => seenOf(seen),
    running,
  }) as Site['watch'];

/** An index of these letters. */
export const indexOf = (all: readonly IndexedLetter[]): FailureIndex =>
  ({
    state: {
      state: 'current',
      readAt: 1,
      letters: all.length,
      progress: undefined,
      leftOut: 0,
      problem: undefined,
    },
    refresh: async () => {},
    letters: ({ in: kind, text = '', limit = 50 } = {}) => {
      const found = all.filter(
        (letter) =>
          (kind === undefined || letter[kind === 'chain' ? 'chainId' : 'batchId'] !== undefined) &&
          JSON.stringify(letter).includes(text),
      );
      return { count: found.length, letters: found.slice(0, limit) };
    },
  }) as Partial<FailureIndex> as FailureIndex;

/** A letter of the index, as an error leaves it. */
export const letterOf = (parts: Partial<IndexedLetter>): IndexedLetter => ({
  ...{
    id: 'letter-1',
    queue: 'mail',
    deadQueue: 'mail.dead',
    exchange: 'hopline.events',
    routingKey: 'mail.due',
  },
  ...{ reason: 'exhausted', by: 'hopline', error: 'Error: the disk is full', attempts: 3, bytes: 12 },
  ...{ firstAttemptAt: undefined, failedAt: new Date(CONTEXT.now - 60_000), publishedAt: undefined },
  ...{ encryptedWith: undefined, group: 'abcdef012345', handler: 'SendMail', messageId: 'letter-1' },
  ...{ correlationId: undefined, traceId: undefined, chainId: undefined, batchId: undefined },
  ...{ version: undefined, replay: undefined },
  ...parts,
});
