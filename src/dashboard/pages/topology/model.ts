import type { TopologyBinding } from '../../site/reach.js';
import type { LookedModel } from '../../ui/looked.js';
import type { Picture } from './picture.js';

export interface TopologyQueue {
  readonly queue: string;
  /** Queue that the lane belongs to; the queue itself if it is none. */
  readonly of: string;
  readonly length: number | undefined;
  readonly inRate: number | undefined;
  readonly outRate: number | undefined;
  readonly handlers: readonly TopologyHandler[];
}

export interface TopologyHandler {
  readonly service: string;
  readonly handler: string;
  /** Attempts that ended per second. */
  readonly perSecond: number;
}

export interface TopologyRow extends TopologyBinding {
  readonly type: string | undefined;
}

/** What was asked: which queues a key reaches. */
export interface Question {
  readonly exchange: string;
  readonly key: string;
  /** Undefined if nothing was asked. */
  readonly answer: QuestionAnswer | undefined;
}

export interface QuestionAnswer {
  /** False if there is no such exchange. */
  readonly exists: boolean;
  /** The first of them, and how many there are. */
  readonly queues: readonly string[];
  readonly count: number;
  /** Exchanges that it reaches and that don't route by the key alone. */
  readonly unknown: readonly string[];
}

export interface TopologyModel {
  readonly looked: LookedModel;
  /** Why it is not known what is bound to what. */
  readonly problem: string | undefined;
  /** Text that is looked for in the names of exchanges, queues and patterns. */
  readonly text: string;
  /** Names of exchanges that can be asked about. */
  readonly exchanges: readonly string[];
  readonly question: Question;
  readonly picture: Picture;
  readonly queues: readonly TopologyQueue[];
  readonly bindings: readonly TopologyRow[];
  /** Queues and bindings that match, of which the first are shown. */
  readonly queueCount: number;
  readonly bindingCount: number;
}
