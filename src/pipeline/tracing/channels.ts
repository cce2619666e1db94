import { AsyncResource } from 'node:async_hooks';
import { type TracingChannel, tracingChannel } from 'node:diagnostics_channel';
import { publisherHeaders } from '../../message/headers.js';
import type { Headers } from '../../message/properties.js';
import type { ConsumeResult } from '../consume-middleware.js';
import { isFailure } from '../consume-stage.js';
import type {
  AttemptTrace,
  TracedAttempt,
  TracedBus,
  TracedPublish,
  TracedReceipt,
  Tracing,
} from './tracing.js';

/*
 * The same for tracers that listen on diagnostics channels (https://nodejs.org/api/diagnostics_channel.html). What begins at
 * `start` goes on in the async contexts of the stores that are bound to it. docs/tracing.md has the fields of the objects.
 */

/** What is told of one thing from its start to its end; subscribers keep things of their own in it. */
type Story = Record<string, unknown>;

type StoryChannel = TracingChannel<unknown, Story>;

const channel = (name: string): StoryChannel => tracingChannel<unknown, Story>(`hopline:${name}`);
const publishes = channel('publish');
const processes = channel('process');
const settles = channel('settle');

/** The tracer of the channels; none if nobody listens when the bus is made. */
export function channelTracing(bus: TracedBus): Tracing[] {
  const isHeard = [publishes, processes, settles].some(({ start, end, asyncStart, asyncEnd, error }) =>
    [start, end, asyncStart, asyncEnd, error].some(({ hasSubscribers }) => hasSubscribers),
  );
  return isHeard ? [new ChannelTracing(bus)] : [];
}

class ChannelTracing implements Tracing {
  constructor(private readonly bus: TracedBus) {}

  publish<Receipt extends TracedReceipt>(
    call: TracedPublish,
    publish: (headers: Readonly<Headers>) => Promise<Receipt>,
  ): Promise<Receipt> {
    const headers = { ...call.headers };
    const telling = new Telling(publishes, { service: this.bus.service, ...call, headers });
    return telling.run(publish, addedTo(call.headers, headers)).then(
      (result) => {
        telling.end({ result });
        return result;
      },
      (error) => {
        telling.end({ error });
        throw error;
      },
    );
  }

  attempt(attempt: TracedAttempt, before: AttemptTrace | undefined): AttemptTrace {
    if (!(before instanceof ChannelAttempt))
      return new ChannelAttempt(this.bus, attempt, new AsyncResource('HOPLINE_DELIVERY'));
    const { context } = before;
    return context.runInAsyncScope(() => new ChannelAttempt(this.bus, attempt, context));
  }

  bulk<Result>(_attempts: readonly AttemptTrace[], run: () => Promise<Result>): Promise<Result> {
    return run();
  }
}

class ChannelAttempt implements AttemptTrace {
  readonly logFields = {};
  private readonly added: Headers = {};
  private readonly about: object;
  private readonly processing: Telling;
  private settling: Telling | undefined;

  /** @param context the async context of the delivery: that of an attempt has the attempt's stores */
  constructor(
    { service }: TracedBus,
    { received, match, attempt }: TracedAttempt,
    readonly context: AsyncResource,
  ) {
    const { delivery, exchange, routingKey, messageId, redelivered } = received;
    const { queue, properties } = delivery;
    const handler = match?.handler.name;
    this.about = { service, queue, handler, exchange, routingKey, messageId, attempt, redelivered };
    const headers = { ...properties.headers };
    this.processing = new Telling(processes, { ...this.about, headers, carried: this.added });
  }

  get carried(): Headers {
    return addedTo({}, this.added);
  }

  run<Arg, Result>(run: (arg: Arg) => Result, arg: Arg): Result {
    return this.processing.run(run, arg);
  }

  decided(result: ConsumeResult): void {
    if (this.settling) return;
    this.processing.end(isFailure(result) ? { result, error: result.error } : { result });
    this.settling = new Telling(settles, { ...this.about });
  }

  settled(result: ConsumeResult): void {
    this.decided(result);
    this.settling?.end({ result });
  }
}

/** Headers that subscribers have added: what is no text, or only Hopline or the broker may write, is left out. */
function addedTo(before: Readonly<Headers>, all: Readonly<Headers>): Headers {
  const added = Object.entries(publisherHeaders(all)).filter(
    ([name, value]) => typeof value === 'string' && value !== before[name],
  );
  return Object.fromEntries(added);
}

/** One thing that is told on a channel. */
class Telling {
  /** The async context of the channel's stores. */
  private readonly context: AsyncResource;

  constructor(
    private readonly channel: StoryChannel,
    private readonly story: Story,
  ) {
    this.context = channel.start.runStores(story, () => new AsyncResource('HOPLINE_TRACE'));
    channel.end.publish(story);
  }

  run<Arg, Result>(run: (arg: Arg) => Result, arg: Arg): Result {
    return this.context.runInAsyncScope(run, undefined, arg);
  }

  end(how: Story): void {
    const { channel } = this;
    const story = Object.assign(this.story, how);
    if ('error' in how) channel.error.publish(story);
    channel.asyncStart.publish(story);
    channel.asyncEnd.publish(story);
  }
}
