import { createContext } from 'preact';

/**
 * Order in which the rows of a table are to stand, by their keys. A browser keeps rows in their places while somebody reads them; on the
 * server there is none, and rows stand as their model has them.
 *
 * @param table its caption
 */
export type KeepOrder = (table: string, keys: readonly string[]) => readonly string[];

export const RowOrder = createContext<KeepOrder | undefined>(undefined);
