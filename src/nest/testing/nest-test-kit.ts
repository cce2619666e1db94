import type { INestApplicationContext } from '@nestjs/common';
import type { BusOptions } from '../../bus/options.js';
import { OptionsError } from '../../errors.js';
import { ArmedFaults } from '../../testing/exploring/faults.js';
import { type KitParts, TestKit } from '../../testing/kit.js';
import { newWorld } from '../../testing/open-kit.js';
import { type KitSettings, kitSettings } from '../../testing/options.js';
import { ServiceProcess } from '../../testing/process.js';
import type { User } from '../../testing/publishes.js';
import type { World } from '../../testing/world.js';
import type { MakeBus } from '../providers.js';
import { busMakerToken, DEFAULT_BUS } from '../tokens.js';
import { NestProcess, type Opened } from './nest-process.js';
import { checkNestTestKitOptions, type NestTestKitOptions } from './options.js';

/** A test kit whose service is an application of Nest: see `testKit()` of `hopline/testing` for what it does. */
export interface NestTestKit<Application extends INestApplicationContext> extends TestKit {
  /** The application; a new one after each crash. */
  readonly app: Application;
}

class ApplicationKit<Application extends INestApplicationContext>
  extends TestKit
  implements NestTestKit<Application>
{
  constructor(
    parts: KitParts,
    private readonly current: () => NestProcess<Application>,
  ) {
    super(parts);
  }

  get app(): Application {
    return this.current().application;
  }
}

/**
 * Starts an application whose bus is on an in-memory broker of its own, whose clock the test moves. It has its providers, guards and the
 * rest as it has them in production, but for those that the test overrides. `kit.stop()` closes it.
 *
 * @throws OptionsError with all problems at once, or if the application has no such bus
 * @throws the errors of Nest, and of `bus.start()`
 */
export async function nestTestKit<
  Module extends INestApplicationContext,
  Application extends INestApplicationContext = Module,
>(options: NestTestKitOptions<Module, Application>): Promise<NestTestKit<Application>> {
  checkNestTestKitOptions(options as unknown as NestTestKitOptions);
  const armed = new ArmedFaults();
  const opening = new Opening(options, armed);
  const first = await opening.open();
  let current: NestProcess<Application> | undefined;
  const newProcess = (user: User) => {
    opening.user = user;
    current = new NestProcess(() => opening.open(), current ? undefined : first, current);
    return current;
  };
  const { world, settings } = opening.known();
  const kit = new ApplicationKit(
    { world, settings, newProcess, armed },
    () => current as NestProcess<Application>,
  );
  try {
    await kit.start();
  } catch (error) {
    // Nobody else has it to close it. Nest 11 refuses to, if it is a hook of the start that has failed.
    await first.application.close().catch(() => {});
    throw error;
  }
  return kit;
}

/** Makes applications, each with a bus in the world that the first has led to. */
class Opening<Module extends INestApplicationContext, Application extends INestApplicationContext> {
  /** Whoever is told of crashes. */
  user: Pick<User, 'onCrash'> | undefined;
  private settings: KitSettings | undefined;
  private world: World | undefined;

  constructor(
    private readonly options: NestTestKitOptions<Module, Application>,
    private readonly armed: ArmedFaults,
  ) {}

  async open(): Promise<Opened<Application>> {
    const { module: describe, create, bus: name = DEFAULT_BUS } = this.options;
    let process: ServiceProcess | undefined;
    const makeBus: MakeBus = (options) => {
      process = this.processOf(options);
      return process.bus;
    };
    const module = await describe().overrideProvider(busMakerToken(name)).useValue(makeBus).compile();
    if (!process) throw new OptionsError('nestTestKit', [noBus(name)]);
    const application = create ? await create(module) : (module as unknown as Application);
    return { application, process };
  }

  known(): { readonly world: World; readonly settings: KitSettings } {
    return { world: this.world as World, settings: this.settings as KitSettings };
  }

  private processOf({
    transport: _kits,
    log: _silent,
    stores: _memory,
    ...ofApplication
  }: BusOptions): ServiceProcess {
    const { settleDeadline, patience, cascadeLimit, options } = this.options;
    // Those of the first application hold for all: its messages are in the world that was made of them.
    this.settings ??= kitSettings({
      ...ofApplication,
      ...options,
      ...(settleDeadline === undefined ? {} : { settleDeadline }),
      ...(patience === undefined ? {} : { patience }),
      ...(cascadeLimit === undefined ? {} : { cascadeLimit }),
    });
    this.world ??= newWorld(this.settings, [this.armed]);
    return new ServiceProcess(this.world, this.settings, [], {
      name: this.settings.bus.service,
      by: 'service',
      onCrash: (where) => this.user?.onCrash(where),
    });
  }
}

const noBus = (name: string): string =>
  name === DEFAULT_BUS
    ? 'the application has no bus without a name: import HoplineModule.forRoot(), or say which bus'
    : `the application has no bus named ${name}`;
