import type { SeenQueue } from '../../site/seen.js';

export interface OverviewModel {
  readonly broker: string;
  readonly reached: boolean;
  readonly processes: number;
  readonly queues: readonly SeenQueue[];
}
