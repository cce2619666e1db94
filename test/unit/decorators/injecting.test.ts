import { compiled, KINDS } from './kinds.js';

for (const kind of KINDS) {
  const { injecting } = await compiled<boolean>('injecting', kind);
  describe(`dependencies that a class names, compiled as ${kind.name}`, () =>
    void injecting?.(kind.standard));
}
