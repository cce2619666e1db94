import type { HandlerDefinitions } from '../bus/handler-tree.js';
import { Encryption } from '../encryption/encryption.js';
import { json } from '../serialization/json.js';
import { memoryStores } from '../stores/memory/index.js';
import { Names } from '../topology/names.js';
import { ArmedFaults, type Faults } from './exploring/faults.js';
import { Flow } from './flow.js';
import { Journal } from './journal.js';
import { TestKit } from './kit.js';
import { Lineage } from './lineage.js';
import { ManualClock } from './manual-clock.js';
import { type KitSettings, kitSettings, type TestKitOptions } from './options.js';
import { ServiceProcess } from './process.js';
import type { User } from './publishes.js';
import { deadLetterOfBroker, WatchedBroker, type World } from './world.js';

/**
 * Starts a service with these handlers on an in-memory broker of its own, whose clock the test moves.
 *
 * @throws OptionsError with all problems at once
 * @throws the errors of `bus.start()`
 */
export function testKit(options: TestKitOptions = {}): Promise<TestKit> {
  return openKit(options, []);
}

/** The same, with further faults beside those that the test orders. */
export async function openKit(options: TestKitOptions, faults: readonly Faults[]): Promise<TestKit> {
  const settings = kitSettings(options);
  const armed = new ArmedFaults();
  const world = newWorld(settings, [armed, ...faults]);
  const handlers = await handlerSource(settings);
  const newProcess = (user: User) => new ServiceProcess(world, settings, handlers(), user);
  return new TestKit({ world, settings, newProcess, armed }).start();
}

/** An empty broker, with the records of what happens around it. */
export function newWorld(
  { bus }: Pick<KitSettings, 'bus'>,
  faults: readonly Faults[],
  clock = new ManualClock(),
): World {
  const broker = new WatchedBroker(clock);
  const world: World = {
    clock,
    broker,
    names: new Names(bus.prefix, bus.delayPrefix),
    serializer: bus.serializer ?? json(),
    stores: bus.stores ?? memoryStores(clock),
    encryption: bus.encryption && new Encryption(bus.encryption.keys, clock),
    journal: new Journal(() => clock.monotonic()),
    flow: new Flow(),
    lineage: new Lineage(),
    faults,
    handled: [],
    again: new WeakSet(),
  };
  broker.onDeadLetter = (letter, reason) => world.journal.add(deadLetterOfBroker(world, letter, reason));
  return world;
}

/** The container is loaded only if it is used. */
async function handlerSource({
  bus,
  classes,
  container,
  fakes,
}: KitSettings): Promise<() => HandlerDefinitions> {
  const plain = bus.handlers ?? [];
  if (classes.length === 0) return () => plain;
  const { handlers } = await import('../../decorators/handlers.js');
  const { faked } = await import('../../decorators/faked.js');
  const own = faked(fakes, container);
  return () => [plain, handlers(classes, { container: own })];
}
