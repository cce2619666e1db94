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

  /** @param opened the application, if it is made already */
  constructor(
    private readonly open: () => Promise<Opened<Application>>,
    private opened?: Opened<Application>,
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
    await this.opened?.application.close();
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
