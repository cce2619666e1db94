import type { Sender } from '../../message/publisher.js';
import type { Attempt, AttemptPublishes } from '../../pipeline/attempt.js';
import type { PlannedHandler } from '../../pipeline/handler.js';
import type { PublishMiddleware } from '../../pipeline/publish-middleware.js';
import type { DirectSender } from '../../pipeline/sender.js';
import type { AroundStage, GuardStage } from '../../pipeline/stage.js';
import { isThenable } from '../../util/after.js';
import type { KeepingWay } from './keeping-sender.js';
import { KeptPublishes } from './kept.js';

/** An attempt in the stage's way. */
type Kept = Attempt & { readonly kept: AttemptPublishes };

/** Gives the senders behind the tracer and the publish middleware of the bus, and inside these that of a handler. */
export type Through = (inner: readonly PublishMiddleware[]) => (direct: DirectSender) => Sender;

export interface PublishesOptions extends Pick<KeepingWay, 'scope' | 'drafts' | 'steps'> {
  readonly through: Through;
  /** Publish middleware of the handler. */
  readonly inner: readonly PublishMiddleware[];
}

/**
 * Keeps what an attempt publishes, and publishes it if the attempt succeeds: before its message is acked, and before whatever else
 * is stored for it. {@link publishesAround} is around the code.
 */
export function publishesStage(
  _handler: PlannedHandler,
  _settings: object,
  { scope, drafts, steps, through, inner }: PublishesOptions,
): GuardStage {
  const way: KeepingWay = { scope, drafts, steps, through: through(inner), throughBus: through([]) };
  return (next) => (context) => {
    const kept = new KeptPublishes(context, way);
    context.kept = kept;
    try {
      const outcome = next(context);
      if (!isThenable(outcome)) return kept.end(outcome);
      return outcome.then(
        (late) => kept.end(late),
        (error) => {
          kept.drop();
          throw error;
        },
      );
    } catch (error) {
      kept.drop();
      throw error;
    }
  };
}

/** Within the handler's time: what an injected publisher publishes in there is its attempt's. */
export const publishesAround: AroundStage = (next) => (payload, context) =>
  (context as Kept).kept.run(() => next(payload, context));
