import type { Deadline } from '../../../util/deadline.js';
import { Suspects } from '../consume/suspects.js';
import type { BrokerAddress, RabbitmqSettings } from '../options.js';
import { secondLook } from '../publish/second-look.js';
import { keepWordsOfRefusal } from '../topology/words-of-refusal.js';
import { Connection } from './connection.js';
import type { Probe } from './probe.js';
import { StallWatch, type Watched } from './stall-watch.js';

/**
 * The two connections that the sessions of one transport share. There are two because the broker stops reading
 * a blocked one, acks included.
 */
export class Connections {
  readonly publish: Connection;
  readonly consume: Connection;
  readonly watch: StallWatch;
  /** Queues of the consuming connection that may end it. */
  readonly suspects: Suspects;
  /** True after a bus has started on the connections. */
  private isProven = false;
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
   * consuming connection, which may have left earlier addresses because their nodes answer and do nothing.
   */
  spare(): Connection {
    const findAddresses = async () => {
      const all = await this.settings.findAddresses();
      const at = all.findIndex(({ name }) => name === this.consume.address);
      return at < 0 ? all : [...all.slice(at), ...all.slice(0, at)];
    };
    return new Connection('consume', { ...this.settings, findAddresses }, `${this.name} spare`);
  }

  /** Number of addresses that a starting bus may try: one, if another bus has found its address good. */
  get turns(): number {
    return this.isProven ? 1 : Math.max(1, this.consume.addresses.length);
  }

  /** @returns false if there is no other address */
  async tryNext(why: Error): Promise<boolean> {
    const [next] = this.isProven ? [] : await this.others(this.consume.address);
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
      if (!stays) await Promise.all([this.publish.whenUp(deadline), this.consume.whenUp(deadline)]);
    }
    this.isProven = true;
    this.watch.addProbe(publisher, probe);
  }

  async connect(deadline: Deadline): Promise<void> {
    await Promise.all([this.publish.connect(deadline), this.consume.connect(deadline)]);
  }

  async close(deadline: Deadline): Promise<void> {
    this.ending.abort();
    this.watch.close();
    await Promise.all([this.publish, this.consume, this.suspects].map((each) => each.close(deadline)));
  }

  /** Moves both connections to another address. */
  move(to: BrokerAddress, why: Error): void {
    for (const connection of [this.publish, this.consume]) connection.move(to, why);
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
}
