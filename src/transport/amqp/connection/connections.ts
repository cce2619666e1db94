import type { ChannelModel } from 'amqplib';
import { ConnectError } from '../../../errors.js';
import { systemClock } from '../../../util/clock.js';
import { Deadline } from '../../../util/deadline.js';
import { Suspects } from '../consume/suspects.js';
import type { BrokerAddress, RabbitmqSettings } from '../options.js';
import { secondLook } from '../publish/second-look.js';
import { keepWordsOfRefusal } from '../topology/words-of-refusal.js';
import { Connection } from './connection.js';
import type { Probe } from './probe.js';
import { StallWatch, type Watched } from './stall-watch.js';

/** Deadline for opening the consuming connection where nothing else limits the wait. */
const OPEN_WITHIN_MS = 10_000;

/** A live connection. */
export interface Readable {
  readonly connection: Connection;
  readonly model: ChannelModel;
}

/**
 * The connections that the sessions of one transport share. There are two because the broker stops reading a
 * blocked one, acks included; the second is opened for the first session that consumes.
 */
export class Connections {
  readonly publish: Connection;
  readonly consume: Connection;
  readonly watch: StallWatch;
  /** Queues of the consuming connection that may end it. */
  readonly suspects: Suspects;
  /** True after a bus has started on the connections. */
  private isProven = false;
  /** True once somebody has got it. */
  private hasConsumeBeenUp = false;
  /** Set once somebody needs the consuming connection: it is searched for until it is closed. */
  private choosing: Promise<void> | undefined;
  private readonly ending = new AbortController();

  constructor(
    private readonly settings: RabbitmqSettings,
    private readonly name: string,
  ) {
    keepWordsOfRefusal();
    this.publish = new Connection('publish', settings, name);
    this.consume = new Connection('consume', settings, name);
    this.watch = new StallWatch({
      publish: this.publish,
      consume: this.consume,
      others: (than) => this.others(than),
      look: (address, message) =>
        secondLook(address, message, {
          ...settings,
          connectionName: `${name} second look`,
          signal: this.ending.signal,
        }),
      move: (to, why) => this.move(to, why),
    });
    this.suspects = new Suspects(this);
  }

  /**
   * A new, unopened connection for a queue that is consumed apart. It first tries the current address of the
   * shared connection, which may have left earlier addresses because their nodes answer and do nothing.
   */
  spare(): Connection {
    const findAddresses = async () => {
      const all = await this.settings.findAddresses();
      const at = all.findIndex(({ name }) => name === this.asked.address);
      return at < 0 ? all : [...all.slice(at), ...all.slice(0, at)];
    };
    return new Connection('consume', { ...this.settings, findAddresses }, `${this.name} spare`);
  }

  /** Number of addresses that a starting bus may try: one, if another bus has found its address good. */
  get turns(): number {
    return this.isProven ? 1 : Math.max(1, this.publish.addresses.length);
  }

  /** @returns false if there is no other address */
  async tryNext(why: Error): Promise<boolean> {
    const [next] = this.isProven ? [] : await this.others(this.asked.address);
    if (!next) return false;
    this.move(next, why);
    return true;
  }

  /** Checks the address before the first bus uses it: an address that confirms nothing is left for one that does. */
  async prove(publisher: Watched, probe: Probe, deadline: Deadline): Promise<void> {
    if (this.turns > 1) {
      const stays = await deadline
        .race(this.watch.prove(publisher, probe), () => new Error('late'))
        .catch(() => true);
      if (!stays) await Promise.all(this.used.map((each) => each.whenUp(deadline)));
    }
    this.isProven = true;
    this.watch.addProbe(publisher, probe);
  }

  /**
   * Opens the consuming connection for the first that needs it; resolves when it has been up. Later losses are
   * nothing that a caller waits for: consumers return with the connection.
   *
   * @throws the errors of {@link Connection.connect}; the next call waits again
   */
  async openConsume(deadline: Deadline): Promise<void> {
    if (this.hasConsumeBeenUp) return;
    this.choosing ??= this.chooseAddress();
    await deadline.race(this.choosing, () => new Error('late')).catch(() => {});
    await this.consume.connect(deadline);
    this.hasConsumeBeenUp = true;
  }

  /**
   * The connection for declaring and asking: the consuming one, once it has been up, since the broker may refuse it. During an alarm the broker
   * reads nothing from a connection that publishes, and on a node that is cut off, RabbitMQ 4.3 answers a declare
   * after 30 s by closing its connection.
   */
  get asked(): Connection {
    return this.hasConsumeBeenUp ? this.consume : this.publish;
  }

  /** Waits for a connection to declare on that the broker reads: if {@link asked} is blocked, the other is opened. */
  async readable(deadline: Deadline): Promise<Readable> {
    for (;;) {
      if (this.asked.isBlocked) await this.openConsume(deadline);
      const connection = this.asked;
      await connection.whenUp(deadline);
      const { model } = connection;
      if (model) return { connection, model };
    }
  }

  /** What there is now, to ask the broker something. @throws ConnectError without a connection */
  async live(): Promise<ChannelModel> {
    if (this.asked.isBlocked) await this.openConsume(new Deadline(systemClock, OPEN_WITHIN_MS));
    return liveOn(this.asked);
  }

  async close(deadline: Deadline): Promise<void> {
    this.ending.abort();
    this.watch.close();
    await Promise.all([this.publish, this.consume, this.suspects].map((each) => each.close(deadline)));
  }

  /** Moves the connections to another address. */
  move(to: BrokerAddress, why: Error): void {
    for (const connection of this.used) connection.move(to, why);
  }

  /**
   * The addresses behind this one in the list, and then those before it. A single address is its own successor:
   * behind a load balancer another node may answer there.
   */
  async others(than: string): Promise<BrokerAddress[]> {
    const all = await this.settings.findAddresses();
    const at = all.findIndex(({ name }) => name === than);
    const turned = [...all.slice(at + 1), ...all.slice(0, at + 1)];
    return all.length === 1 ? [...all] : turned.filter(({ name }) => name !== than);
  }

  private get used(): readonly Connection[] {
    return this.choosing !== undefined ? [this.publish, this.consume] : [this.publish];
  }

  /** The publishing connection may have left earlier addresses because their nodes answer and do nothing. */
  private async chooseAddress(): Promise<void> {
    if (!this.publish.model) return;
    const all = await this.settings.findAddresses();
    const here = all.find(({ name }) => name === this.publish.address);
    if (here) this.consume.beginAt(here);
  }
}

/** @throws ConnectError if the connection is away */
export function liveOn({ model }: Pick<Connection, 'model'>): ChannelModel {
  if (model) return model;
  throw new ConnectError('there is no connection to the broker at the moment', 'Try again when it is back.');
}

/** For a message that may end its connection, which must not be a shared one. */
export async function openSpare(connections: Connections, withinMs: number): Promise<Connection> {
  const own = connections.spare();
  await own.connect(new Deadline(systemClock, withinMs)).catch(async (error) => {
    // Otherwise the search for the connection would never end.
    await own.close(new Deadline(systemClock, 0));
    throw error;
  });
  return own;
}
