import type { ConsumeMiddleware } from '../../pipeline/consume-middleware.js';
import { type ConsumeParts, type Consuming, consumeStage } from '../../pipeline/consume-stage.js';
import type { PlannedHandler } from '../../pipeline/handler.js';
import type { MiddlewareObject } from '../../pipeline/middleware.js';
import type { Outcome } from '../../pipeline/outcome.js';
import { piped } from '../../pipeline/stage.js';
import type { Work } from '../../pipeline/work.js';
import type { Handler } from '../handlers/subscription.js';

export interface ConsumeWaysOptions extends ConsumeParts {
  /** Decides about an attempt, and ends it: the end of each way. */
  decide(work: Work): Promise<Outcome | undefined>;
}

/** Ways of attempts through consume middleware: that of the bus, then that of the handler. */
export class ConsumeWays {
  private constructor(
    /** Way of messages whose handler has no middleware of its own, and of those without a handler. */
    private readonly plain: Consuming | undefined,
    private readonly ofHandlers: ReadonlyMap<PlannedHandler, Consuming>,
  ) {}

  /** @returns undefined if neither the bus nor a handler has consume middleware: nothing is asked for a message then */
  static of(
    ofBus: readonly MiddlewareObject[],
    handlers: readonly Handler[],
    options: ConsumeWaysOptions,
  ): ConsumeWays | undefined {
    const end: Consuming = (work, content) => {
      work.replaced = content;
      return options.decide(work);
    };
    const wayOf = (middleware: readonly MiddlewareObject[]): Consuming | undefined => {
      const consuming = middleware.filter(hasConsume);
      if (consuming.length === 0) return undefined;
      return piped(
        consuming.map((each) => consumeStage(each, options)),
        end,
      );
    };
    const plain = wayOf(ofBus);
    const ofHandlers = new Map<PlannedHandler, Consuming>();
    for (const handler of handlers) {
      const way = handler.middleware && wayOf([...ofBus, ...handler.middleware]);
      if (way) ofHandlers.set(handler, way);
    }
    return plain || ofHandlers.size > 0 ? new ConsumeWays(plain, ofHandlers) : undefined;
  }

  wayOf({ match }: Work): Consuming | undefined {
    return (match && this.ofHandlers.get(match.handler)) ?? this.plain;
  }
}

const hasConsume = (middleware: MiddlewareObject): middleware is MiddlewareObject & ConsumeMiddleware =>
  middleware.consume !== undefined;
