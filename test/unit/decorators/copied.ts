import type * as decorators from '../../../decorators/index.js';

/** A class that these decorators stand on. This file is compiled in several ways. */
export function copied({ Handles, Queue, Retry }: typeof decorators): new () => object {
  @Queue({ name: 'copied' })
  class Copied {
    @Handles('a')
    @Retry({ tries: 2 })
    onA() {}
  }
  return Copied;
}
