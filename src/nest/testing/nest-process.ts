import type { INestApplicationContext } from '@nestjs/common';
import type { Bus } from '../../bus.js';
import { NotStartedError } from '../../errors.js';
import type { KitProcess, ServiceProcess } from '../../testing/process.js';

/** An application that is made, and not initialised yet, with the process that its bus is. */
export interface Opened<Application extends INestApplicationContext> {
  readonly application: Application;
  readonly process: ServiceProcess;
}

/** One process of the service under test: an application of Nest. */
export class NestProcess<Application extends INestApplicationContext> implements KitProcess {
  private isDead = false;

  /**
   * @param opened the application, if it is made already
   * @param dead the process before it
   */
  constructor(
    private readonly open: () => Promise<Opened<Application>>,
    private opened?: Opened<Application>,
    private readonly dead?: NestProcess<Application>,
  ) {}

  get application(): Application {
    return this.made('app was read').application;
  }

  get bus(): Bus {
    return this.made('bus was read').process.bus;
  }

  async start(): Promise<void> {
    if (this.isDead) return;
    this.opened ??= await this.open();
    const { application, process } = this.opened;
    await application.init();
    // The application would have it started elsewhere: `autoStart: false`.
    if (process.bus.health().state === 'new') await process.bus.start();
  }

  async stop(): Promise<void> {
    // The code of a dead one is still there, with its pools and ports, and fails as it may: its bus is cut off. Both end within one deadline.
    const buried = this.dead?.stop().catch(() => {});
    const closed = this.opened?.application.close();
    await Promise.allSettled([closed, buried]);
    await closed;
  }

  async die(): Promise<void> {
    this.isDead = true;
    await this.opened?.process.die();
  }

  private made(what: string): Opened<Application> {
    if (!this.opened) throw new NotStartedError(what);
    return this.opened;
  }
}
