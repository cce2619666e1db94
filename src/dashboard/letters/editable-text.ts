import { isJson } from './json-text.js';
import { printJson } from './print-json.js';
import type { Redaction } from './redaction.js';

/** A text for a form: its secret values stay on the server, and numbers stand for them. */
export interface EditableText {
  readonly text: string;
  readonly isJson: boolean;
  /** The hidden values, as they stand in the source. */
  readonly taken: readonly string[];
}

/** Longest body that is offered for editing. */
export const MOST_EDITABLE = 512 * 1024;

/** Characters that may be put back: a form could name one value a thousand times. */
const MOST_RESTORED = 16 * 1024 * 1024;

/** JSON is indented; numbers and all else in it stay as they are written. */
export function editableText(source: string, redaction: Redaction): EditableText {
  const taken: string[] = [];
  const json = isJson(source) ? printJson(source, { redaction, taken }) : undefined;
  if (json) return { text: json.text, isJson: true, taken };
  return { text: redaction.inText(source, taken), isJson: false, taken };
}

/** The text with the hidden values back in their places. @returns problem if one stands for nothing */
export function restoredText(
  text: string,
  { isJson: quoted, taken }: Pick<EditableText, 'isJson' | 'taken'>,
): { readonly text: string } | { readonly problem: string } {
  const unknown: string[] = [];
  let room = MOST_RESTORED;
  const place = quoted ? /"‹redacted (\d{1,6})›"/g : /‹redacted (\d{1,6})›/g;
  /** In text a hidden value may be a part of another, which was hidden later. */
  const within = (source: string, before: number): string =>
    source.replace(place, (whole, number) => {
      const value = Number(number) < before ? taken[Number(number) - 1] : undefined;
      if (value === undefined) unknown.push(whole);
      room -= value?.length ?? 0;
      if (room < 0) return whole;
      return value === undefined ? whole : quoted ? value : within(value, Number(number));
    });
  const restored = within(text, Number.POSITIVE_INFINITY);
  if (room < 0) return { problem: 'it has become too large' };
  return unknown.length === 0
    ? { text: restored }
    : { problem: `${unknown[0]} stands for no value that was hidden: write the value itself` };
}
