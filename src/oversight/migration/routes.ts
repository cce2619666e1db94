import type { UnderWay } from '../../kept/migrations/document.js';
import { landingQueueOf, type Names } from '../../topology/names.js';
import type { ManagedBinding } from '../management/managed.js';
import type { Management } from '../management/management.js';
import { bindingsOf, bindLike } from './broker-queue.js';

/** Types of exchanges that give a message to each queue whose binding it fits. */
const COPYING: ReadonlySet<string> = new Set(['topic', 'direct', 'fanout', 'headers']);

/**
 * The bindings by which messages reach a queue that is migrated. Delays lead to a classic queue through its landing queue, which
 * belongs to all generations: only what it leads to changes.
 */
export class Routes {
  constructor(
    private readonly management: Management,
    private readonly names: Names,
    private readonly queue: string,
    private readonly underWay: UnderWay,
  ) {}

  /** Binds the new queue to all that the old one is bound to. */
  async bind(): Promise<number> {
    const { names, queue, management } = this;
    const { to } = this.underWay;
    const own = await this.ofOld();
    if (this.landsAnew) await bindLike(management, { source: names.land, pattern: queue }, to);
    for (const binding of own)
      await bindLike(
        management,
        binding,
        this.landsAnew && binding.source === names.delayOut ? landingQueueOf(queue) : to,
      );
    return own.length;
  }

  /** True if what the new queue has got by now lies in the old one, too: some exchanges choose one of their queues. */
  async areCopies(): Promise<boolean> {
    const sources = new Set((await this.ofOld()).map(({ source }) => source));
    const exchanges = await this.management.exchanges();
    return exchanges.every(({ name, type }) => !sources.has(name) || COPYING.has(type));
  }

  /** Undoes what {@link bind} has done so far. */
  async undo(): Promise<void> {
    const { management, queue } = this;
    const made = [
      ...(await bindingsOf(management, this.underWay.to)),
      ...(this.landsAnew ? await bindingsOf(management, landingQueueOf(queue)) : []),
    ];
    for (const binding of made) await management.unbind(binding);
  }

  /** Unbinds the old queue. What is in the landing queue still comes into it, if the new one has none. @returns number of bindings */
  async unbind(): Promise<number> {
    const old = await this.ofOld();
    for (const binding of old) await this.management.unbind(binding);
    return old.length;
  }

  /** True if the landing queue is of no use any more. */
  get leavesLanding(): boolean {
    return this.fromLands && !this.toLands;
  }

  private get landsAnew(): boolean {
    return !this.fromLands && this.toLands;
  }

  private get fromLands(): boolean {
    return this.underWay.fromLands ?? this.underWay.fromType === 'classic';
  }

  private get toLands(): boolean {
    return this.underWay.toLands ?? this.underWay.toType === 'classic';
  }

  private async ofOld(): Promise<ManagedBinding[]> {
    const { management, names, queue, leavesLanding } = this;
    const own = await bindingsOf(management, this.underWay.from);
    if (!leavesLanding) return own;
    return [
      ...own.filter(({ source }) => source !== names.land),
      ...(await bindingsOf(management, landingQueueOf(queue))),
    ];
  }
}
