import type { Seen } from '../site/seen.js';
import type { LookedModel } from '../ui/looked.js';

const MOST_SILENT = 5;

export const lookedOf = ({ at, reached, silent }: Seen): LookedModel => ({
  at,
  reached,
  silent: silent.slice(0, MOST_SILENT),
});
