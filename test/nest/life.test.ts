import assert from 'node:assert/strict';
import { join } from 'node:path';
import {
  type BeforeApplicationShutdown,
  Global,
  Injectable,
  Module,
  type OnApplicationBootstrap,
  type OnApplicationShutdown,
  type OnModuleDestroy,
  type OnModuleInit,
} from '@nestjs/common';
import { Handles } from '../../decorators/index.js';
import { describeApplication } from '../../src/cli/application.js';
import { runWorker } from '../../src/cli/work/run-worker.js';
import { Bus, type MessageContext, memory, NotStartedError, Publisher, Requester } from '../../src/index.js';
import { deferred } from '../../src/util/deferred.js';
import { marked } from '../../src/worker/protocol.js';
import { eventually } from '../support/eventually.js';
import { application, busModule, close, withBus } from './application.js';

@Injectable()
class Steps {
  readonly all: string[] = [];
}

@Global()
@Module({ providers: [Steps], exports: [Steps] })
class StepsModule {}

/** A module that others depend on: it goes last when the application ends. */
@Injectable()
class Database implements OnModuleInit, OnApplicationBootstrap, OnModuleDestroy, OnApplicationShutdown {
  isOpen = false;

  constructor(private readonly steps: Steps) {}

  onModuleInit(): void {
    this.isOpen = true;
  }

  onApplicationBootstrap(): void {
    this.steps.all.push('database bootstrapped');
  }

  onModuleDestroy(): void {
    this.isOpen = false;
    this.steps.all.push('database closed');
  }

  onApplicationShutdown(): void {
    this.steps.all.push('database gone');
  }
}

@Global()
@Module({ providers: [Database], exports: [Database] })
class DatabaseModule {}

describe('a bus in the life of a Nest application', () => {
  it('begins to consume when all else has bootstrapped, and ends its handlers before anything is destroyed', async () => {
    const transport = memory();
    const mayEnd = deferred();
    class Slow {
      constructor(
        private readonly steps: Steps,
        private readonly database: Database,
      ) {}
      @Handles('slow')
      async onSlow(): Promise<void> {
        this.steps.all.push('handler began');
        await mayEnd.promise;
        this.steps.all.push(`handler ended, database ${this.database.isOpen ? 'open' : 'closed'}`);
      }
    }
    class Root implements OnApplicationBootstrap, OnModuleDestroy, BeforeApplicationShutdown {
      constructor(
        private readonly steps: Steps,
        private readonly bus: Bus,
      ) {}
      onApplicationBootstrap(): void {
        this.steps.all.push(`root bootstrapped, bus ${this.bus.health().state}`);
      }
      onModuleDestroy(): void {
        this.steps.all.push('root destroyed');
      }
      async beforeApplicationShutdown(): Promise<void> {
        await this.bus.publish('goodbye', {});
        this.steps.all.push('root published');
      }
    }
    const inject = [Steps, Database];
    const { app, bus } = await withBus(
      {
        imports: [DatabaseModule, StepsModule],
        providers: [
          { provide: Slow, useFactory: (...given: [Steps, Database]) => new Slow(...given), inject },
          { provide: Root, useFactory: (...given: [Steps, Bus]) => new Root(...given), inject: [Steps, Bus] },
        ],
      },
      { transport },
    );
    const { all } = app.get(Steps);
    assert.deepEqual(all, ['database bootstrapped', 'root bootstrapped, bus new']);
    assert.equal(bus.health().state, 'started');
    bus.on('bus.stopped', () => void all.push('bus stopped'));
    await bus.publish('slow', {});
    await eventually(() => assert.equal(all.at(-1), 'handler began'));
    const closed = close(app);
    await eventually(() => assert.equal(bus.health().state, 'stopping'));
    await bus.publish('slow', { not: 'handled here any more' });
    mayEnd.resolve();
    await closed;
    assert.deepEqual(all.slice(3), [
      'handler ended, database open',
      'root destroyed',
      'database closed',
      'root published',
      'bus stopped',
      'database gone',
    ]);
  });

  it('keeps what a handler leaves behind at the deadline from holding up the application, and tells of it', async () => {
    const lines: string[] = [];
    const never = new Promise(() => {});
    class Endless {
      @Handles('endless')
      onEndless() {
        return never;
      }
    }
    const log = {
      debug() {},
      info() {},
      warn() {},
      error: (fields: object, message: string) =>
        void lines.push(`${message}: ${(fields as { err?: Error }).err?.message}`),
    };
    const { app, bus } = await withBus({ providers: [Endless] }, { stopDeadline: '100ms', log });
    const began = deferred();
    bus.on('handler.started', () => began.resolve());
    await bus.publish('endless', {});
    await began.promise;
    await close(app);
    assert.equal(bus.health().state, 'stopped');
    assert.match(
      lines.join(),
      /stopped, and left work behind: service 'app' did not stop cleanly within 100 ?ms/,
    );
  });

  it('fails the start of the application if it can not start', async () => {
    const transport = memory();
    transport.open = async () => {
      throw new Error('no broker there');
    };
    await assert.rejects(withBus({}, { transport }), /no broker there/);
  });

  it('is closed although a hook of the end throws: in Nest 11, which ends there, at its deadline', async () => {
    class Failing implements OnModuleDestroy {
      onModuleDestroy(): void {
        throw new Error('can not be destroyed');
      }
    }
    const { app, bus } = await withBus({ providers: [Failing] }, { stopDeadline: '300ms' });
    await close(app).catch((error: Error) => assert.match(error.message, /can not be destroyed/));
    await eventually(() => assert.equal(bus.health().state, 'stopped'));
  });

  it('waits for the application with autoStart: false', async () => {
    const { app, bus } = await withBus({ providers: [Steps] }, { autoStart: false });
    await assert.rejects(bus.publish('a', {}), NotStartedError);
    await bus.start();
    await bus.publish('a', {});
    await close(app);
    assert.equal(bus.health().state, 'stopped');
  });

  it('publishes what is published through the injected Publisher, that of a handler after its success', async () => {
    class Notices {
      constructor(private readonly publisher: Publisher) {}
      tell(what: string) {
        return this.publisher.publish('told', what);
      }
    }
    class Teller {
      constructor(private readonly notices: Notices) {}
      @Handles('tell', { publishes: 'after', retry: { tries: 3, backoff: [0] } })
      async onTell(what: string, { attempt }: MessageContext): Promise<void> {
        await this.notices.tell(`${what} ${attempt}`);
        if (attempt < 3) throw new Error('not yet');
      }
    }
    const told: string[] = [];
    class Listener {
      @Handles('told')
      onTold(what: string): void {
        told.push(what);
      }
    }
    const { app, bus } = await withBus({
      providers: [
        {
          provide: Notices,
          useFactory: (publisher: Publisher) => new Notices(publisher),
          inject: [Publisher],
        },
        { provide: Teller, useFactory: (notices: Notices) => new Teller(notices), inject: [Notices] },
        Listener,
      ],
    });
    await app.get(Notices).tell('by the application');
    await eventually(() => assert.deepEqual(told, ['by the application']));
    await bus.publish('tell', 'attempt');
    await eventually(() => assert.deepEqual(told, ['by the application', 'attempt 3']));
    assert.equal(app.get(Publisher), app.get(Requester));
  });

  it('is stopped with the application if nobody has started it', async () => {
    const app = await application({ imports: [busModule({ autoStart: false })] });
    await close(app);
    assert.equal(app.get(Bus).health().state, 'stopped');
  });

  it('is what the command loads, if the application does not start it', async () => {
    const [bus] = await describeApplication(join(import.meta.dirname, 'commanded-app.js'), '');
    assert.equal(bus?.service, 'receipts');
    assert.deepEqual(
      bus?.queues.flatMap(({ bindings }) => bindings.map(({ handler }) => handler)),
      ['Receipts.onPaid'],
    );
  });

  it('is stopped with the whole application by the command', async () => {
    const app = join(import.meta.dirname, 'commanded-app.js');
    const { ends } = (await import(app)) as typeof import('./commanded-app.js');
    const before = ends.length;
    const settings = {
      app,
      stopWhenEmpty: false,
      stopTimeoutMs: 5_000,
      reportsLoad: false,
      tellsMetrics: false,
      limits: {},
    };
    let receive: (raw: unknown) => void = () => {};
    const told: string[] = [];
    const code = runWorker(
      settings,
      ({ kind }) => {
        told.push(kind);
        if (kind === 'ready') receive(marked('stop'));
      },
      (receiver) => {
        receive = receiver;
      },
    );
    assert.equal(await code, 0, told.join());
    assert.equal(ends.length, before + 1);
  });
});
