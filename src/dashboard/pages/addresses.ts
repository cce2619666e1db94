/*
 * Paths of pages below the application's. Ids and names of queues come from publishers: any text can be a part of a path here.
 */

/** A part of a path. Browsers resolve `.` and `..` even where they are escaped: these get a `~` in front, and so does what begins with one. */
export const segmentOf = (text: string): string =>
  encodeURIComponent(text === '.' || text === '..' || text.startsWith('~') ? `~${text}` : text);

/** What {@link segmentOf} was given, from the decoded part. */
export const ofSegment = (segment = ''): string => (segment.startsWith('~') ? segment.slice(1) : segment);

export const groupPath = (group: string): string => `/failures/${segmentOf(group)}`;

/** The page of one dead letter. */
export const messagePath = ({ deadQueue, id }: { readonly deadQueue: string; readonly id: string }): string =>
  `/messages/${segmentOf(deadQueue)}/${segmentOf(id)}`;

export const operationPath = (operation: string): string => `/operations/${segmentOf(operation)}`;

export const queuePath = (queue: string): string => `/queues/${segmentOf(queue)}`;

export const chainPath = (chain: string): string => `/chains/${segmentOf(chain)}`;

export const jobPath = (job: string): string => `/jobs/${segmentOf(job)}`;

export const batchPath = (batch: string): string => `/batches/${segmentOf(batch)}`;

/** Everything that is known under an id or a text. */
export const searchPath = (text: string): string => `/search?q=${encodeURIComponent(text)}`;
