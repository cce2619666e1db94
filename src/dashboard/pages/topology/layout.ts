import { cutLine } from '../../../util/text/cut-text.js';
import type { Reached, TopologyBinding } from '../../site/reach.js';
import { depthsOf, type Lead, leadsOf, ordered } from './layers.js';
import type { TopologyQueue } from './model.js';
import type { NodeKind, Picture, PictureEdge, PictureNode } from './picture.js';
import type { Shown } from './shown.js';

/** All in units of the picture, which are pixels at its own size. */
const WIDTH: Readonly<Record<NodeKind, number>> = { exchange: 190, pattern: 200, queue: 300, handler: 240 };
/** Characters of a name that fit beside the figures. */
const CHARACTERS: Readonly<Record<NodeKind, number>> = { exchange: 25, pattern: 28, queue: 26, handler: 23 };
const BETWEEN = 40;
const GAP = 8;
const MARGIN = 8;
const HEIGHT = 24;
const LINE = 15;
/** Patterns of one exchange and queue that are drawn. */
const LINES = 4;

/** Places everything of a topology: queues one below the other, and what leads to them and handles them beside them. */
export function layoutOf({ exchanges, bindings, queues }: Shown, reached: Reached | undefined): Picture {
  return new Layout(new Marks(reached)).of(exchanges, leadsOf(bindings), queues);
}

/** A node whose column is known, and whose width and text follow from its kind. */
interface Draft extends Pick<PictureNode, 'id' | 'kind' | 'y' | 'lines' | 'isReached'> {
  readonly column: number;
  readonly height?: number;
  readonly title?: string;
  readonly rate?: number | undefined;
  readonly length?: number | undefined;
}

/** What the message that was asked about passes. */
class Marks {
  private readonly passed: ReadonlySet<TopologyBinding>;
  private readonly queues: ReadonlySet<string>;
  private readonly exchanges: ReadonlySet<string>;

  constructor(reached: Reached | undefined) {
    const through = reached?.through ?? [];
    this.passed = new Set(through);
    this.queues = new Set(reached?.queues);
    this.exchanges = new Set(through.map(({ exchange }) => exchange));
  }

  exchange = (name: string): boolean => this.exchanges.has(name);
  lead = ({ bindings }: Lead): boolean => bindings.some((binding) => this.passed.has(binding));
  queue = (name: string): boolean => this.queues.has(name);
  handler(queue: string, handler: string): boolean {
    return [...this.passed].some((each) => each.destination === queue && each.handlers.includes(handler));
  }
}

class Layout {
  private readonly nodes = new Map<string, PictureNode>();
  private readonly edges: PictureEdge[] = [];
  private deepest = 0;
  /** Where the blocks of the queues end. */
  private bottom = MARGIN;

  constructor(private readonly marks: Marks) {}

  of(exchanges: Shown['exchanges'], leads: readonly Lead[], queues: readonly TopologyQueue[]): Picture {
    const depths = depthsOf(exchanges, leads);
    this.deepest = Math.max(0, ...depths.values());
    for (const queue of ordered(queues, leads)) {
      const its = leads.filter(
        ({ destination, destinationKind }) => destinationKind === 'queue' && destination === queue.queue,
      );
      this.bottom = this.placeQueue(queue, its, this.bottom) + GAP;
    }
    this.placeExchanges(exchanges, leads, depths);
    for (const lead of leads) this.connectLead(lead);
    for (const queue of queues) this.connectHandlers(queue);
    const nodes = [...this.nodes.values()];
    return {
      width: this.columnX(2 * this.deepest + 3) - BETWEEN + MARGIN,
      height: Math.max(0, ...nodes.map((node) => node.y + node.height)) + MARGIN,
      nodes,
      edges: this.edges,
    };
  }

  /** A block: the patterns, the queue in the middle of them, and its handlers. @returns where it ends */
  private placeQueue(queue: TopologyQueue, leads: readonly Lead[], top: number): number {
    const patterns = leads.map((lead) => ({ lead, height: heightOf(lead) }));
    // Lanes have the handlers of their queue, which are drawn once.
    const handlers = queue.handlers.filter((each) => !this.nodes.has(handlerId(queue, each)));
    const left = stackHeight(patterns.map(({ height }) => height));
    const right = stackHeight(handlers.map(() => HEIGHT));
    const height = Math.max(left, right, HEIGHT);
    const middle = top + height / 2;
    let y = middle - left / 2;
    for (const { lead, height: own } of patterns) {
      this.addLead(lead, this.patternColumn, y);
      y += own + GAP;
    }
    const { queue: name, length } = queue;
    this.add({
      ...{ id: queueId(name), kind: 'queue', lines: [name], length, rate: queue.outRate ?? queue.inRate },
      ...{ column: this.patternColumn + 1, y: middle - HEIGHT / 2, isReached: this.marks.queue(name) },
    });
    y = middle - right / 2;
    for (const each of handlers) {
      this.add({
        ...{ id: handlerId(queue, each), kind: 'handler', lines: [each.handler], rate: each.perSecond },
        ...{ column: this.patternColumn + 2, y, isReached: this.marks.handler(name, each.handler) },
      });
      y += HEIGHT + GAP;
    }
    return top + height;
  }

  /** Each exchange beside what it leads to, the deepest first: those before them stand beside these. */
  private placeExchanges(
    exchanges: Shown['exchanges'],
    leads: readonly Lead[],
    depths: ReadonlyMap<string, number>,
  ): void {
    for (let depth = this.deepest; depth >= 0; depth -= 1) {
      const here = exchanges.filter(({ name }) => depths.get(name) === depth);
      const wishes = here.map(({ name }) => ({
        name,
        wish: this.middleOf(leads.filter((each) => each.exchange === name)),
      }));
      for (const { item, y } of spread(wishes, () => HEIGHT)) {
        const { name } = item;
        const lines = [name === '' ? 'default exchange' : name];
        const isReached = this.marks.exchange(name);
        this.add({ id: exchangeId(name), kind: 'exchange', lines, column: 2 * depth, y, isReached });
      }
      const between = leads
        .filter(
          ({ exchange, destinationKind }) => destinationKind === 'exchange' && depths.get(exchange) === depth,
        )
        .map((lead) => ({ lead, wish: this.middleOf([lead]) }));
      // What leads back from the last exchanges stands below the patterns of queues.
      const from = depth === this.deepest ? this.bottom : MARGIN;
      for (const { item, y } of spread(between, ({ lead }) => heightOf(lead), from))
        this.addLead(item.lead, 2 * depth + 1, y);
    }
  }

  /** Middle of what leads go to, as far as that has its place. */
  private middleOf(leads: readonly Lead[]): number {
    const places = leads.flatMap(
      ({ id, destination }) => this.nodes.get(id) ?? this.nodes.get(exchangeId(destination)) ?? [],
    );
    const sum = places.reduce((all, { y, height }) => all + y + height / 2, 0);
    return places.length === 0 ? MARGIN : sum / places.length;
  }

  private connectLead(lead: Lead): void {
    const { id, exchange, destination, destinationKind } = lead;
    const to = destinationKind === 'queue' ? queueId(destination) : exchangeId(destination);
    const isReached = this.marks.lead(lead);
    this.connect(exchangeId(exchange), id, isReached);
    this.connect(id, to, isReached);
  }

  private connectHandlers(queue: TopologyQueue): void {
    for (const each of queue.handlers)
      this.connect(
        queueId(queue.queue),
        handlerId(queue, each),
        this.marks.handler(queue.queue, each.handler),
      );
  }

  private connect(from: string, to: string, isReached: boolean): void {
    const [start, end] = [this.nodes.get(from), this.nodes.get(to)];
    if (start && end) this.edges.push({ id: `${from} ${to}`, path: curve(start, end), isReached });
  }

  private addLead(lead: Lead, column: number, y: number): void {
    const patterns = lead.bindings.map(({ pattern }) => (pattern === '' ? '(no key)' : pattern));
    const more = patterns.length - LINES;
    const lines = more > 0 ? [...patterns.slice(0, LINES - 1), `and ${more + 1} more`] : patterns;
    const title = patterns.join(', ');
    const isReached = this.marks.lead(lead);
    this.add({ id: lead.id, kind: 'pattern', lines, title, column, y, height: heightOf(lead), isReached });
  }

  private add({ id, kind, column, y, lines, isReached, ...rest }: Draft): void {
    const { height = HEIGHT, title = lines.join(', '), rate, length } = rest;
    this.nodes.set(id, {
      ...{ id, kind, x: this.columnX(column), y: round(y), width: WIDTH[kind], height },
      lines: lines.map((line) => cutLine(line, CHARACTERS[kind])),
      ...{ title, rate, length, isReached },
    });
  }

  private get patternColumn(): number {
    return 2 * this.deepest + 1;
  }

  /** Exchanges and patterns take turns, then come queues and handlers. */
  private columnX(column: number): number {
    const before = Array.from({ length: column }, (_none, index) => {
      if (index <= this.patternColumn) return index % 2 === 0 ? WIDTH.exchange : WIDTH.pattern;
      return index === this.patternColumn + 1 ? WIDTH.queue : WIDTH.handler;
    });
    return before.reduce((x, width) => x + width + BETWEEN, MARGIN);
  }
}

const exchangeId = (name: string) => `exchange ${name}`;
const queueId = (name: string) => `queue ${name}`;
const handlerId = ({ of }: TopologyQueue, { service, handler }: TopologyQueue['handlers'][number]) =>
  `handler ${JSON.stringify([service, of, handler])}`;

const heightOf = ({ bindings }: Lead): number =>
  Math.max(HEIGHT, Math.min(LINES, bindings.length) * LINE + 6);

const stackHeight = (heights: readonly number[]): number =>
  heights.reduce((sum, height) => sum + height + GAP, heights.length === 0 ? 0 : -GAP);

/** Places items at the middles that they wish for, one below the other. */
function spread<Item extends { readonly wish: number }>(
  items: readonly Item[],
  height: (item: Item) => number,
  from = MARGIN,
): readonly { readonly item: Item; readonly y: number }[] {
  let free = from;
  return [...items]
    .sort((one, other) => one.wish - other.wish)
    .map((item) => {
      const y = Math.max(free, item.wish - height(item) / 2);
      free = y + height(item) + GAP;
      return { item, y };
    });
}

const round = (value: number): number => Math.round(value * 10) / 10;

function curve(start: PictureNode, end: PictureNode): string {
  const [x1, y1] = [start.x + start.width, round(start.y + start.height / 2)];
  const [x2, y2] = [end.x, round(end.y + end.height / 2)];
  const bend = Math.max(BETWEEN / 2, Math.abs(x2 - x1) / 2);
  return `M${x1} ${y1}C${x1 + bend} ${y1} ${x2 - bend} ${y2} ${x2} ${y2}`;
}
