import assert from 'node:assert/strict';
import { Controller, Injectable, Module } from '@nestjs/common';
import { Handles } from '../../decorators/index.js';
import { Bus } from '../../src/index.js';
import { getBusToken, HoplineModule, InjectBus } from '../../src/nest/index.js';
import { silentLogger } from '../../src/util/logger.js';
import { eventually } from '../support/eventually.js';
import { application, busModule, handlersOf, problemsOf, withBus } from './application.js';

@Injectable()
class Notes {
  readonly lines: string[] = [];
}

@Handles('user.registered')
@Injectable()
class Welcome {
  constructor(private readonly notes: Notes) {}

  handle({ name }: { name: string }): void {
    this.notes.lines.push(`welcome ${name}`);
  }
}

@Injectable()
class Audit {
  constructor(private readonly notes: Notes) {}

  @Handles('user.registered')
  onRegistered({ name }: { name: string }): void {
    this.notes.lines.push(`audit ${name}`);
  }

  @Handles('user.deleted')
  onDeleted({ name }: { name: string }): void {
    this.notes.lines.push(`deleted ${name}`);
  }
}

@Controller('users')
class Users {
  @Handles('user.renamed')
  onRenamed(): void {}
}

@Module({ providers: [Notes], exports: [Notes] })
class NotesModule {}

@Module({ imports: [NotesModule], providers: [Audit] })
class AuditModule {}

describe('handlers of a Nest application', () => {
  it('are found among the providers and controllers of all modules, and built by Nest', async () => {
    const { app, bus } = await withBus({
      imports: [NotesModule, AuditModule],
      providers: [Welcome],
      controllers: [Users],
    });
    assert.deepEqual(handlersOf(bus), [
      'Audit.onDeleted',
      'Audit.onRegistered',
      'Users.onRenamed',
      'Welcome',
    ]);
    await bus.publish('user.registered', { name: 'ada' });
    await bus.publish('user.deleted', { name: 'bob' });
    const { lines } = app.get(Notes);
    await eventually(() => assert.deepEqual(lines.toSorted(), ['audit ada', 'deleted bob', 'welcome ada']));
  });

  it('may be provided under another token, as a value or by a factory, and count once for all their names', async () => {
    const notes = new Notes();
    const { bus } = await withBus({
      providers: [
        { provide: 'WELCOME', useFactory: () => new Welcome(notes) },
        { provide: Audit, useValue: new Audit(notes) },
        { provide: 'AUDIT', useExisting: Audit },
        { provide: 'USERS', useClass: Users },
      ],
    });
    assert.deepEqual(handlersOf(bus), [
      'Audit.onDeleted',
      'Audit.onRegistered',
      'Users.onRenamed',
      'Welcome',
    ]);
    await bus.publish('user.registered', { name: 'ada' });
    await eventually(() => assert.deepEqual(notes.lines.toSorted(), ['audit ada', 'welcome ada']));
  });

  it('may be registered by forFeature, with what they need', async () => {
    const { app, bus } = await withBus({
      imports: [HoplineModule.forFeature([Welcome, Audit], { imports: [NotesModule] })],
    });
    await bus.publish('user.registered', { name: 'ada' });
    const { lines } = app.get(Notes, { strict: false });
    await eventually(() => assert.deepEqual(lines.toSorted(), ['audit ada', 'welcome ada']));
  });

  it('that no forFeature can register handle nothing', () => {
    assert.throws(() => HoplineModule.forFeature([Notes]), problemsOf(/class Notes handles nothing/));
  });

  it('of one class in two modules are refused, with the names of both', async () => {
    const twice = withBus({ imports: [AuditModule, NotesModule], providers: [Audit] });
    await assert.rejects(
      twice,
      problemsOf(/Audit is provided 2 times, by (Root|AuditModule) and (Root|AuditModule)/),
    );
  });

  it('are told when the application starts', async () => {
    const lines: string[] = [];
    const info = (fields: object, message: string) =>
      void lines.push(`${message}: ${(fields as { handlers?: string[] }).handlers?.toSorted()}`);
    await withBus(
      { imports: [NotesModule, AuditModule], providers: [Welcome] },
      { log: { ...silentLogger, info } },
    );
    assert.equal(lines[0], '3 handlers found: Audit.onDeleted,Audit.onRegistered,Welcome');
  });

  it('with wrong options keep the application from starting', async () => {
    @Injectable()
    class Wrong {
      @Handles('a', { concurrency: 0 })
      onA(): void {}
    }
    await assert.rejects(
      withBus({ providers: [Wrong] }),
      problemsOf(/Wrong\.onA.*concurrency.*positive integer/),
    );
  });
});

describe('several buses in a Nest application', () => {
  const orders = (options = {}) => busModule({ name: 'orders', service: 'orders', ...options });

  @Injectable()
  class Cashier {
    constructor(
      readonly bus: Bus,
      @InjectBus('orders') readonly orders: Bus,
    ) {}
  }

  it('share the handlers by the modules that they include, by forFeature, and the rest is on the one without a name', async () => {
    const { app, bus } = await withBus({
      imports: [
        orders({ include: [AuditModule] }),
        AuditModule,
        HoplineModule.forFeature([Users], { bus: 'orders' }),
        NotesModule,
      ],
      providers: [Welcome, Cashier],
    });
    const cashier = app.get(Cashier);
    assert.equal(cashier.bus, bus);
    assert.equal(cashier.orders, app.get(getBusToken('orders')));
    assert.deepEqual(handlersOf(bus), ['Welcome']);
    assert.deepEqual(handlersOf(cashier.orders), [
      'Audit.onDeleted',
      'Audit.onRegistered',
      'Users.onRenamed',
    ]);
    await cashier.orders.publish('user.deleted', { name: 'bob' });
    await bus.publish('user.registered', { name: 'ada' });
    const { lines } = app.get(Notes);
    await eventually(() => assert.deepEqual(lines.toSorted(), ['deleted bob', 'welcome ada']));
  });

  it('refuse a handler that none of them has, two have, or one has that is not there', async () => {
    await assert.rejects(
      application({ imports: [orders()], controllers: [Users] }),
      problemsOf(/Users of Root runs on no bus: name Root in the include of one \(orders\)/),
    );
    await assert.rejects(
      application({
        imports: [orders({ include: [AuditModule] }), busModule({ include: [AuditModule] }), AuditModule],
      }),
      problemsOf(/Audit of AuditModule runs on two buses: (orders and default|default and orders)/),
    );
    await assert.rejects(
      application({ imports: [busModule(), HoplineModule.forFeature([Users], { bus: 'order' })] }),
      problemsOf(/forFeature names bus order for Users, and there is none of that name: default/),
    );
  });

  it('refuse two of one name, which would both run all handlers', async () => {
    await assert.rejects(
      application({ imports: [busModule(), busModule({ service: 'library' })], controllers: [Users] }),
      problemsOf(/two buses have no name: import HoplineModule.forRoot\(\) once, or give one of them a name/),
    );
    await assert.rejects(
      application({ imports: [orders(), orders({ service: 'library' })] }),
      problemsOf(/two buses are named orders/),
    );
    const shared = busModule();
    class Other {}
    Module({ imports: [shared] })(Other);
    await application({ imports: [shared, Other], controllers: [Users] });
  });

  it('refuse a module that the application does not have, and a feature without a bus', async () => {
    class Nowhere {}
    Module({})(Nowhere);
    await assert.rejects(
      application({ imports: [busModule(), orders({ include: [Nowhere] })] }),
      problemsOf(/bus orders includes Nowhere, and no module of the application imports it/),
    );
    await assert.rejects(
      application({ imports: [HoplineModule.forFeature([Users])] }),
      problemsOf(/forFeature names bus default for Users.*no module imports HoplineModule.forRoot/),
    );
    await assert.rejects(
      application({ imports: [busModule(), HoplineModule.forFeature([], { bus: 'nowhere' })] }),
      problemsOf(/forFeature names bus nowhere, and there is none of that name: default/),
    );
  });
});
