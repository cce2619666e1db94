import 'reflect-metadata';
import assert from 'node:assert/strict';
import { container, injectable } from 'tsyringe';
import { Handles, handlers, Queue, Retry, Timeout } from '../../decorators/index.js';
import {
  type Bus,
  HandlerResolutionError,
  HandlerTimeoutError,
  MessageContext,
  Publisher,
} from '../../src/index.js';
import { type BusFixture, ours } from '../support/bus-fixture.js';
import type { Theme } from './theme.js';

/** What the handlers write into; injected. */
class Journal {
  readonly entries: string[] = [];

  write(entry: string): void {
    this.entries.push(entry);
  }
}

@Handles(['email.welcome', 'email.reminder'])
@Retry({ tries: 3, backoff: ['100ms'] })
class SendEmail {
  constructor(private readonly journal: Journal) {}

  async handle({ to }: { to: string }, { attempt, routingKey }: MessageContext): Promise<void> {
    this.journal.write(`${routingKey} to ${to}, attempt ${attempt}`);
    if (to === 'nobody' || (to === 'later' && attempt === 1)) throw new Error('no such mailbox');
  }

  async failed(error: Error, { to }: { to: string }, { attempt }: MessageContext): Promise<void> {
    this.journal.write(`gave up ${to} after ${attempt}: ${error.message}`);
  }
}

@Queue({ concurrency: 1 })
@Retry({ tries: 1 })
class Billing {
  constructor(
    private readonly journal: Journal,
    private readonly publisher: Publisher,
  ) {}

  @Handles('order.placed')
  async onPlaced(id: number): Promise<void> {
    this.journal.write(`placed ${id}`);
    await this.publisher.publish('invoice.made', id);
  }

  @Handles('order.*.refunded')
  onRefunded(id: number, { routingKey }: MessageContext): void {
    this.journal.write(`${routingKey} ${id}`);
  }

  @Handles('order.#')
  @Retry({ tries: 2, backoff: '100ms' })
  onAnythingElse(_id: number, { routingKey, attempt }: MessageContext): void {
    this.journal.write(`${routingKey}, attempt ${attempt}`);
    throw new Error('unknown order');
  }

  @Handles('invoice.made')
  onInvoice(id: number): void {
    this.journal.write(`invoiced ${id}`);
  }
}

@injectable()
class RequestLog {
  constructor(
    private readonly context: MessageContext,
    private readonly journal: Journal,
  ) {}

  note(text: string): void {
    this.journal.write(`${this.context.messageId}: ${text}`);
  }
}

@Handles('scoped', { scope: 'message' })
class Scoped {
  constructor(private readonly log: RequestLog) {}

  handle(text: string): void {
    this.log.note(text);
  }
}

@Handles('slow')
@Timeout('200ms')
@Retry({ tries: 1 })
class Slow {
  constructor(private readonly journal: Journal) {}

  async handle(_payload: unknown, { signal }: MessageContext): Promise<void> {
    await new Promise((resolve) => signal.addEventListener('abort', resolve));
    this.journal.write(`${(signal.reason as Error).name}`);
  }
}

interface Missing {
  readonly missing: true;
}

@Handles('k')
class Unresolvable {
  constructor(readonly dependency: Missing) {}

  handle(): void {}
}

/** One container for each bus, as a process has. */
function decoratedBus(
  fx: BusFixture,
  ...classes: Parameters<typeof handlers>[0]
): { bus: Bus; journal: Journal } {
  const own = container.createChildContainer();
  const journal = new Journal();
  own.registerInstance(Journal, journal);
  return { bus: fx.bus('mailer', { handlers: handlers(classes, { container: own }) }), journal };
}

export const decorated: Theme = (test) => {
  test('a class handles what its patterns take, with its dependencies injected, on a queue named after it', async (fx) => {
    const { bus, journal } = decoratedBus(fx, SendEmail);
    await bus.start();
    await bus.send('email.welcome', { to: 'ann' });
    await bus.send('email.reminder', { to: 'bob' });
    await bus.publish('email.other', { to: 'nobody' });
    await fx.eventually(() =>
      assert.deepEqual(journal.entries.toSorted(), [
        'email.reminder to bob, attempt 1',
        'email.welcome to ann, attempt 1',
      ]),
    );
    assert.equal(fx.trace.consumersOf(fx.name('mailer.SendEmail')), 1);
  });

  test('a class that fails is tried again as its @Retry says, and told once that it has given up', async (fx) => {
    const { bus, journal } = decoratedBus(fx, SendEmail);
    await bus.start();
    await bus.send('email.welcome', { to: 'later' });
    await fx.eventually(() =>
      assert.deepEqual(journal.entries, [
        'email.welcome to later, attempt 1',
        'email.welcome to later, attempt 2',
      ]),
    );
    journal.entries.length = 0;
    await bus.send('email.welcome', { to: 'nobody' });
    const letter = await fx.deadLetter(fx.name('mailer.SendEmail'));
    assert.deepEqual(journal.entries, [
      'email.welcome to nobody, attempt 1',
      'email.welcome to nobody, attempt 2',
      'email.welcome to nobody, attempt 3',
      'gave up nobody after 3: no such mailbox',
    ]);
    const { reason, attempt, error } = ours(letter);
    assert.deepEqual(
      { reason, attempt, error },
      { reason: 'exhausted', attempt: 3, error: 'Error: no such mailbox' },
    );
  });

  test('the methods of a class share a queue, each with its own patterns and policy', async (fx) => {
    const { bus, journal } = decoratedBus(fx, Billing);
    await bus.start();
    await bus.publish('order.placed', 1);
    await fx.eventually(() => assert.deepEqual(journal.entries, ['placed 1', 'invoiced 1']));
    journal.entries.length = 0;
    await bus.publish('order.eu.refunded', 2);
    await bus.publish('order.lost', 3);
    await fx.deadLetter(fx.name('mailer.Billing'));
    assert.deepEqual(journal.entries, [
      'order.eu.refunded 2',
      'order.lost, attempt 1',
      'order.lost, attempt 2',
    ]);
  });

  test('what is built for each message knows the context of its own', async (fx) => {
    const { bus, journal } = decoratedBus(fx, Scoped);
    await bus.start();
    await Promise.all(['a', 'b', 'c'].map((id) => bus.send('scoped', `text of ${id}`, { messageId: id })));
    await fx.eventually(() =>
      assert.deepEqual(journal.entries.toSorted(), ['a: text of a', 'b: text of b', 'c: text of c']),
    );
  });

  test('a class that runs too long is timed out as its @Timeout says', async (fx) => {
    const { bus, journal } = decoratedBus(fx, Slow);
    await bus.start();
    await bus.send('slow', 1);
    const letter = await fx.deadLetter(fx.name('mailer.Slow'));
    assert.deepEqual(journal.entries, [HandlerTimeoutError.name]);
    assert.match(String(ours(letter).error), /handler Slow did not finish within 200ms/);
  });

  test('a class that cannot be built is found at start, before anything is declared', async (fx) => {
    const { bus } = decoratedBus(fx, Unresolvable);
    await assert.rejects(bus.start(), HandlerResolutionError);
    assert.deepEqual([fx.trace.sessions, fx.trace.queues.size], [0, 0]);
  });
};
