import type { SeenBroker } from '../../site/seen.js';
import type { LookedModel } from '../../ui/looked.js';

/** `lost`: it has no majority, and takes no messages; `critical`: it has none when one more node is lost; `reduced`: members are away. */
export type QuorumState = 'lost' | 'critical' | 'reduced' | 'whole';

export interface QuorumRow {
  readonly queue: string;
  readonly state: QuorumState;
  readonly members: readonly string[];
  /** Members that are away. */
  readonly away: readonly string[];
}

export interface BrokerModel {
  readonly looked: LookedModel;
  /** Its address, without credentials. */
  readonly address: string;
  readonly broker: SeenBroker;
  readonly hasManagement: boolean;
  /** Address of the management API, without credentials. */
  readonly management: string | undefined;
  /** Why the management API does not tell the members of the queues. */
  readonly problem: string | undefined;
  /** Quorum queues, those in danger first; undefined if that is not known. */
  readonly quorums: readonly QuorumRow[] | undefined;
  readonly quorumCounts: Readonly<Record<QuorumState, number>> | undefined;
}
