import { answerOf } from '../../site/answer.js';
import { type Reached, reach, type TopologyFacts } from '../../site/reach.js';
import { lookedOf } from '../looked-of.js';
import type { Page } from '../page.js';
import { textOf } from '../query.js';
import { layoutOf } from './layout.js';
import type { Question, QuestionAnswer, TopologyModel } from './model.js';
import { shownOf } from './shown.js';

const LONGEST_TEXT = 255;
/** Queues that are named in an answer. */
const NAMED = 200;

const NOTHING: TopologyFacts = { exchanges: [], bindings: [], queues: [] };

export const topology: Page<TopologyModel> = {
  name: 'topology',
  path: '/topology',
  freshMs: 5_000,
  title: () => 'Topology',
  async load({ site, query }) {
    const asked = (name: string) => (query.get(name) ?? '').slice(0, LONGEST_TEXT);
    const text = textOf(query, 'text');
    const [seen, { value: facts = NOTHING, problem }] = await Promise.all([
      site.watch.latest(),
      answerOf('what is bound', site.clock, () => site.topology()),
    ]);
    const exchange = query.has('exchange') ? asked('exchange') : site.names.events;
    const key = asked('key');
    const reached = query.has('key') && problem === undefined ? reach(facts, exchange, key) : undefined;
    const shown = shownOf(facts, seen, site.names, text);
    const types = new Map(facts.exchanges.map(({ name, type }) => [name, type]));
    return {
      looked: lookedOf(seen),
      problem,
      text,
      exchanges: shown.offered,
      question: { exchange, key, answer: reached && answer(reached) } satisfies Question,
      picture: layoutOf(shown, reached),
      queues: shown.queues,
      bindings: shown.bindings.map((binding) => ({ ...binding, type: types.get(binding.exchange) })),
      queueCount: shown.queueCount,
      bindingCount: shown.bindingCount,
    };
  },
};

const answer = ({ exists, queues, unknown }: Reached): QuestionAnswer => ({
  exists,
  queues: queues.slice(0, NAMED),
  count: queues.length,
  unknown,
});
