import { randomUUID } from 'node:crypto';
import { setTimeout as pause } from 'node:timers/promises';
import { parseArgs } from 'node:util';
import { TcpProxy } from '../../dist/test/support/tcp-proxy.js';

/**
 * One client beside one tracer: publishes, consumes, and prints one line of JSON.
 *
 * @typedef {object} Tracer
 * @property {<T>(run: () => T) => { traceId: string, result: unknown }} inTrace  runs it in a trace of its own
 * @property {() => string | undefined} activeTraceId
 * @property {(headers: Record<string, unknown>) => string | undefined} traceIdIn  what a message carries
 * @property {() => { good: number, failed: number } | undefined} consumerSpans  ended so far; undefined if that can't be told
 *
 * @typedef {object} Setup
 * @property {string} url  may lead through a proxy
 * @property {string} brokerUrl  leads to the broker itself
 * @property {string} name
 * @property {number} prefetch
 * @property {number} concurrency  as far as the client knows one
 * @property {(body: unknown, messageId: string | undefined, headers: Record<string, unknown>) => Promise<void> | undefined} handle
 *
 * @typedef {object} Session
 * @property {(body: unknown, messageId: string) => Promise<unknown>} publish  resolves with the broker's confirm
 * @property {() => Promise<unknown>} consume  begins to
 * @property {() => Promise<unknown>} close
 *
 * @typedef {(setup: Setup) => Promise<Session>} Open
 */

const { values } = parseArgs({
  options: {
    tracer: { type: 'string', default: 'none' },
    client: { type: 'string', default: 'hopline' },
    mode: { type: 'string', default: 'traces' },
    url: { type: 'string', default: 'amqp://127.0.0.1:5672' },
  },
});

/** @type {Tracer} */
const none = {
  inTrace: (run) => ({ traceId: '', result: run() }),
  activeTraceId: () => undefined,
  traceIdIn: () => undefined,
  consumerSpans: () => undefined,
};
/** @type {Tracer} */
const tracer = values.tracer === 'none' ? none : (await import(`./${values.tracer}.js`)).tracer;
/** @type {Open} */
const open = (await import(`./${values.client}-client.js`)).open;

const COUNT = 400;
/** Published while the broker is away, and written just before that: so many of each. */
const AWAY = 50;

const name = `tracers-${randomUUID().slice(0, 8)}`;

/** @param {() => boolean} holds @param {string} what */
async function until(holds, what) {
  const endsAt = performance.now() + 30_000;
  while (!holds()) {
    if (performance.now() > endsAt) throw new Error(`${what}: not after 30 s`);
    await pause(20);
  }
}

/** What was seen of messages. One that is delivered again must be right again. */
class Seen {
  calls = 0;
  /** @type {Map<string, { carried: boolean, ran: boolean }>} */
  all = new Map();

  note(/** @type {string} */ id, /** @type {boolean} */ carried, /** @type {boolean} */ ran) {
    const before = this.all.get(id) ?? { carried: true, ran: true };
    this.all.set(id, { carried: before.carried && carried, ran: before.ran && ran });
    this.calls += 1;
  }

  get size() {
    return this.all.size;
  }

  /** How many there were, carried their own trace, and were handled in it. */
  get counts() {
    const each = [...this.all.values()];
    return {
      handled: each.length,
      carried: each.filter(({ carried }) => carried).length,
      ran: each.filter(({ ran }) => ran).length,
    };
  }
}

/** Each message is published in a trace of its own: what does it carry, and what is its handler in? */
async function traces() {
  /** @type {Map<string, string>} */
  const publishedIn = new Map();
  const seen = new Seen();
  const away = new Seen();
  const handle = async (
    /** @type {unknown} */ _body,
    /** @type {string | undefined} */ messageId,
    /** @type {Record<string, unknown>} */ headers,
  ) => {
    const id = String(messageId);
    const own = publishedIn.get(id) ?? 'none';
    const before = tracer.activeTraceId();
    await pause(3);
    const hasRun = before === own && tracer.activeTraceId() === own;
    (id.startsWith('away') ? away : seen).note(id, tracer.traceIdIn(headers) === own, hasRun);
  };
  const { hostname, port } = new URL(values.url);
  const proxy = await TcpProxy.start({ host: hostname, port: Number(port || 5672) });
  const url = new URL(values.url);
  url.host = `127.0.0.1:${proxy.port}`;
  // Started in a request's trace, as by a framework that starts what a first request asks for.
  const opening = tracer.inTrace(() =>
    open({ url: url.href, brokerUrl: values.url, name, prefetch: 40, concurrency: 10, handle }),
  );
  const session = /** @type {Session} */ (await [opening.result].flat()[0]);
  const publish = (/** @type {string} */ messageId, /** @type {string} */ text) => {
    const { traceId, result } = tracer.inTrace(() => session.publish({ text }, messageId));
    publishedIn.set(messageId, traceId);
    return [result].flat()[0];
  };
  // Far more than the socket and the client's buffers take at once.
  const text = 'x'.repeat(10_000);
  await Promise.all(Array.from({ length: COUNT }, (_none, number) => publish(`m${number}`, text)));
  await [tracer.inTrace(() => session.consume()).result].flat()[0];
  await until(() => seen.size === COUNT, 'all handled');
  // What is acked by now would come again: its spans would be two.
  await pause(100);
  if (values.client === 'hopline') {
    proxy.stall('both');
    const written = Array.from({ length: AWAY }, (_none, number) => publish(`away-written-${number}`, 'x'));
    await pause(100);
    proxy.reset();
    await pause(100);
    const waiting = Array.from({ length: AWAY }, (_none, number) => publish(`away-waiting-${number}`, 'x'));
    proxy.resume();
    await Promise.all([...written, ...waiting]);
    await until(() => away.size === 2 * AWAY, 'what was published while the broker was away handled');
  }
  const calls = seen.calls + away.calls;
  const ended = () => {
    const { good, failed } = tracer.consumerSpans() ?? { good: calls, failed: 0 };
    return good + failed;
  };
  await until(() => ended() >= calls, 'all consumer spans ended').catch(() => {});
  const spans = tracer.consumerSpans();
  await session.close();
  await proxy.close();
  return { ...seen.counts, away: away.counts, calls, spans };
}

/** The process's CPU for each message: written, confirmed, delivered, handled, acked. */
async function cpu() {
  const WARMUP = 4_000;
  const COUNT = 20_000;
  let handled = 0;
  const handle = () => {
    handled += 1;
    return undefined;
  };
  const { url } = values;
  const session = await open({ url, brokerUrl: url, name, prefetch: 100, concurrency: 100, handle });
  await session.consume();
  const body = { text: 'x'.repeat(1_000) };
  const run = async (/** @type {number} */ count) => {
    const before = process.cpuUsage();
    const target = handled + count;
    for (let sent = 0; sent < count; sent += 500)
      await Promise.all(
        Array.from({ length: 500 }, (_none, number) => session.publish(body, `m${sent + number}`)),
      );
    await until(() => handled === target, 'all handled');
    const { user, system } = process.cpuUsage(before);
    return (user + system) / count;
  };
  await run(WARMUP);
  const cpuUs = await run(COUNT);
  const spans = tracer.consumerSpans();
  await session.close();
  return { cpuUs, spans };
}

const result = values.mode === 'cpu' ? await cpu() : await traces();
process.stdout.write(`${JSON.stringify(result)}\n`);
// Some tracers leave timers behind, and wait for an agent.
process.exit(0);
