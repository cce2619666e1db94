import { CrashedError } from '../../errors.js';
import { type Outcome, RETURN } from '../../pipeline/outcome.js';
import type { CrashVerdict } from './crash-watch.js';

/**
 * The outcome of a message that is not to begin; undefined for one that is. Of one that has crashed, `failed()` is not told:
 * what killed the process may be in it, too.
 */
export function givenUp(verdict: CrashVerdict): Outcome | undefined {
  if (verdict.kind === 'begin') return undefined;
  if (verdict.kind === 'return') return RETURN;
  return { kind: 'dead-letter', reason: 'crashed', error: new CrashedError(verdict.deaths) };
}
