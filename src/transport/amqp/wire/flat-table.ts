import { TAG } from '../../../message/wire/field-tags.js';
import { writeLong, writeShort } from './frames.js';

/*
 * Header tables that hold only texts, whole numbers and booleans, as those of nearly all messages do. Others
 * (dates, lists, nested tables) are written by table-writer.ts.
 */

/** Result of `sizeOfFlatTable` for any other table. */
export const NOT_FLAT = -1;

/** Maximum bytes of the table, its length included. */
export function sizeOfFlatTable(table: Record<string, unknown>): number {
  let size = 4;
  // Inherited names are sent as well: the library passes the headers on as a prototype.
  for (const name in table) {
    const value = table[name];
    if (value === undefined) continue;
    // Three bytes for each UTF-16 unit are always enough.
    if (name.length > 85) return NOT_FLAT;
    size += 2 + name.length * 3;
    if (typeof value === 'string') size += 4 + value.length * 3;
    else if (typeof value === 'boolean') size += 1;
    else if (isInt32(value)) size += 4;
    else return NOT_FLAT;
  }
  return size;
}

function isInt32(value: unknown): boolean {
  return typeof value === 'number' && (value | 0) === value;
}

/** Writes a table that `sizeOfFlatTable` has accepted, and returns the offset after it. */
export function writeFlatTable(bytes: Buffer, start: number, table: Record<string, unknown>): number {
  let at = start + 4;
  for (const name in table) {
    const value = table[name];
    if (value === undefined) continue;
    const length = bytes.write(name, at + 1, 'utf8');
    bytes[at] = length;
    at = writeValue(bytes, at + 1 + length, value as string | number | boolean);
  }
  writeLong(bytes, start, at - start - 4);
  return at;
}

function writeValue(bytes: Buffer, at: number, value: string | number | boolean): number {
  if (typeof value === 'string') {
    bytes[at] = TAG.text;
    const length = bytes.write(value, at + 5, 'utf8');
    writeLong(bytes, at + 1, length);
    return at + 5 + length;
  }
  if (typeof value === 'boolean') {
    bytes[at] = TAG.truth;
    bytes[at + 1] = value ? 1 : 0;
    return at + 2;
  }
  if (value >= -0x80 && value < 0x80) {
    bytes[at] = TAG.int8;
    bytes[at + 1] = value;
    return at + 2;
  }
  if (value >= -0x8000 && value < 0x8000) {
    bytes[at] = TAG.int16;
    return writeShort(bytes, at + 1, value & 0xffff);
  }
  bytes[at] = TAG.int32;
  return writeLong(bytes, at + 1, value);
}
