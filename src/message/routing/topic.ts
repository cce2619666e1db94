/**
 * Topic matching as AMQP 0-9-1 defines it (section 3.1.3.3) and RabbitMQ implements it: keys and patterns are
 * words between dots; `*` matches exactly one word, `#` zero or more, anywhere. An empty word is a word: `a..b`
 * has three.
 */

interface Node<T> {
  readonly children: Map<string, Node<T>>;
  /** Values of the patterns that end here. */
  readonly values: T[];
}

/** Nodes of a `#` below another, with the first word from which they were walked: from there on all is found. */
type Walked<T> = Map<Node<T>, number>;

function node<T>(): Node<T> {
  return { children: new Map(), values: [] };
}

/**
 * Patterns with their values, looked up by routing key: the cost grows with the key's words, not with the
 * number of patterns.
 */
export class TopicTrie<T> {
  private readonly root = node<T>();
  /** True if a pattern has several `#`: each would walk all that the ones before it leave, in a time that grows with their power. */
  private hasSeveral = false;

  add(pattern: string, value: T): void {
    let at = this.root;
    const words = pattern.split('.');
    this.hasSeveral ||= words.indexOf('#') !== words.lastIndexOf('#');
    for (const word of words) {
      let next = at.children.get(word);
      if (!next) {
        next = node();
        at.children.set(word, next);
      }
      at = next;
    }
    at.values.push(value);
  }

  /** Values of all patterns that match `key`, each once, in no particular order. */
  match(key: string): Set<T> {
    const found = new Set<T>();
    this.walk(this.root, key.split('.'), 0, found, this.hasSeveral ? new Map() : undefined);
    return found;
  }

  private walk(
    at: Node<T>,
    words: readonly string[],
    index: number,
    found: Set<T>,
    walked: Walked<T> | undefined,
  ): void {
    if (index === words.length) {
      for (const value of at.values) found.add(value);
    } else {
      const literal = at.children.get(words[index] as string);
      // A foreign client may publish a key whose own word is `*` or `#`: the wildcard child is not its literal.
      if (literal && words[index] !== '#' && words[index] !== '*')
        this.walk(literal, words, index + 1, found, walked);
      const one = at.children.get('*');
      if (one) this.walk(one, words, index + 1, found, walked);
    }
    const many = at.children.get('#');
    if (many) {
      const end = walked?.get(many) ?? words.length + 1;
      if (index < end) walked?.set(many, index);
      for (let rest = index; rest < end; rest += 1) this.walk(many, words, rest, found, walked);
    }
  }
}

/** True if one pattern matches one key. For many patterns or keys build a {@link TopicTrie}. */
export function topicMatches(pattern: string, key: string): boolean {
  const trie = new TopicTrie<true>();
  trie.add(pattern, true);
  return trie.match(key).size > 0;
}

const END = 1;

function rank(word: string | undefined): number {
  if (word === undefined) return END;
  if (word === '#') return 0;
  return word === '*' ? 2 : 3;
}

/**
 * Orders patterns from narrow to wide. Word by word from the left a literal beats `*`, `*` beats the pattern's
 * end, and the end beats `#`. Patterns of the same shape that can match the same key (`#.a.#` and `#.b.#`) are
 * ordered alphabetically, so that the order is total: only identical patterns are equal.
 */
export function compareSpecificity(left: string, right: string): number {
  const a = left.split('.');
  const b = right.split('.');
  for (let index = 0; index < Math.max(a.length, b.length); index += 1) {
    const difference = rank(b[index]) - rank(a[index]);
    if (difference !== 0) return difference;
  }
  if (left === right) return 0;
  return left < right ? -1 : 1;
}
