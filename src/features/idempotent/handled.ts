import { HANDLED_BEFORE, type Outcome } from '../../pipeline/outcome.js';

/** What is remembered with the key of a message that was handled. */
interface Handled {
  /** Of the message itself: another one may have the same key. */
  readonly id?: string | undefined;
  /** What follows it in its chain is stored. */
  readonly goesOn?: boolean | undefined;
}

/** For a store of claims, or an inbox. */
export function noteOf(
  { messageId: id }: { readonly messageId: string | undefined },
  goesOn: boolean,
): string {
  return JSON.stringify({ id, ...(goesOn ? { goesOn } : {}) } satisfies Handled);
}

/**
 * What becomes of a message whose key was handled before: of the same message as before, or it would end twice, or never, as
 * the job of a batch that it may be. One that only has the same key is over, and so is its chain.
 */
export function skippedOutcome(
  { messageId }: { readonly messageId: string | undefined },
  note: string,
): Outcome {
  const { id, goesOn } = read(note);
  const continues = goesOn === true && id !== undefined && id === messageId;
  return continues ? { kind: 'skip', because: 'handled', continues } : HANDLED_BEFORE;
}

function read(note: string): Handled {
  try {
    return JSON.parse(note) as Handled;
  } catch {
    return {};
  }
}
