import type { Operation, OperationKind, OperationRequest } from '../../../failures/operations/operation.js';
import { countText } from '../../../util/text/count-text.js';
import { reasonText } from '../../../util/text/error-text.js';
import type { Site } from '../../site/site.js';
import { operationsChanged } from './known.js';
import { DOING } from './words.js';

/** Begins an operation, and says so. @throws OperationConflictError, OptionsError, ConnectError */
export async function begin(
  site: Site,
  request: OperationRequest,
  by: string,
): Promise<{ readonly id: string; readonly say: string }> {
  const { id, kind, total } = await begun(site, request, by);
  return {
    id,
    say: `${countText(total, 'dead letter')} ${total === 1 ? 'is' : 'are'} being ${DOING[kind]}.`,
  };
}

async function begun(site: Site, request: OperationRequest, by: string): Promise<Operation> {
  try {
    return await site.operations.begin(request, by);
  } finally {
    operationsChanged(site);
  }
}

interface Begun {
  readonly operations: readonly Operation[];
  readonly say: string;
}

/** What is said of the letters of one queue. */
interface Words {
  begun(count: number, deadQueue: string): string;
  refused(deadQueue: string, why: string): string;
}

const wordsOf = (kind: OperationKind): Words => ({
  begun: (count, deadQueue) => `${countText(count, 'dead letter')} of ${deadQueue}: being ${DOING[kind]}.`,
  refused: (deadQueue, why) => `Those of ${deadQueue} are left alone: ${why}.`,
});

/** Begins an operation on single letters for each of their queues. @throws what keeps the first from beginning, if none has begun */
export async function beginEach(
  site: Site,
  kind: OperationKind,
  letters: readonly { readonly deadQueue: string; readonly id: string }[],
  by: string,
  words = wordsOf(kind),
): Promise<Begun> {
  const operations: Operation[] = [];
  const said: string[] = [];
  for (const [deadQueue, ids] of byQueue(letters)) {
    try {
      operations.push(await begun(site, { kind, selection: { ids, deadQueue } }, by));
      said.push(words.begun(ids.length, deadQueue));
    } catch (error) {
      if (operations.length === 0) throw error;
      said.push(words.refused(deadQueue, reasonText(error)));
    }
  }
  return { operations, say: said.join(' ') };
}

function byQueue(letters: readonly { readonly deadQueue: string; readonly id: string }[]) {
  const queues = new Map<string, Set<string>>();
  for (const { id, deadQueue } of letters)
    queues.set(deadQueue, (queues.get(deadQueue) ?? new Set()).add(id));
  return new Map([...queues].map(([queue, ids]) => [queue, [...ids]]));
}
