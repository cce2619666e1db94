import { cutLine } from '../../../util/text/cut-text.js';
import type { Reached, TopologyBinding } from '../../site/reach.js';
import { BETWEEN, Columns, MARGIN } from './columns.js';
import { depthsOf, type Lead, leadsOf, ordered } from './layers.js';
import type { TopologyQueue } from './model.js';
import type { Picture, PictureEdge, PictureNode } from './picture.js';
import type { Shown } from './shown.js';

const GAP = 8;
const HEIGHT = 24;
const LINE = 15;
/** Patterns of one exchange and queue that are drawn. */
const LINES = 4;

/** Places everything of a topology: queues one below the other, and what leads to them and handles them beside them. */
export function layoutOf(shown: Shown, reached: Reached | undefined): Picture {
  return new Layout(shown, new Marks(reached)).drawn();
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
  /** Where the blocks of the queues end. */
  private bottom = MARGIN;

  private readonly leads: readonly Lead[];
  private readonly depths: ReadonlyMap<string, number>;
  private readonly columns: Columns;

  constructor(
    private readonly shown: Shown,
    private readonly marks: Marks,
  ) {
    this.leads = leadsOf(shown.bindings);
    this.depths = depthsOf(shown.exchanges, this.leads);
    this.columns = new Columns(Math.max(0, ...this.depths.values()));
  }

  drawn(): Picture {
    const { shown, leads, nodes, edges, columns } = this;
    for (const queue of ordered(shown.queues, leads)) {
      const its = leads.filter(
        ({ destination, destinationKind }) => destinationKind === 'queue' && destination === queue.queue,
      );
      this.bottom = this.placeQueue(queue, its, this.bottom) + GAP;
    }
    for (let depth = columns.deepest; depth >= 0; depth -= 1) this.placeExchanges(depth);
    for (const lead of leads) this.connectLead(lead);
    for (const queue of shown.queues) this.connectHandlers(queue);
    const all = [...nodes.values()];
    const height = Math.max(0, ...all.map((node) => node.y + node.height)) + MARGIN;
    return { width: columns.width, height, nodes: all, edges };
  }

  /** A block: the patterns, the queue in the middle of them, and its handlers. @returns where it ends */
  private placeQueue(queue: TopologyQueue, leads: readonly Lead[], top: number): number {
    const { columns } = this;
    const patterns = leads.map((lead) => ({ lead, height: heightOf(lead) }));
    // Lanes have the handlers of their queue, which are drawn once.
    const handlers = queue.handlers.filter((each) => !this.nodes.has(handlerId(queue, each)));
    const left = stackHeight(patterns.map(({ height }) => height));
    const right = stackHeight(handlers.map(() => HEIGHT));
    const height = Math.max(left, right, HEIGHT);
    const middle = top + height / 2;
    let y = middle - left / 2;
    for (const { lead, height: own } of patterns) {
      this.addLead(lead, columns.patterns, y);
      y += own + GAP;
    }
    const { queue: name, length } = queue;
    this.add({
      ...{ id: queueId(name), kind: 'queue', lines: [name], length, rate: queue.outRate ?? queue.inRate },
      ...{ column: columns.queues, y: middle - HEIGHT / 2, isReached: this.marks.queue(name) },
    });
    y = middle - right / 2;
    for (const each of handlers) {
      this.add({
        ...{ id: handlerId(queue, each), kind: 'handler', lines: [each.handler], rate: each.perSecond },
        ...{ column: columns.handlers, y, isReached: this.marks.handler(name, each.handler) },
      });
      y += HEIGHT + GAP;
    }
    return top + height;
  }

  /** Exchanges beside what they lead to, which has its place: the deepest are placed first. */
  private placeExchanges(depth: number): void {
    const { leads, depths, columns, marks } = this;
    const wishes = this.shown.exchanges
      .filter(({ name }) => depths.get(name) === depth)
      .map(({ name }) => ({ name, wish: this.middleOf(leads.filter((each) => each.exchange === name)) }));
    for (const { item, y } of spread(wishes, () => HEIGHT)) {
      const { name } = item;
      const lines = [name === '' ? 'default exchange' : name];
      const at = { column: columns.exchanges(depth), y };
      this.add({ id: exchangeId(name), kind: 'exchange', lines, ...at, isReached: marks.exchange(name) });
    }
    const between = leads
      .filter(
        ({ exchange, destinationKind }) => destinationKind === 'exchange' && depths.get(exchange) === depth,
      )
      .map((lead) => ({ lead, wish: this.middleOf([lead]) }));
    // What leads back from the last exchanges stands below the patterns of queues.
    const from = depth === columns.deepest ? this.bottom : MARGIN;
    for (const { item, y } of spread(between, ({ lead }) => heightOf(lead), from))
      this.addLead(item.lead, columns.exchanges(depth) + 1, y);
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
    const patterns = lead.bindings.map(({ pattern, arguments: its }) =>
      its ? JSON.stringify(its) : pattern === '' ? '(no key)' : pattern,
    );
    const more = patterns.length - LINES;
    const lines = more > 0 ? [...patterns.slice(0, LINES - 1), `and ${more + 1} more`] : patterns;
    const title = patterns.join(', ');
    const isReached = this.marks.lead(lead);
    this.add({ id: lead.id, kind: 'pattern', lines, title, column, y, height: heightOf(lead), isReached });
  }

  private add({ id, kind, column, y, lines, isReached, ...rest }: Draft): void {
    const { height = HEIGHT, title = lines.join(', '), rate, length } = rest;
    const { x, width, characters } = this.columns.at(column);
    this.nodes.set(id, {
      ...{ id, kind, x, y: round(y), width, height },
      lines: lines.map((line) => cutLine(line, characters)),
      ...{ title, rate, length, isReached },
    });
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
