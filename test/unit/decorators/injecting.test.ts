import { compiled, KINDS } from './kinds.js';

for (const kind of KINDS) {
  const { injecting } = await compiled('injecting', kind);
  describe(`dependencies that a class names, compiled as ${kind.name}`, () => injecting?.(kind.standard));
}
