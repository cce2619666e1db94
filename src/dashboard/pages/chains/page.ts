import type { LettersFound } from '../../../failures/groups/group.js';
import { answerOf } from '../../site/answer.js';
import type { RunningMessage } from '../../site/seen.js';
import type { Site } from '../../site/site.js';
import { ofSegment } from '../addresses.js';
import { NotFound, type Page } from '../page.js';
import { textOf } from '../query.js';
import { chainsOf } from './chains-of.js';
import type { ChainModel, ChainSources, ChainsModel } from './model.js';

/** Dead letters that are looked at, and chains that are listed. */
const LETTERS = 500;
const LISTED = 100;
const FRESH_MS = 5_000;

export const chains: Page<ChainsModel> = {
  name: 'chains',
  path: '/chains',
  freshMs: FRESH_MS,
  title: () => 'Chains',
  async load({ site, query }) {
    const text = textOf(query, 'text');
    const { running, found, sources } = await known(site, text);
    const wanted = text.toLowerCase();
    const all = chainsOf(running, found.letters, site.letters.redaction).filter(({ id }) =>
      id.toLowerCase().includes(wanted),
    );
    return { ...sources, text, chains: all.slice(0, LISTED), count: all.length };
  },
};

export const chain: Page<ChainModel> = {
  name: 'chain',
  path: '/chains/:chain',
  freshMs: FRESH_MS,
  title: (model) => `Chain ${model.chain.id}`,
  async load({ site, params }) {
    const id = ofSegment(params.chain);
    const { running, found, sources } = await known(site, id);
    const its = chainsOf(running, found.letters, site.letters.redaction).find((each) => each.id === id);
    if (!its && sources.isRead && sources.problem === undefined && !sources.isCut)
      throw new NotFound(
        `no step of chain '${id}' runs, and none is a dead letter: it has ended, or waits in a queue or a delay`,
      );
    return { ...sources, chain: its ?? { id, running: [], dead: [] } };
  },
};

interface Known {
  readonly running: readonly RunningMessage[];
  readonly found: LettersFound;
  readonly sources: ChainSources;
}

/** @param text occurs in the letters that are wanted; '' for all of chains */
async function known(site: Site, text: string): Promise<Known> {
  void site.index.refresh();
  const found = site.index.letters({ in: 'chain', limit: LETTERS, ...(text === '' ? {} : { text }) });
  const { value: running = [], problem } = await answerOf('the broker', site.clock, () =>
    site.watch.running(),
  );
  const isRead = site.index.state.readAt !== undefined;
  return { running, found, sources: { problem, isRead, isCut: found.count > found.letters.length } };
}
