import { TopologyError } from '../../errors.js';
import { KeptDocument, type KeptDocumentOptions } from '../../kept/kept-document.js';
import type { FailuresSettings } from '../options.js';
import { checkNoneOn, decodeOperations, NO_OPERATIONS, type OperationsDocument } from './kept-operations.js';

/** The list of operations of an application. */
export const keptList = (
  session: KeptDocumentOptions<OperationsDocument>['session'],
  { transport, names }: Pick<FailuresSettings, 'transport' | 'names'>,
): KeptDocument<OperationsDocument> =>
  new KeptDocument<OperationsDocument>({
    ...{ session, clock: transport.clock, queue: names.operations },
    ...{ empty: NO_OPERATIONS, decode: decodeOperations },
  });

/**
 * Checks that no operation, of whatever process, works on any of these queues.
 *
 * @throws OperationConflictError if one does
 * @throws ConnectError, KeptDocumentError
 */
export async function checkFree(
  session: KeptDocumentOptions<OperationsDocument>['session'],
  settings: FailuresSettings,
  deadQueues: readonly string[],
): Promise<void> {
  const kept = await keptList(session, settings)
    .read()
    .catch((error) => {
      // A user of the broker who may not read the list has acted without it so far.
      if (!(error instanceof TopologyError)) throw error;
      settings.log.warn({ error }, 'whether operators work on these dead letters could not be read');
      return NO_OPERATIONS;
    });
  checkNoneOn(kept, deadQueues, settings.transport.clock.now());
}
