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

/** What is kept by several keys, one after the other. */
class Kept {
  private further: Map<unknown, Kept> | undefined;
  beginning: Beginning | undefined;

  at(key: unknown): Kept {
    this.further ??= new Map();
    let next = this.further.get(key);
    if (!next) {
      next = new Kept();
      this.further.set(key, next);
    }
    return next;
  }
}

/** Beginnings of the spans of a bus. They are kept: most spans are not recorded, and those pay for little more than the look here. */
export class Beginnings {
  private publishes = new Kept();
  private processes = new Kept();
  private readonly settles = new Map<string, Beginning>();
  private size = 0;

  constructor(private readonly bus: TracedBus) {}

  ofPublish({ of, exchange, routingKey, type }: TracedPublish): Beginning {
    // Each batch has a name of its own.
    if (of === 'batch') {
      const made = this.make(`send ${type}`, 'send', {});
      return { ...made, rest: { ...made.rest, ...batchAttributes(routingKey) } };
    }
    const kept = this.publishes.at(type).at(exchange).at(routingKey);
    return kept.beginning ?? this.keep(kept, this.make(`send ${type}`, 'send', { exchange, routingKey }));
  }

  ofProcess({ received, match }: TracedAttempt): Beginning {
    const { exchange, routingKey, delivery } = received;
    const { queue } = delivery;
    const handler = match?.handler.name;
    const kept = this.processes.at(queue).at(handler).at(exchange).at(routingKey);
    return (
      kept.beginning ??
      this.keep(kept, this.make(`process ${queue}`, 'process', { exchange, routingKey, queue, handler }))
    );
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

  private keep(kept: Kept, made: Beginning): Beginning {
    kept.beginning = made;
    this.size += 1;
    if (this.size > KEPT_AT_MOST) {
      this.publishes = new Kept();
      this.processes = new Kept();
      this.size = 0;
    }
    return made;
  }
}

const KINDS = { send: SpanKind.PRODUCER, process: SpanKind.CONSUMER, settle: SpanKind.CLIENT } as const;
