import type { HandlerEndedEvent } from '../../events.js';
import { Cells, Count } from './cells.js';
import { Distribution, type Exemplar } from './distribution.js';
import type { BusStatus, ObservedBus } from './observed-bus.js';
import type { Labels, Reading } from './reading.js';

export interface CountingOptions {
  /** Bounds of the histograms' buckets, in seconds. */
  readonly bounds: readonly number[];
  /** Labels of the exemplar of what is being counted; without it there are no exemplars. */
  readonly exemplar: (() => Exemplar['labels'] | undefined) | undefined;
}

/** From this attempt on all are counted together. */
const LAST_ATTEMPT = 10;

/** Reasons that are there from the beginning: a rate sees no increase in a series that appears with its first dead letter. */
const USUAL_REASONS = ['exhausted', 'unrecoverable'];

/** Time after which an exemplar is asked for again if there was none: with a sampled trace in a hundred, most messages have none. */
const NO_EXEMPLAR_FOR_MS = 20;

/** Counts of one handler at one queue. */
class HandlerCounts {
  readonly outcome = { succeeded: 0, failed: 0 };
  timedOut = 0;
  released = 0;
  discarded = 0;
  skipped = 0;
  circuitOpened = 0;
  /** By attempt. */
  readonly retried = new Array<number>(LAST_ATTEMPT).fill(0);
  /** By reason. */
  readonly deadLettered = new Cells(() => new Count());
  readonly run: Distribution;
  readonly wait: Distribution;
  readonly whole: Distribution;

  constructor(bounds: readonly number[]) {
    this.run = new Distribution(bounds);
    this.wait = new Distribution(bounds);
    this.whole = new Distribution(bounds);
    for (const reason of USUAL_REASONS) this.deadLettered.of(reason);
  }
}

/** Counts what becomes of messages by handlers, from a bus's events. */
export class HandlersCounts {
  private readonly queues: Cells<Cells<HandlerCounts>>;
  /** Wall-clock milliseconds until which no exemplar is asked for. */
  private noExemplarUntil = 0;

  constructor(private readonly options: CountingOptions) {
    this.queues = new Cells(() => new Cells(() => new HandlerCounts(options.bounds)));
  }

  /** @returns functions that end it */
  follow(bus: ObservedBus): (() => void)[] {
    return [
      bus.on('handler.succeeded', (event) => this.ended('succeeded', event)),
      bus.on('handler.failed', (event) => this.ended('failed', event)),
      bus.on('handler.timedOut', (event) => {
        this.of(event).timedOut += 1;
      }),
      bus.on('message.retried', (event) => {
        const { retried } = this.of(event);
        const place = Math.min(event.attempt, LAST_ATTEMPT) - 1;
        retried[place] = (retried[place] ?? 0) + 1;
      }),
      bus.on('message.deadLettered', (event) => {
        this.of(event).deadLettered.of(event.reason).value += 1;
      }),
      bus.on('message.released', (event) => {
        this.of(event).released += 1;
      }),
      bus.on('message.discarded', (event) => {
        this.of(event).discarded += 1;
      }),
      bus.on('message.skipped', (event) => {
        this.of(event).skipped += 1;
      }),
      bus.on('circuit.opened', (event) => {
        this.of(event).circuitOpened += 1;
      }),
    ];
  }

  /** Adds the handlers of a bus, so that each series is there before the first message is. */
  expect({ slotGroups, handlers }: BusStatus): void {
    for (const { lanes } of slotGroups)
      for (const { queue, of } of lanes)
        for (const { handler } of handlers.filter((each) => each.queue === of)) this.of({ queue, handler });
  }

  read(service: string, reading: Reading): void {
    for (const [queue, handlers] of this.queues)
      for (const [handler, counts] of handlers) readCounts({ service, queue, handler }, counts, reading);
  }

  private of({ queue, handler = '' }: Pick<HandlerEndedEvent, 'queue' | 'handler'>): HandlerCounts {
    return this.queues.of(queue).of(handler);
  }

  private ended(outcome: 'succeeded' | 'failed', event: HandlerEndedEvent): void {
    const counts = this.of(event);
    const { durationMs, waitMs, sincePublishedMs } = event;
    counts.outcome[outcome] += 1;
    const at = this.options.exemplar ? Date.now() : undefined;
    this.record(counts.run, durationMs, at);
    if (waitMs !== undefined) this.record(counts.wait, waitMs, at);
    if (outcome === 'succeeded' && sincePublishedMs !== undefined)
      this.record(counts.whole, Math.max(0, sincePublishedMs), at);
  }

  /** None if the application's function fails: what is counted must not depend on it. */
  private exemplar(): Exemplar['labels'] | undefined {
    try {
      return this.options.exemplar?.();
    } catch {
      return undefined;
    }
  }

  /** @param at wall-clock milliseconds if an exemplar may be wanted */
  private record(distribution: Distribution, ms: number, at: number | undefined): void {
    const value = ms / 1_000;
    const bucket = distribution.record(value);
    if (at === undefined || at < this.noExemplarUntil || !distribution.wantsExemplar(bucket, at)) return;
    const labels = this.exemplar();
    if (labels) distribution.exemplars[bucket] = { labels, value, at };
    else this.noExemplarUntil = at + NO_EXEMPLAR_FOR_MS;
  }
}

function readCounts(labels: Labels, counts: HandlerCounts, reading: Reading): void {
  for (const outcome of ['succeeded', 'failed'] as const)
    reading.add('messages_handled_total', { ...labels, outcome }, counts.outcome[outcome]);
  reading.add('handler_timeouts_total', labels, counts.timedOut);
  for (const [place, count] of counts.retried.entries()) {
    const attempt = place + 1 === LAST_ATTEMPT ? `${LAST_ATTEMPT}+` : `${place + 1}`;
    if (count > 0 || place === 0) reading.add('messages_retried_total', { ...labels, attempt }, count);
  }
  for (const [reason, { value }] of counts.deadLettered)
    reading.add('messages_dead_lettered_total', { ...labels, reason }, value);
  reading.add('messages_released_total', labels, counts.released);
  reading.add('messages_discarded_total', labels, counts.discarded);
  reading.add('messages_skipped_total', labels, counts.skipped);
  reading.add('circuit_opened_total', labels, counts.circuitOpened);
  reading.add('handler_duration_seconds', labels, counts.run);
  reading.add('message_wait_seconds', labels, counts.wait);
  reading.add('message_duration_seconds', labels, counts.whole);
}
