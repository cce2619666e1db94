import type { Row } from '../row.js';
import { BABEL } from './babel.js';
import { ESBUILD } from './esbuild.js';
import { JESTS } from './jest.js';
import { OXC } from './oxc.js';
import { PNPM, RUNTIMES_THEMSELVES } from './runtimes.js';
import { SWC } from './swc.js';

import { TSC } from './tsc.js';
import { VITEST } from './vitest.js';

/** In the order of the tables. */
export const ROWS: readonly Row[] = [
  ...TSC,
  ...SWC,
  ...ESBUILD,
  ...OXC,
  ...BABEL,
  ...RUNTIMES_THEMSELVES,
  ...VITEST,
  ...JESTS,
  ...PNPM,
];
