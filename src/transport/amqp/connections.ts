import type { OutgoingMessage } from '../../message/message.js';
import type { Deadline } from '../../util/deadline.js';
import { Connection } from './connection.js';
import type { BrokerAddress, RabbitmqSettings } from './options.js';
import { secondLook } from './second-look.js';
import { StallWatch, type Watched } from './stall-watch.js';
import { Suspects } from './suspects.js';
import { keepWordsOfRefusal } from './words-of-refusal.js';

/** The two connections that the sessions of one transport share: the broker stops reading a blocked one, acks included. */
export class Connections {
  readonly publish: Connection;
  readonly consume: Connection;
  readonly watch: StallWatch;
  /** Queues of the consuming one that may end it. */
  readonly suspects: Suspects;
  /** A bus has started on them. */
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
   * A new one, not open yet, for what is better consumed apart. It tries first the address where the consuming one is: that may
   * have left those before it, whose nodes answer and do nothing.
   */
  spare(): Connection {
    const findAddresses = async () => {
      const all = await this.settings.findAddresses();
      const at = all.findIndex(({ name }) => name === this.consume.address);
      return at < 0 ? all : [...all.slice(at), ...all.slice(0, at)];
    };
    return new Connection('consume', { ...this.settings, findAddresses }, `${this.name} spare`);
  }

  /** How many addresses a bus that starts may try: one, if another bus has found its own good. */
  get turns(): number {
    return this.isProven ? 1 : Math.max(1, this.consume.addresses.length);
  }

  /** @returns false if there is no other to be tried */
  async tryNext(why: Error): Promise<boolean> {
    const [next] = this.isProven ? [] : await this.others(this.consume.address);
    if (!next) return false;
    this.move(next, why);
    return true;
  }

  /** Before the first bus takes the address for good: one that confirms nothing is left for one that does. */
  async prove(publisher: Watched, probe: OutgoingMessage, deadline: Deadline): Promise<void> {
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

  /** Both leave what they have for another address. */
  move(to: BrokerAddress, why: Error): void {
    for (const connection of [this.publish, this.consume]) connection.move(to, why);
  }

  /**
   * All addresses behind this one in the list, then those before it. One alone is its own next: behind a load balancer another
   * node may answer there.
   */
  async others(than: string): Promise<BrokerAddress[]> {
    const all = await this.settings.findAddresses();
    const at = all.findIndex(({ name }) => name === than);
    const turned = [...all.slice(at + 1), ...all.slice(0, at + 1)];
    return all.length === 1 ? [...all] : turned.filter(({ name }) => name !== than);
  }
}
