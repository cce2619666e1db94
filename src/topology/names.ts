import { type ExchangeOption, exchangeOption, exchangeRef, PREDECLARED } from '../message/exchange-option.js';
import { hasWildcard, MAX_NAME_BYTES } from '../message/routing/routing-key.js';
import { show } from '../util/check.js';

/** Layout of the delay exchanges. A new layout gets a new number: the old levels exist until they are empty. */
const DELAY_LAYOUT = 1;

/** Names of the exchanges and shared queues. */
export class Names {
  readonly events: string;
  readonly dead: string;
  readonly land: string;
  /** Exchange of the operators' requests to all workers. */
  readonly control: string;
  /** Exchange of the workers' answers. */
  readonly controlTo: string;
  /** Queue whose one message is what operators have ordered: the list of paused queues, and limits of handlers. */
  readonly paused: string;
  /** Queue whose one message says what operators have noted of groups of dead letters. */
  readonly groups: string;
  /** Queue whose one message is the list of what operators do with dead letters. */
  readonly operations: string;
  /** Queue whose one message says which queues were migrated to other arguments, and which are being. */
  readonly migrations: string;
  /** Queue of dead letters that operators have forgotten, which is kept for a while. */
  readonly trash: string;

  /** Prefix of everything that the delays declare, with the number of the layout. */
  readonly delay: string;
  /** Last exchange of the delays, bound to the destination queues. */
  readonly delayOut: string;
  /** Exchange for messages that no queue takes when their delay is over. */
  readonly delayUnrouted: string;
  /** Exchange that is declared last: it exists when the whole layout does. */
  readonly delayReady: string;
  /** Queue for delayed sends and retries that no queue takes. */
  readonly delayLost: string;
  /** Queue that drops delayed publishes that no queue takes, as the broker drops undelayed ones. */
  readonly delaySink: string;
  private readonly ofDelays: string;

  /**
   * @param prefix prefix of the exchanges of one application; two applications with different prefixes can
   * share a vhost
   * @param delayPrefix prefix of the delays, which all applications of a vhost share
   */
  constructor(prefix = 'hopline', delayPrefix = 'hopline') {
    this.events = `${prefix}.events`;
    this.dead = `${prefix}.dead`;
    this.land = `${prefix}.land`;
    this.control = `${prefix}.control`;
    this.controlTo = `${this.control}.to`;
    this.paused = `${prefix}.paused`;
    this.groups = `${prefix}.failure-groups`;
    this.operations = `${prefix}.operations`;
    this.migrations = `${prefix}.migrations`;
    this.trash = `${prefix}.trash`;
    this.delay = `${delayPrefix}.delay.${DELAY_LAYOUT}`;
    this.delayOut = `${this.delay}.out`;
    this.delayUnrouted = `${this.delay}.unrouted`;
    this.delayReady = `${this.delay}.ready`;
    this.ofDelays = `${delayPrefix}.delay.`;
    this.delayLost = `${this.ofDelays}lost`;
    this.delaySink = `${this.ofDelays}sink`;
  }

  /**
   * True if a delivery came through the delays, of any layout. Its exchange is the last level's dead-letter
   * exchange, not {@link delayOut}: the broker reports the exchange of the publish, not the bindings after it.
   */
  isDelayed(exchange: string): boolean {
    return exchange.startsWith(this.ofDelays);
  }

  /** True for a queue of Hopline's own: no handler consumes it. */
  isOwnQueue(queue: string): boolean {
    const { paused, groups, operations, migrations, trash } = this;
    const kept = [groups, operations, migrations];
    return (
      [paused, trash, runLockOf(migrations), ...kept, ...kept.map(lockOf)].includes(queue) ||
      queue.startsWith(`${this.control}.`) ||
      this.isDelayed(queue) ||
      OWN_QUEUES.has(queue.split('.').at(-1) ?? '')
    );
  }

  /** True for an exchange that only Hopline publishes to, with messages that are obeyed or believed. */
  isOwnExchange(exchange: string): boolean {
    const { control, controlTo, dead, land } = this;
    return [control, controlTo, dead, land].includes(exchange) || this.isDelayed(exchange);
  }

  /**
   * True if Hopline's headers on a message from this exchange may name its origin: only Hopline publishes
   * behind the delays, and behind the default exchange are the broker's own tools, which move dead letters
   * back.
   */
  carriesOrigin(exchange: string): boolean {
    return this.isDelayed(exchange) || exchange === this.land || exchange === '';
  }
}

/** Queue that who changes the document of a queue has for as long as that takes. */
export const lockOf = (queue: string): string => `${queue}.lock`;

/** Queue that a command which migrates a queue has until its end. */
export const runLockOf = (migrations: string): string => lockOf(`${migrations}.run`);

export const deadQueueOf = (queue: string): string => `${queue}.dead`;
/** The queue whose dead letters these are; any other name as it is. */
export const workQueueOf = (dead: string): string => dead.replace(/\.dead$/, '');
/** Queue of the guards of a service's jobs that take long. */
export const guardsQueueOf = (service: string): string => `${service}.guards`;
export const landingQueueOf = (queue: string): string => `${queue}.land`;

/** Queue of the requests to the handlers that `queue` belongs to. */
export const requestQueueOf = (queue: string): string => `${queue}.requests`;

/** Lane of messages that are published without one: the plain exchange and the plain queue. */
export const DEFAULT_LANE = 'default';

export const laneQueueOf = (queue: string, lane: string): string =>
  lane === DEFAULT_LANE ? queue : `${queue}.${lane}`;
export const laneExchangeOf = (exchange: string, lane: string): string =>
  lane === DEFAULT_LANE ? exchange : `${exchange}.lane.${lane}`;

/** The queue that a call of publishes names, its lane included; undefined for a call to an exchange. */
export const queueOf = ({
  queue,
  lane = DEFAULT_LANE,
}: {
  readonly queue?: string | undefined;
  readonly lane?: string | undefined;
}): string | undefined => (queue === undefined ? undefined : laneQueueOf(queue, lane));

/** Plain exchange of a lane's exchange; any other exchange itself. */
export const baseExchangeOf = (exchange: string): string => exchange.replace(/\.lane\.[\w-]+$/, '');

/** Reason why `lane` can't name a lane; undefined if it can. */
export function laneNameProblem(lane: string): string | undefined {
  if (OWN_QUEUES.has(lane))
    return `the lane '${lane}' would have the name of a queue of Hopline's own, <queue>.${lane}`;
  if (!/^[\w-]{1,32}$/.test(lane))
    return `the lane ${show(lane)} can't be part of a queue's name: use 1 to 32 letters, digits, '_' or '-'`;
  return undefined;
}

/** Last words of the names of queues that belong to a work queue, or to a service. */
const OWN_QUEUES: ReadonlySet<string> = new Set(['dead', 'land', 'guards']);

/** Longest prefix that the delays put before a queue's name: `31.15.23.59.59.9.q.`, rounded up. */
const DELAY_WORDS_BYTES = 24;

/** Names of queues and exchanges must fit into routing keys beside the delay's words. */
export const MAX_QUEUE_NAME_BYTES = MAX_NAME_BYTES - DELAY_WORDS_BYTES;

/** Reason why `name` can't name a queue; undefined if it can. */
export function queueNameProblem(name: string): string | undefined {
  const bytes = Buffer.byteLength(name);
  if (bytes === 0) return 'the queue name is empty';
  if (bytes > MAX_QUEUE_NAME_BYTES) {
    return `the queue name '${name.slice(0, 40)}…' is ${bytes} bytes long, ${MAX_QUEUE_NAME_BYTES} are left beside the delay's words`;
  }
  if (name.startsWith('amq.'))
    return `the queue name '${name}' begins with amq., which the broker keeps for itself`;
  if (hasWildcard(name)) {
    return `the queue name '${name}' holds the word * or #, which is a wildcard in a binding`;
  }
  const last = name.split('.').at(-1) ?? '';
  if (OWN_QUEUES.has(last))
    return `the queue name '${name}' ends in .${last}, which names a queue of Hopline's own`;
  if (/~\d+$/.test(name))
    return `the queue name '${name}' ends in '~' and a number, which names what stands for a migrated queue in the broker`;
  return undefined;
}

/** Reason why `name` can't name an exchange that is published to; undefined if it can. */
export function exchangeNameProblem(name: string): string | undefined {
  if (name === '')
    return 'the default exchange has no bindings: name another, or send to a queue with sendToQueue()';
  if (Buffer.byteLength(name) > 127)
    return `the exchange name '${name.slice(0, 40)}…' is longer than 127 bytes`;
  if (name.includes('/'))
    return `the exchange name '${name}' holds a '/', which stands for a dot in delayed routing keys`;
  if (hasWildcard(name)) return `the exchange name '${name}' holds a wildcard word`;
  return undefined;
}

/** The same for an option that names an exchange; the type of the option is checked elsewhere. */
export function exchangeOptionProblem(option: unknown): string | undefined {
  if (!exchangeOption.accepts(option)) return undefined;
  const { name, type, declare } = exchangeRef(option as ExchangeOption);
  return exchangeNameProblem(name) ?? brokersOwnProblem(name, type, declare);
}

/** Reason why it can't be an exchange of the broker's own; undefined if it is none, or can. */
function brokersOwnProblem(name: string, type: string | undefined, declare: boolean): string | undefined {
  if (!isBrokersOwn(name)) return undefined;
  const own = PREDECLARED.get(name);
  if (own)
    return type === own ? undefined : `the exchange '${name}' is of type ${own} in every broker, not ${type}`;
  return declare
    ? `the exchange name '${name}' begins with amq., which the broker keeps for itself: say declare: false if it is there`
    : undefined;
}

/** True for a name that the broker lets nobody declare. */
export const isBrokersOwn = (exchange: string): boolean => exchange.startsWith('amq.');

/** Not an exchange: a delayed event for it is stored in the shortest level, like any other, and ends in the sink; a delayed send in the lost queue. */
export const PROBE_EXCHANGE = 'hopline.probe';
