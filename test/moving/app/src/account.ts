import { Injectable } from '@nestjs/common';
import type { Library } from './shop.js';

/** What the parts of the shop have done: the test, which has started this process, is told of it. */
@Injectable()
export class Account {
  handled(part: string, by: Library, id: number): void {
    process.send?.({ part, by, id });
  }
}
