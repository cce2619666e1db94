/*
 * What operators have done with a letter, in headers of Hopline's. The format is a promise: whoever changes it incompatibly raises `v`.
 */

const VERSION = 1;

/** A message that was edited before a retry; it says so through all later attempts, and on a later dead letter. */
export interface EditedMark {
  readonly by: string;
  readonly at: Date;
  /** SHA-256 of the body that it had before, in hexadecimal digits; of an encrypted one, of what was encrypted. */
  readonly was: string;
}

/** A letter in the trash. */
export interface TrashedMark {
  readonly by: string;
  readonly at: Date;
  /** Dead-letter queue that it was in. */
  readonly deadQueue: string;
}

export const encodeEdited = (mark: EditedMark): string => JSON.stringify({ v: VERSION, ...mark });
export const encodeTrashed = (mark: TrashedMark): string => JSON.stringify({ v: VERSION, ...mark });

/** Undefined for a text of another form. */
export function editedIn(header: string | undefined): EditedMark | undefined {
  const { by, at, was } = contentOf(header);
  return by !== undefined && at !== undefined && was !== undefined ? { by, at, was } : undefined;
}

/** Undefined for a text of another form. */
export function trashedIn(header: string | undefined): TrashedMark | undefined {
  const { by, at, deadQueue } = contentOf(header);
  return by !== undefined && at !== undefined && deadQueue !== undefined ? { by, at, deadQueue } : undefined;
}

interface Content {
  readonly by?: string | undefined;
  readonly at?: Date | undefined;
  readonly was?: string | undefined;
  readonly deadQueue?: string | undefined;
}

function contentOf(header: string | undefined): Content {
  let given: Record<string, unknown>;
  try {
    given = Object(JSON.parse(header ?? ''));
  } catch {
    return {};
  }
  if (given.v !== VERSION) return {};
  const at = new Date(textOf(given.at) ?? Number.NaN);
  return {
    by: textOf(given.by),
    at: Number.isNaN(at.getTime()) ? undefined : at,
    was: textOf(given.was),
    deadQueue: textOf(given.deadQueue),
  };
}

const textOf = (value: unknown): string | undefined => (typeof value === 'string' ? value : undefined);
