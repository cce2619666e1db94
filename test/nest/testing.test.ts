import assert from 'node:assert/strict';
import { createRequire } from 'node:module';
import {
  type CanActivate,
  type ExecutionContext,
  Injectable,
  Module,
  type OnApplicationBootstrap,
  type OnModuleDestroy,
  UseGuards,
} from '@nestjs/common';
import { Test } from '@nestjs/testing';
import { Handles, Retry } from '../../decorators/index.js';
import { Bus, type MessageContext, memory, OptionsError, rabbitmq } from '../../src/index.js';
import { HoplineModule } from '../../src/nest/index.js';
import { nestTestKit } from '../../src/nest/testing/index.js';
import { silentLogger } from '../../src/util/logger.js';
import { eventually } from '../support/eventually.js';

@Injectable()
class Mailer {
  async send(_to: string): Promise<void> {
    throw new Error('this would talk to a mail server');
  }
}

class FakeMailer {
  readonly sent: string[] = [];
  failures = 0;

  async send(to: string): Promise<void> {
    if (this.failures-- > 0) throw new Error('451 try again later');
    this.sent.push(to);
  }
}

@Injectable()
class HasAddress implements CanActivate {
  canActivate(context: ExecutionContext): boolean {
    return context.switchToRpc().getData().to !== '';
  }
}

const { version } = createRequire(import.meta.url)('@nestjs/core/package.json') as { version: string };
const IS_11 = version.startsWith('11.');

let destroyed = 0;

@Injectable()
class Greetings implements OnModuleDestroy {
  constructor(private readonly mailer: Mailer) {}

  @UseGuards(HasAddress)
  @Retry({ tries: 3, backoff: ['1h', '2h'] })
  @Handles('user.registered')
  async onRegistered({ to }: { to: string }, context: MessageContext): Promise<void> {
    await this.mailer.send(to);
    await context.publish('user.greeted', { to });
  }

  onModuleDestroy(): void {
    destroyed++;
  }
}

@Module({
  imports: [
    HoplineModule.forRootAsync({
      useFactory: () => ({
        service: 'greeter',
        transport: rabbitmq({ url: 'amqp://greeter:secret@nobody.invalid' }),
      }),
    }),
  ],
  providers: [Mailer, Greetings],
})
class AppModule {}

@Module({ providers: [Mailer], exports: [Mailer] })
class MailModule {}

const open = (mailer: FakeMailer) =>
  nestTestKit({
    module: () =>
      Test.createTestingModule({ imports: [AppModule] })
        .overrideProvider(Mailer)
        .useValue(mailer),
  });

describe('the test kit of an application in Nest', () => {
  it('runs its handlers, guards and overridden providers without a broker', async () => {
    const mailer = new FakeMailer();
    const kit = await open(mailer);
    await kit.publish('user.registered', { to: 'ada@example.org' });
    await kit.publish('user.registered', { to: '' });
    await kit.settled();
    assert.deepEqual(mailer.sent, ['ada@example.org']);
    kit.published('user.greeted').with({ to: 'ada@example.org' }).assertOnce();
    kit.handled('Greetings.onRegistered').assertOnce();
    assert.match(String(kit.retried().assertOnce().error), /ForbiddenException/);
    assert.equal(kit.app.get(Bus), kit.bus);
    await kit.stop();
  });

  it('moves the time of its retries', async () => {
    const mailer = new FakeMailer();
    mailer.failures = 2;
    const kit = await open(mailer);
    await kit.publish('user.registered', { to: 'ada@example.org' });
    await kit.advance('3h');
    assert.equal(kit.handled().assertOnce().attempt, 3);
    await kit.stop();
  });

  it('makes the application anew after a crash, and its messages come again', async () => {
    const mailer = new FakeMailer();
    const kit = await open(mailer);
    const first = kit.app;
    const before = destroyed;
    await kit.crash({ at: 'before-ack' });
    await kit.publish('user.registered', { to: 'ada@example.org' });
    await kit.settled();
    assert.notEqual(kit.app, first);
    assert.equal(kit.app.get(Bus), kit.bus);
    assert.deepEqual(mailer.sent, ['ada@example.org', 'ada@example.org']);
    assert.equal(destroyed, before);
    await kit.stop();
    // That of the dead process, too: a pool that it has would keep the tests from ending.
    assert.equal(destroyed, before + 2);
  });

  it('closes each application that has crashed while its handler ran', async () => {
    const kit = await open(new FakeMailer());
    const before = destroyed;
    for (const _time of [1, 2]) {
      await kit.crash({ at: 'before-ack' });
      await kit.publish('user.registered', { to: 'ada@example.org' });
      await kit.settled();
    }
    await kit.crash();
    await kit.stop();
    assert.equal(destroyed, before + 4);
  });

  it('stops although a handler never ends, in the process and in the one before it', async () => {
    let began = 0;
    class Endless {
      @Handles('endless')
      onEndless() {
        began++;
        return new Promise(() => {});
      }
    }
    const bus = HoplineModule.forRoot({ service: 'a', transport: memory(), log: silentLogger });
    const kit = await nestTestKit({
      module: () => Test.createTestingModule({ imports: [bus], providers: [Endless] }),
    });
    await kit.publish('endless', {});
    await eventually(() => assert.equal(began, 1));
    await kit.crash();
    await eventually(() => assert.equal(began, 2));
    const { app } = kit;
    await kit.stop();
    assert.equal(app.get(Bus).health().state, 'stopped');
  });

  it('starts a bus that the application would start elsewhere, and takes options in place of its own', async () => {
    const mailer = new FakeMailer();
    mailer.failures = 1;
    const bus = HoplineModule.forRoot({
      name: 'second',
      service: 'second',
      transport: rabbitmq({ url: 'amqp://greeter:secret@nobody.invalid' }),
      autoStart: false,
    });
    const kit = await nestTestKit({
      module: () =>
        Test.createTestingModule({
          imports: [bus, HoplineModule.forFeature([Greetings], { bus: 'second', imports: [MailModule] })],
        })
          .overrideProvider(Mailer)
          .useValue(mailer),
      create: (module) => module,
      bus: 'second',
      options: { service: 'in-test' },
    });
    assert.equal(kit.bus.service, 'in-test');
    await kit.publish('user.registered', { to: 'ada@example.org' });
    await kit.advance('1h');
    kit.handled(Greetings).assertOnce();
    await kit.stop();
  });

  it('closes an application that can not start', async () => {
    class Broken implements OnApplicationBootstrap {
      onApplicationBootstrap(): void {
        throw new Error('no license');
      }
    }
    const before = destroyed;
    const module = () =>
      Test.createTestingModule({ imports: [AppModule], providers: [Broken] })
        .overrideProvider(Mailer)
        .useValue(new FakeMailer());
    await assert.rejects(nestTestKit({ module }), /no license/);
    // Nest 11 closes no application whose start has failed: `app.close()` rejects with the error of the start.
    assert.equal(destroyed, IS_11 ? before : before + 1);
  });

  it('refuses an application without that bus, and wrong options', async () => {
    const module = () => Test.createTestingModule({ providers: [Mailer] });
    const refused = (problem: RegExp) => (error: unknown) =>
      error instanceof OptionsError && problem.test(error.message);
    await assert.rejects(nestTestKit({ module }), refused(/no bus without a name: import HoplineModule/));
    await assert.rejects(nestTestKit({ module, bus: 'orders' }), refused(/has no bus named orders/));
    await assert.rejects(
      nestTestKit({ modul: module } as never),
      refused(/unknown option modul, did you mean module/),
    );
  });
});
