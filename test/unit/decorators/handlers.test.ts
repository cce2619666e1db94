import { compiled, KINDS } from './kinds.js';

for (const kind of KINDS) {
  const { annotating } = await compiled('annotating', kind);
  describe(`compiled as ${kind.name}`, () => annotating?.(kind.standard));
}
