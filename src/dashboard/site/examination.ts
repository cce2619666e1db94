import { examineAll, type Place } from '../../oversight/doctor/examine.js';
import type { Finding } from '../../oversight/doctor/finding.js';
import type { Names } from '../../topology/names.js';
import { freshFor } from './fresh-for.js';
import type { Watch } from './seen.js';

/** An examination asks for each queue and reads of each dead-letter queue: once a minute, whoever looks. */
const GOOD_FOR_MS = 60_000;

export interface ExaminationParts extends Place {
  readonly prefix: string | undefined;
  readonly delayPrefix: string | undefined;
  readonly names: Names;
  readonly watch: Pick<Watch, 'latest'>;
}

/** Doctor's examination of the application. The function that is returned throws ConnectError. */
export function examination(parts: ExaminationParts): () => Promise<readonly Finding[]> {
  const { transport, address, management, prefix = 'hopline', delayPrefix = 'hopline' } = parts;
  return freshFor(transport.clock, GOOD_FOR_MS, async () => {
    const { queues } = await parts.watch.latest();
    const named = queues.map(({ queue }) => queue).filter((queue) => !parts.names.isOwnQueue(queue));
    // Its code is not known here: it is judged by what its workers tell.
    const patient = { application: undefined, siblings: [], queues: named, prefix, delayPrefix };
    return await examineAll([patient], { transport, address, management });
  });
}
