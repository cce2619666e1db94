import { Chain, type ChainOptions, type ChainPlan, type ChainStep } from '../../message/chain.js';
import { isMessageDefinition, type MessageDefinition } from '../../message/define-message.js';
import { DEFAULT_EXCHANGE, type ExchangeRef } from '../../message/exchange-option.js';
import type { Headers } from '../../message/properties.js';
import type {
  LeavingIntent,
  PublishIntent,
  PublishManyOptions,
  PublishOptions,
} from '../../message/publish-options.js';
import type { Published, PublishedMany } from '../../message/published.js';
import { isPlainObject } from '../../util/check.js';
import type { Clock } from '../../util/clock.js';
import { msAsWritten } from '../../util/duration.js';
import type { Beside } from '../publish-call.js';
import { chainOf, type LeavingSender } from '../sender.js';
import { optionsInTrace } from './trace-headers.js';
import type { TracedPublish, Tracing } from './tracing.js';

/** A tracer, and what it is told of its bus. */
export interface TracedSending {
  readonly tracing: Tracing;
  readonly exchange: ExchangeRef;
  readonly clock: Clock;
}

/** A sender that a tracer may stand before. */
export interface TraceableSender extends LeavingSender {
  dispatch(
    intent: LeavingIntent,
    target: string | MessageDefinition,
    payload: unknown,
    options: PublishOptions | undefined,
    beside?: Pick<Beside, 'trace'>,
  ): Promise<Published>;
  startChain(plan: ChainPlan): Promise<Published>;
}

const NO_OPTIONS: PublishOptions = {};

/** Takes each call through a tracer, outside of all publish middleware. Wrong options are left to the sender, which refuses them. */
export class TracingSender implements LeavingSender {
  constructor(
    private readonly sender: TraceableSender,
    private readonly traced: TracedSending,
  ) {}

  dispatch(
    intent: LeavingIntent,
    target: string | MessageDefinition,
    payload: unknown,
    options?: PublishOptions,
  ): Promise<Published> {
    if (options !== undefined && !areOptions(options))
      return this.sender.dispatch(intent, target, payload, options);
    return this.traced.tracing.publish(this.about('message', intent, target, options), (headers) =>
      this.sender.dispatch(intent, target, payload, options, { trace: headers }),
    );
  }

  dispatchMany(
    intent: PublishIntent,
    target: string | MessageDefinition,
    payloads: Iterable<unknown> | AsyncIterable<unknown>,
    options: PublishManyOptions = NO_OPTIONS,
  ): Promise<PublishedMany> {
    if (!areOptions(options)) return this.sender.dispatchMany(intent, target, payloads, options);
    return this.traced.tracing.publish(this.about('many', intent, target, options), (headers) =>
      this.sender.dispatchMany(intent, target, payloads, optionsInTrace(options, headers)),
    );
  }

  chain(steps: readonly ChainStep[], options: ChainOptions = {}): Chain {
    return chainOf(steps, options, (plan) => this.startChain(plan));
  }

  /** Only the first step is in the call's trace: each later one goes on with that of the step before it. */
  private startChain(plan: ChainPlan): Promise<Published> {
    const [first, ...rest] = Array.isArray(plan.steps) ? plan.steps : [];
    if (!areOptions(first)) return this.sender.startChain(plan);
    const call = this.about('chain', 'send', first.definition ?? first.key ?? '', first, plan.id);
    return this.traced.tracing.publish(call, (headers) =>
      this.sender.startChain({ ...plan, steps: [optionsInTrace(first, headers), ...rest] }),
    );
  }

  private about(
    of: TracedPublish['of'],
    intent: LeavingIntent,
    target: string | MessageDefinition,
    options: PublishOptions = NO_OPTIONS,
    messageId = options.messageId,
  ): TracedPublish {
    const { exchange, clock } = this.traced;
    const type = isMessageDefinition(target) ? target.key : target;
    return {
      of,
      intent,
      exchange: nameOf(options, exchange),
      routingKey: options.key ?? type,
      type,
      headers: options.headers ?? NO_HEADERS,
      messageId,
      correlationId: options.correlationId,
      delayMs: delayOf(options, clock),
    };
  }
}

const NO_HEADERS: Headers = Object.freeze({});

/** False for what is refused as it is. */
export const areOptions = <Options extends object>(options: Options | undefined): options is Options =>
  isPlainObject(options) && (options.headers === undefined || isPlainObject(options.headers));

function nameOf({ exchange, queue }: PublishOptions, own: ExchangeRef): string {
  if (queue !== undefined) return DEFAULT_EXCHANGE.name;
  if (exchange === undefined) return own.name;
  return typeof exchange === 'string' ? exchange : String(exchange?.name);
}

function delayOf({ delay, at }: PublishOptions, clock: Clock): number {
  if (at instanceof Date) return Math.max(0, at.getTime() - clock.now()) || 0;
  return delay === undefined ? 0 : (msAsWritten(delay) ?? 0);
}
