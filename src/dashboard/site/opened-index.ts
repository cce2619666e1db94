import type { DeadLetterIndex } from '../../failures/groups/dead-letter-index.js';
import type { FailureIndex, IndexState } from '../../failures/groups/group.js';
import { reasonText } from '../../util/text/error-text.js';

const EMPTY: IndexState = {
  ...{ state: 'empty', readAt: undefined, letters: 0, progress: undefined, leftOut: 0, problem: undefined },
};

/** An index whose connection is opened when it is first asked to read. Until then it has nothing, and says so. */
export class OpenedIndex implements FailureIndex {
  private index: DeadLetterIndex | undefined;
  /** Why it could not be opened. */
  private problem: string | undefined;

  constructor(private readonly open: () => Promise<DeadLetterIndex>) {}

  get state(): IndexState {
    return this.index?.state ?? { ...EMPTY, problem: this.problem };
  }

  async refresh(options?: { readonly force?: boolean }): Promise<void> {
    try {
      this.index = await this.open();
      this.problem = undefined;
    } catch (error) {
      this.problem = reasonText(error);
      return;
    }
    await this.index.refresh(options);
  }

  async groups(options?: Parameters<FailureIndex['groups']>[0]): ReturnType<FailureIndex['groups']> {
    return (await this.index?.groups(options)) ?? [];
  }

  async group(id: string): ReturnType<FailureIndex['group']> {
    return this.index?.group(id);
  }

  letters(asked?: Parameters<FailureIndex['letters']>[0]): ReturnType<FailureIndex['letters']> {
    return this.index?.letters(asked) ?? { count: 0, letters: [] };
  }

  copies(deadQueue: string, id: string): ReturnType<FailureIndex['copies']> {
    return this.index?.copies(deadQueue, id) ?? [];
  }

  left(deadQueue: string, ids: Iterable<string>): void {
    this.index?.left(deadQueue, ids);
  }

  async mark(...mark: Parameters<FailureIndex['mark']>): Promise<void> {
    await (await this.open()).mark(...mark);
  }
}
