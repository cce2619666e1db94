import assert from 'node:assert/strict';
import { OptionsError } from '../../src/errors.js';

/** In the place of a password: it may turn up nowhere. */
export const CANARY = 'canary-c0ffee';

/** The problems of an OptionsError that `work` throws; none if it throws nothing. */
export function problemsOf(work: () => unknown): readonly string[] {
  try {
    work();
  } catch (error) {
    assert.ok(error instanceof OptionsError, String(error));
    return error.problems;
  }
  return [];
}
