import { Chain, type ChainOptions, type ChainPlan, type ChainStep } from '../message/chain.js';
import { isMessageDefinition, type MessageDefinition } from '../message/define-message.js';
import type {
  LeavingIntent,
  PublishIntent,
  PublishManyOptions,
  PublishOptions,
} from '../message/publish-options.js';
import type { Published, PublishedMany } from '../message/published.js';
import type { Beside, BodyEncoding } from './publish-call.js';
import {
  type PublishMiddleware,
  type PublishRequest,
  type PublishWrap,
  wrapping,
} from './publish-middleware.js';
import { chainOf, type DirectSender, type Encodings, type LeavingSender } from './sender.js';
import { optionsInTrace } from './tracing/trace-headers.js';
import { type TraceableSender, type TracedSending, TracingSender } from './tracing/tracing-sender.js';

/**
 * Gives the sender behind a tracer and publish middleware; without any, the sender itself.
 *
 * @param middleware the first is the outermost
 * @param traced the bus's tracer; undefined if there is none
 */
export function throughMiddleware(
  middleware: readonly PublishMiddleware[],
  traced: TracedSending | undefined,
): (direct: DirectSender) => LeavingSender {
  const wrap = middleware.length === 0 ? undefined : wrapping(middleware);
  return (direct) => {
    const inner = wrap ? new MiddlewareSender(direct, wrap) : direct;
    return traced ? new TracingSender(inner, traced) : inner;
  };
}

/** Takes each payload through the publish middleware, within the call that publishes it. */
class MiddlewareSender implements TraceableSender {
  constructor(
    private readonly direct: DirectSender,
    private readonly wrap: PublishWrap,
  ) {}

  async dispatch(
    intent: LeavingIntent,
    target: string | MessageDefinition,
    payload: unknown,
    given: PublishOptions = {},
    { trace }: Pick<Beside, 'trace'> = {},
  ): Promise<Published> {
    this.direct.check(given);
    const options = trace ? optionsInTrace(given, trace) : given;
    const message = messageOf(intent, target, payload, options, options.key);
    return this.wrap(message, (changed, encoding) =>
      this.direct.dispatch(intent, target, changed.payload, withHeaders(options, message, changed), {
        encoding,
      }),
    );
  }

  dispatchMany(
    intent: PublishIntent,
    target: string | MessageDefinition,
    payloads: Iterable<unknown> | AsyncIterable<unknown>,
    options: PublishManyOptions = {},
  ): Promise<PublishedMany> {
    return this.direct.dispatchMany(intent, target, payloads, options, (payload, publish) => {
      const message = messageOf(intent, target, payload, options, options.key);
      return this.wrap(message, (changed, encoding) =>
        publish(changed.payload, withHeaders(options, message, changed), encoding),
      );
    });
  }

  chain(steps: readonly ChainStep[], options: ChainOptions = {}): Chain {
    return chainOf(steps, options, (plan) => this.startChain(plan));
  }

  startChain(plan: ChainPlan): Promise<Published> {
    const { steps, onFailure } = plan;
    // What is no list of steps is refused with the plan.
    if (!Array.isArray(steps) || steps.length === 0) return this.direct.startChain(plan);
    return wrapSteps(this.wrap, onFailure ? [...steps, onFailure] : steps, (changed, encodings) => {
      const own = { ...plan, steps: changed.slice(0, steps.length), onFailure: changed[steps.length] };
      return this.direct.startChain(own, encodings);
    });
  }
}

/**
 * Takes the steps of a chain, or a job of a batch, through the publish middleware: each step within the one before it, and
 * all of them get the result of the one message in which they leave.
 */
export function wrapSteps(
  wrap: PublishWrap,
  steps: readonly ChainStep[],
  publish: (steps: readonly ChainStep[], encodings: Encodings) => Promise<Published>,
): Promise<Published> {
  const changed: ChainStep[] = [];
  const encodings = new Map<ChainStep, BodyEncoding | undefined>();
  const pass = (index: number): Promise<Published> => {
    if (index === steps.length) return publish([...changed], encodings);
    const step = steps[index] as ChainStep;
    // What is no step is refused when it is composed.
    const { definition, key, payload, ...options } = step ?? {};
    const message = messageOf('send', definition ?? (key as string), payload, options, key);
    return wrap(message, (own, encoding) => {
      const next = { ...withHeaders(step, message, own), payload: own.payload };
      changed[index] = next;
      encodings.set(next, encoding);
      return pass(index + 1);
    });
  };
  return pass(0);
}

function messageOf(
  intent: LeavingIntent,
  target: string | MessageDefinition,
  payload: unknown,
  { headers = {}, messageId, correlationId }: PublishOptions,
  key: string | undefined,
): PublishRequest {
  const definition = isMessageDefinition(target) ? target : undefined;
  const routingKey = key ?? definition?.key ?? (target as string);
  return { intent, routingKey, definition, payload, headers, messageId, correlationId };
}

/** The options with the headers that middleware has added; as they are, if it has added none. */
function withHeaders<Options extends PublishManyOptions>(
  options: Options,
  before: PublishRequest,
  { headers }: PublishRequest,
): Options {
  return headers === before.headers ? options : { ...options, headers };
}
