import { type Attributes, SpanKind, type SpanOptions } from '@opentelemetry/api';
import type { TracedAttempt, TracedBus, TracedPublish } from '../../pipeline/tracing/tracing.js';
import {
  batchAttributes,
  type Destination,
  type Operation,
  otherAttributes,
  sampledAttributes,
} from './attributes.js';

/** What spans begin with that are alike. */
export interface Beginning {
  readonly name: string;
  readonly options: SpanOptions;
  /** The same as an internal span: below one of the client library. */
  readonly internal: SpanOptions;
  /** Attributes that samplers do not see: for spans that are recorded. */
  readonly rest: Attributes;
}

/** Routing keys may have ids in them. */
const KEPT_AT_MOST = 1_000;

/** Beginnings of the spans of a bus. They are kept: most spans are not recorded, and those pay for little more than the look here. */
export class Beginnings {
  private readonly publishes = new Map<string, Map<string, Beginning>>();
  private readonly processes = new Map<unknown, Map<string, Beginning>>();
  private readonly settles = new Map<string, Beginning>();
  private size = 0;

  constructor(private readonly bus: TracedBus) {}

  ofPublish({ of, exchange, routingKey, type }: TracedPublish): Beginning {
    // Each batch has a name of its own.
    if (of === 'batch') {
      const made = this.make(`send ${type}`, 'send', {});
      return { ...made, rest: { ...made.rest, ...batchAttributes(routingKey) } };
    }
    return (
      this.publishes.get(exchange)?.get(routingKey) ??
      this.keep(
        this.publishes,
        exchange,
        routingKey,
        this.make(`send ${type}`, 'send', { exchange, routingKey }),
      )
    );
  }

  ofProcess({ received, match }: TracedAttempt): Beginning {
    const { exchange, routingKey, delivery } = received;
    const { queue } = delivery;
    // One handler has one exchange and one queue, but for lanes and more than one pattern.
    const by = match?.handler ?? queue;
    const name = `process ${queue}`;
    const kept = this.processes.get(by)?.get(routingKey);
    if (kept?.name === name) return kept;
    const handler = match?.handler.name;
    const made = this.make(name, 'process', { exchange, routingKey, queue, handler });
    return this.keep(this.processes, by, routingKey, made);
  }

  ofSettle(queue: string): Beginning {
    const kept = this.settles.get(queue);
    if (kept) return kept;
    const made = this.make(`settle ${queue}`, 'settle', { queue });
    this.settles.set(queue, made);
    return made;
  }

  private make(name: string, operation: Operation, destination: Destination): Beginning {
    const { bus } = this;
    const attributes = sampledAttributes(operation, bus, destination);
    const internal = { kind: SpanKind.INTERNAL, attributes };
    const rest = otherAttributes(operation, bus, destination);
    return { name, options: { kind: KINDS[operation], attributes }, internal, rest };
  }

  private keep<Key>(
    all: Map<Key, Map<string, Beginning>>,
    by: Key,
    routingKey: string,
    made: Beginning,
  ): Beginning {
    if (this.size >= KEPT_AT_MOST) {
      this.publishes.clear();
      this.processes.clear();
      this.size = 0;
    }
    this.size += 1;
    const its = all.get(by) ?? new Map<string, Beginning>();
    all.set(by, its.set(routingKey, made));
    return made;
  }
}

const KINDS = { send: SpanKind.PRODUCER, process: SpanKind.CONSUMER, settle: SpanKind.CLIENT } as const;
