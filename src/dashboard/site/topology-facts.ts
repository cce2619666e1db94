import type { Control } from '../../control/control.js';
import { ControlError, TopologyError } from '../../errors.js';
import type { Management } from '../../oversight/management/management.js';
import { logicalNameOf } from '../../topology/generations.js';
import { baseExchangeOf, laneExchangeOf, type Names } from '../../topology/names.js';
import { sharedNameOf } from '../../topology/process-queue.js';
import type { TopologyBinding, TopologyExchange, TopologyFacts } from './reach.js';
import type { Seen, Watch } from './seen.js';

export interface TopologyParts {
  readonly names: Names;
  readonly management: Pick<Management, 'exchanges' | 'bindings'> | undefined;
  readonly watch: Pick<Watch, 'latest'>;
  control(): Promise<Pick<Control, 'routes'>>;
}

type Route = Awaited<ReturnType<Control['routes']>>[number];

/** Queues, with the queue that each is a lane of. */
type Wholes = ReadonlyMap<string, string>;

/** Names of exchanges and queues by which operators and workers of any application talk. */
const OF_CONTROL = /\.control(\.to|\.[0-9a-f-]{36})?$/;

/**
 * What is bound to what: by the management API, with the handlers that workers tell of; without it by what workers tell alone, which
 * is the exchanges and queues of their own handlers. What Hopline has for itself, for delays, dead letters and operators, is left out.
 *
 * @throws ConnectError, ManagementError
 */
export async function topologyFacts(parts: TopologyParts): Promise<TopologyFacts> {
  const { names, management, watch, control } = parts;
  const seen = await watch.latest();
  const wholes: Wholes = new Map(seen.queues.map(({ queue, of }) => [queue, of]));
  const routes = await routesOf(control, seen);
  const known = management ? await managedFacts(management, names, wholes) : toldFacts(routes, wholes);
  return {
    exchanges: known.exchanges,
    bindings: known.bindings.map((binding) => ({
      ...binding,
      handlers: handlersOf(binding, routes, wholes),
    })),
    queues: [...wholes.keys()],
  };
}

/** None where no worker has ever listened, or the broker takes no requests. */
async function routesOf(control: TopologyParts['control'], { processes }: Seen): Promise<readonly Route[]> {
  try {
    return await (await control()).routes({ of: processes });
  } catch (error) {
    if (error instanceof TopologyError || error instanceof ControlError) return [];
    throw error;
  }
}

type Known = {
  readonly exchanges: readonly TopologyExchange[];
  readonly bindings: readonly Omit<TopologyBinding, 'handlers'>[];
};

async function managedFacts(
  management: Pick<Management, 'exchanges' | 'bindings'>,
  names: Names,
  wholes: Wholes,
): Promise<Known> {
  const [exchanges, bindings] = await Promise.all([management.exchanges(), management.bindings()]);
  const isOurs = (exchange: string) => names.isOwnExchange(exchange) || OF_CONTROL.test(exchange);
  const all = bindings.flatMap(({ source, destination, destinationType, pattern, arguments: its }) => {
    // The binding of each queue to the default exchange says nothing.
    if (source === '' || isOurs(source)) return [];
    const isQueue = destinationType === 'queue';
    if (isQueue ? names.isOwnQueue(destination) || OF_CONTROL.test(destination) : isOurs(destination))
      return [];
    // Where each process has a queue of its own, it is one of all of them. What a queue was migrated to is the queue.
    const known = [destination, sharedNameOf(destination), logicalNameOf(destination)];
    const to = (isQueue && known.find((name) => wholes.has(name))) || destination;
    return [
      {
        exchange: source,
        pattern,
        destination: to,
        destinationKind: destinationType,
        ...(its && { arguments: its }),
      },
    ];
  });
  return { exchanges: exchanges.filter(({ name }) => name !== '' && !isOurs(name)), bindings: once(all) };
}

/** Unless its bus says more, an exchange that it does not declare may be of any type; those of its lanes are of the same. */
function toldFacts(routes: readonly Route[], wholes: Wholes): Known {
  const types = new Map<string, string>();
  for (const { exchange, isDeclared, type = isDeclared ? 'topic' : undefined } of routes)
    if (type !== undefined) types.set(exchange, type);
  const bindings = boundBy(routes, wholes);
  const named = new Set(bindings.map(({ exchange }) => exchange));
  return {
    exchanges: [...named].map((name) => ({
      name,
      type: types.get(baseExchangeOf(name)),
    })),
    bindings,
  };
}

/** A queue with lanes has one for each lane, bound to the exchange of the lane. */
function boundBy(routes: readonly Route[], wholes: Wholes): Known['bindings'] {
  const lanesOf = new Map<string, string[]>();
  for (const [queue, of] of wholes) lanesOf.set(of, [...(lanesOf.get(of) ?? []), queue]);
  return once(
    routes.flatMap(({ exchange, pattern, key = pattern, queue }) =>
      (lanesOf.get(queue) ?? [queue]).map((lane) => ({
        exchange: lane === queue ? exchange : laneExchangeOf(exchange, lane.slice(queue.length + 1)),
        pattern: key,
        destination: lane,
        destinationKind: 'queue' as const,
      })),
    ),
  );
}

function handlersOf(
  { exchange, pattern, destination, destinationKind }: Known['bindings'][number],
  routes: readonly Route[],
  wholes: Wholes,
): string[] {
  if (destinationKind === 'exchange') return [];
  const queue = wholes.get(destination) ?? destination;
  const base = queue === destination ? exchange : baseExchangeOf(exchange);
  const own = routes.filter(
    (route) => route.queue === queue && (route.key ?? route.pattern) === pattern && route.exchange === base,
  );
  return [...new Set(own.map(({ handler }) => handler))];
}

const once = <Binding extends Known['bindings'][number]>(bindings: readonly Binding[]): Binding[] => [
  ...new Map(bindings.map((binding) => [JSON.stringify(binding), binding])).values(),
];
