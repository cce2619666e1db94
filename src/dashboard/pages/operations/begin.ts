import type { Operation, OperationKind, OperationRequest } from '../../../failures/operations/operation.js';
import { reasonText } from '../../../util/error-text.js';
import { countText } from '../../../util/text/count-text.js';
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

/** Begins an operation on single letters for each of their queues. @throws what keeps the first from beginning, if none has begun */
export async function beginEach(
  site: Site,
  kind: OperationKind,
  letters: readonly { readonly deadQueue: string; readonly id: string }[],
  by: string,
): Promise<Begun> {
  const operations: Operation[] = [];
  const said: string[] = [];
  for (const [deadQueue, ids] of byQueue(letters)) {
    try {
      operations.push(await begun(site, { kind, selection: { ids, deadQueue } }, by));
      said.push(`${countText(ids.length, 'dead letter')} of ${deadQueue}: being ${DOING[kind]}.`);
    } catch (error) {
      if (operations.length === 0) throw error;
      said.push(`Those of ${deadQueue} are left alone: ${reasonText(error)}.`);
    }
  }
  return { operations, say: said.join(' ') };
}

function byQueue(letters: readonly { readonly deadQueue: string; readonly id: string }[]) {
  const queues = new Map<string, string[]>();
  for (const { deadQueue, id } of letters) {
    const ids = queues.get(deadQueue);
    if (!ids) queues.set(deadQueue, [id]);
    else if (!ids.includes(id)) ids.push(id);
  }
  return queues;
}
