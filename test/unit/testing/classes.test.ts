import 'reflect-metadata';
import assert from 'node:assert/strict';
import { container as rootContainer, singleton } from 'tsyringe';
import { Handles, Queue, Retry } from '../../../decorators/index.js';
import { Publisher } from '../../../src/index.js';
import { type TestKit, testKit } from '../../../src/testing/index.js';

class Mailer {
  async send(_to: string): Promise<void> {
    throw new Error('a test must not send mail');
  }
}

class FakeMailer extends Mailer {
  readonly sent: string[] = [];

  override async send(to: string): Promise<void> {
    this.sent.push(to);
  }
}

let built = 0;

@Handles('email.welcome')
class SendWelcomeEmail {
  constructor(
    private readonly mailer: Mailer,
    private readonly publisher: Publisher,
  ) {
    built += 1;
  }

  async handle({ to }: { to: string }): Promise<void> {
    await this.mailer.send(to);
    await this.publisher.publish('email.sent', { to });
  }
}

@Queue({ name: 'billing' })
class Billing {
  @Handles('order.placed')
  onPlaced(_order: object): void {}

  @Handles('order.*.refunded')
  @Retry({ tries: 1 })
  onRefund(_order: object): void {
    throw new Error('no refunds');
  }
}

describe('the test kit with handler classes', () => {
  let kit: TestKit;
  afterEach(() => kit?.stop());

  it('builds them with fakes, and leaves the container as it was', async () => {
    const container = rootContainer.createChildContainer();
    const mailer = new FakeMailer();
    kit = await testKit({ classes: [SendWelcomeEmail], container, fakes: [[Mailer, mailer]] });
    await kit.publish('email.welcome', { to: 'ada' });
    await kit.settled();

    assert.deepEqual(mailer.sent, ['ada']);
    kit.handled(SendWelcomeEmail).assertOnce();
    assert.equal(container.isRegistered(Mailer), false);
    assert.notEqual(container.resolve(Mailer), mailer);
  });

  it('knows what their dependencies publish, and in whose name', async () => {
    kit = await testKit({ classes: [SendWelcomeEmail], fakes: [[Mailer, new FakeMailer()]] });
    await kit.publish('email.welcome', { to: 'ada' });
    await kit.settled();
    assert.equal(kit.published('email.sent').with({ to: 'ada' }).assertOnce().by, 'SendWelcomeEmail');
  });

  it('builds them anew after a crash, and keeps the fakes, as a process and the world around it', async () => {
    built = 0;
    const mailer = new FakeMailer();
    kit = await testKit({ classes: [SendWelcomeEmail], fakes: [[Mailer, mailer]] });
    await kit.publish('email.welcome', { to: 'ada' });
    await kit.settled();
    await kit.crash();
    await kit.publish('email.welcome', { to: 'bob' });
    await kit.settled();
    assert.equal(built, 2);
    assert.deepEqual(mailer.sent, ['ada', 'bob']);
  });

  it('fakes a singleton by its own token', async () => {
    @singleton()
    class Books {
      readonly lines: string[] = [];
    }
    @Handles('line')
    class Write {
      constructor(private readonly books: Books) {}
      handle(line: string): void {
        this.books.lines.push(line);
      }
    }
    const books = new Books();
    kit = await testKit({ classes: [Write], fakes: [[Books, books]] });
    await kit.publish('line', 'one');
    await kit.settled();
    assert.deepEqual(books.lines, ['one']);
    assert.deepEqual(rootContainer.resolve(Books).lines, []);
  });

  it('finds the handlers of a class by the class, and one of them by its name', async () => {
    kit = await testKit({ classes: [Billing] });
    await kit.publish('order.placed', { id: 1 });
    await kit.publish('order.1.refunded', { id: 1 });
    await kit.settled();
    kit.handled(Billing).assertOnce();
    kit.handled('Billing.onPlaced').assertOnce();
    kit.handled('Billing.onRefund').assertNone();
    assert.equal(kit.deadLettered(Billing).assertOnce().handler, 'Billing.onRefund');
    kit.redeliver(Billing);
    await kit.settled();
    kit.handled('Billing.onPlaced').assertTimes(2);
  });

  it('takes plain handlers beside them', async () => {
    const handle = () => {};
    const plain = { name: 'plain', patterns: ['order.placed'], queue: { name: 'p' }, options: {}, handle };
    kit = await testKit({ classes: [Billing], handlers: plain });
    await kit.publish('order.placed', {});
    await kit.settled();
    assert.deepEqual(
      kit
        .handled()
        .all.map(({ handler }) => handler)
        .sort(),
      ['Billing.onPlaced', 'plain'],
    );
  });
});
