import type { OutgoingRequest, ReplySink, Requests, Writing } from '../transport/requests.js';
import type { KitPublishes } from './publishes.js';
import type { World } from './world.js';

/** The requests of one session, told to the journal. No faults are ordered for them: a test has the responder fail. */
export class KitRequests implements Requests {
  readonly obstacle = undefined;
  private readonly inner: Requests;
  /** Takes a request out of the journal that nobody could get; key: its correlation id. */
  private readonly takeBack = new Map<string, () => void>();

  constructor(
    private readonly world: World,
    private readonly publishes: Pick<KitPublishes, 'asked'>,
    private readonly session: { readonly isDead: boolean },
    open: (sink: ReplySink) => Requests,
    sink: ReplySink,
  ) {
    this.inner = open({
      ready: () => sink.ready(),
      replied: (reply) => {
        if (!this.session.isDead) sink.replied(reply);
      },
      unroutable: (correlationId) => {
        this.takeBack.get(correlationId)?.();
        sink.unroutable(correlationId);
      },
      refused: (correlationId, refusal) => {
        this.takeBack.get(correlationId)?.();
        sink.refused(correlationId, refusal);
      },
      lost: (error, refusal) => sink.lost(error, refusal),
    });
  }

  ask(request: OutgoingRequest): Writing {
    if (this.session.isDead) return 'written';
    const { flow, broker } = this.world;
    const { correlationId = '' } = request.message.properties;
    const takeBack = this.publishes.asked(request.message);
    const done = flow.begin(`request '${correlationId}' is on its way`);
    this.takeBack.set(correlationId, takeBack);
    const writing = this.inner.ask(request);
    // Behind its delivery, or its return.
    broker.turns.next(() => {
      this.takeBack.delete(correlationId);
      done();
    });
    return writing;
  }
}
