import type { Series, SeriesName } from '../seen.js';
import { PrometheusError } from './errors.js';

/** Whose series is wanted. */
export type Subject =
  | { readonly of: 'all'; readonly services: readonly string[] }
  | { readonly of: 'handler'; readonly service: string; readonly queue: string; readonly handler: string }
  | { readonly of: 'queue'; readonly queue: string };

const ANSWER_MS = 5_000;

/** Values of one series: more than a chart has pixels for would only be slow. */
const MOST_VALUES = 720;
const LEAST_STEP_MS = 15_000;

/** Time over which a rate is taken, in steps: with fewer, a scrape that was missed leaves a hole. */
const RATE_STEPS = 4;

/** An answer that is larger is none of this. */
const MOST_BYTES = 4 * 1_024 * 1_024;

/** Client of Prometheus' HTTP API (https://prometheus.io/docs/prometheus/latest/querying/api/), for the metrics that docs/metrics.md lists. */
export class Prometheus {
  private readonly base: URL;
  private readonly authorization: string | undefined;

  /**
   * @param url address, with credentials if it asks for them; they travel in a header and are never shown
   * @param prefix beginning of the metrics' names
   */
  constructor(
    url: string,
    private readonly prefix = 'hopline_',
  ) {
    this.base = new URL(url.endsWith('/') ? url : `${url}/`);
    const { username, password } = this.base;
    const credentials = `${decodeURIComponent(username)}:${decodeURIComponent(password)}`;
    this.authorization = username === '' ? undefined : `Basic ${Buffer.from(credentials).toString('base64')}`;
    this.base.username = '';
    this.base.password = '';
  }

  /**
   * @param spanMs time up to `now` that it covers
   * @param now wall-clock milliseconds
   * @throws PrometheusError
   */
  async series(name: SeriesName, subject: Subject, spanMs: number, now: number): Promise<Series> {
    const stepMs = Math.max(LEAST_STEP_MS, Math.ceil(spanMs / MOST_VALUES / 1_000) * 1_000);
    const steps = Math.max(1, Math.floor(spanMs / stepMs));
    const from = (Math.floor(now / stepMs) - steps + 1) * stepMs;
    const values = new Array<number | null>(steps).fill(null);
    const query = this.query(name, subject, (stepMs * RATE_STEPS) / 1_000);
    if (query === undefined) return { from, stepMs, values };
    for (const [at, text] of await this.ask(query, from, from + (steps - 1) * stepMs, stepMs)) {
      const value = Number(text);
      const step = Math.round((at * 1_000 - from) / stepMs);
      if (Number.isFinite(value) && step >= 0 && step < steps) values[step] = value;
    }
    return { from, stepMs, values };
  }

  /** Undefined for what is no metric. */
  private query(name: SeriesName, subject: Subject, overSeconds: number): string | undefined {
    const { prefix } = this;
    const selects = (...more: string[]) => `{${[...labelsOf(subject), ...more].join(',')}}`;
    const rate = (metric: string, ...more: string[]) =>
      `rate(${prefix}${metric}${selects(...more)}[${overSeconds}s])`;
    const quantile = (share: number, metric: string) =>
      `1000 * histogram_quantile(${share}, sum by (le) (${rate(`${metric}_bucket`)}))`;
    switch (name) {
      case 'handled':
        return `sum(${rate('messages_handled_total', 'outcome="succeeded"')})`;
      case 'failed':
        return `sum(${rate('messages_handled_total', 'outcome="failed"')})`;
      case 'dead-lettered':
        return `sum(${rate('messages_dead_lettered_total')})`;
      case 'length':
        return subject.of === 'handler'
          ? undefined
          : `sum(max by (queue) (${prefix}queue_messages${selects()}))`;
      case 'dead-letters':
        return undefined;
      default: {
        const [kind, percentile] = name.split('-') as ['wait' | 'run', 'p50' | 'p95' | 'p99'];
        const metric = kind === 'wait' ? 'message_wait_seconds' : 'handler_duration_seconds';
        return quantile(Number(percentile.slice(1)) / 100, metric);
      }
    }
  }

  private async ask(
    query: string,
    from: number,
    to: number,
    stepMs: number,
  ): Promise<readonly (readonly [number, string])[]> {
    const url = new URL('api/v1/query_range', this.base);
    const body = new URLSearchParams({
      query,
      start: `${from / 1_000}`,
      end: `${to / 1_000}`,
      step: `${stepMs / 1_000}`,
      timeout: `${ANSWER_MS}ms`,
    });
    const headers = this.authorization === undefined ? {} : { authorization: this.authorization };
    const signal = AbortSignal.timeout(ANSWER_MS);
    // By POST: an address is in the logs of whatever is between.
    const response = await fetch(url, { method: 'POST', headers, body, signal }).catch((cause: Error) => {
      const why = (cause.cause as Error | undefined)?.message ?? cause.message;
      throw this.error(
        `does not answer: ${why}`,
        'Look whether it runs, and at the address that was given.',
        cause,
      );
    });
    if (!response.ok) {
      await response.body?.cancel();
      throw this.error(
        `answers ${response.status} to a query`,
        response.status === 401 || response.status === 403
          ? 'Give its user and password in its address.'
          : 'Look whether the address is that of Prometheus itself, and at its log.',
      );
    }
    const answer = valuesIn(await textOf(response));
    if (!answer)
      throw this.error(
        'gives no answer of Prometheus',
        'Look whether the address is that of Prometheus itself.',
      );
    return answer;
  }

  private error(what: string, help: string, cause?: unknown): PrometheusError {
    return new PrometheusError(`Prometheus at ${this.base.host} ${what}`, help, { cause });
  }
}

/** Undefined if it is too long, or breaks off. */
async function textOf(response: Response): Promise<string | undefined> {
  const parts: Uint8Array[] = [];
  let bytes = 0;
  try {
    for await (const part of response.body ?? []) {
      bytes += part.length;
      if (bytes > MOST_BYTES) return undefined;
      parts.push(part);
    }
  } catch {
    return undefined;
  }
  return Buffer.concat(parts).toString();
}

/** Pairs of seconds and value; none where nothing is known. Undefined for what is no answer. */
function valuesIn(text: string | undefined): readonly (readonly [number, string])[] | undefined {
  try {
    const { status, data } = JSON.parse(text ?? '') as {
      status?: unknown;
      data?: { result?: { values?: unknown }[] };
    };
    if (status !== 'success' || !Array.isArray(data?.result)) return undefined;
    const values = data.result[0]?.values ?? [];
    return Array.isArray(values) ? (values as [number, string][]).filter(Array.isArray) : undefined;
  } catch {
    return undefined;
  }
}

function labelsOf(subject: Subject): string[] {
  const is = (label: string, value: string) => `${label}="${escaped(value)}"`;
  switch (subject.of) {
    case 'handler':
      return [is('service', subject.service), is('queue', subject.queue), is('handler', subject.handler)];
    case 'queue':
      return [is('queue', subject.queue)];
    case 'all': {
      const { services } = subject;
      if (services.length === 0) return [];
      // One Prometheus may have several applications.
      return [`service=~"${escaped(services.map(asExpression).join('|'))}"`];
    }
  }
}

const escaped = (value: string): string =>
  value.replaceAll('\\', '\\\\').replaceAll('"', '\\"').replaceAll('\n', '\\n');

const asExpression = (text: string): string => text.replaceAll(/[\\^$.*+?()[\]{}|]/g, '\\$&');
