import { compiled, KINDS } from './kinds.js';

for (const kind of KINDS) {
  const { annotating } = await compiled<boolean>('annotating', kind);
  describe(`compiled as ${kind.name}`, () => void annotating?.(kind.standard));
}
