import type { Duration } from '../../../util/duration.js';
import type { MeasureName } from './measure-name.js';
import type { AlertRuleOptions } from './rule.js';

/*
 * Rules as texts:
 *
 *     rule    = measure ( "off" | limit { "," limit } ) { clause }
 *     limit   = ">" value [ "warning" | "critical" ]
 *     clause  = "on" pattern | "for" duration | "within" duration | "at least" number | "clear at" share
 */

/** Where a text is no rule, and why. */
export class RuleTextError extends Error {}

interface Word {
  readonly text: string;
  /** Place in the rule, counted from 1. */
  readonly at: number;
}

const WORDS = /[,>]|[^\s,>]+/g;

/** Reads a share: `5%`, 0.05; undefined if it is none from 0 to 1. */
export function shareOf(given: number | string | undefined): number | undefined {
  const [, percent, plain] = (typeof given === 'string' && /^([\d.]+)%$|^([\d.]+)$/.exec(given)) || [];
  const share = percent ? Number(percent) / 100 : plain ? Number(plain) : given;
  return typeof share === 'number' && share >= 0 && share <= 1 ? share : undefined;
}

/** Reads a rule; its values are checked as those of an object. @throws RuleTextError with the place */
export function parseRule(text: string): AlertRuleOptions {
  const words = [...text.matchAll(WORDS)].map((match) => ({ text: match[0], at: match.index + 1 }));
  return new RuleReader(words, text.length + 1).rule();
}

class RuleReader {
  private next = 0;

  constructor(
    private readonly words: readonly Word[],
    private readonly end: number,
  ) {}

  rule(): AlertRuleOptions {
    // Checked with the object's.
    const rule: AlertRuleOptions = { measure: this.take('the name of a measure') as MeasureName };
    if (this.skip('off')) rule.off = true;
    else {
      do this.limit(rule);
      while (this.skip(','));
    }
    while (this.next < this.words.length) this.clause(rule);
    return rule;
  }

  private limit(rule: AlertRuleOptions): void {
    if (!this.skip('>')) this.fail("'>' and a limit, or 'off'");
    const at = this.next;
    const value = this.take('a limit');
    const severity = this.skip('critical') ? 'critical' : 'warning';
    if (severity === 'warning') this.skip('warning');
    if (rule[severity] !== undefined) this.fail(`one limit for '${severity}'`, at);
    rule[severity] = /^[\d.]+$/.test(value) ? Number(value) : value;
  }

  private clause(rule: AlertRuleOptions): void {
    if (this.skip('on')) rule.on = this.take('a pattern of queues');
    else if (this.skip('for')) rule.for = this.take('a duration') as Duration;
    else if (this.skip('within')) rule.within = this.take('a duration') as Duration;
    else if (this.skip('at')) {
      if (!this.skip('least')) this.fail("'at least'");
      rule.atLeast = Number(this.take('a number'));
    } else if (this.skip('clear')) {
      if (!this.skip('at')) this.fail("'clear at'");
      const at = this.next;
      rule.clearAt = shareOf(this.take('a share')) ?? this.fail("a share such as '80%' or 0.8", at);
    } else this.fail("'on', 'for', 'within', 'at least' or 'clear at'");
  }

  private skip(word: string): boolean {
    if (this.words[this.next]?.text !== word) return false;
    this.next += 1;
    return true;
  }

  private take(expected: string): string {
    const word = this.words[this.next];
    if (!word || /^[,>]$/.test(word.text)) return this.fail(expected);
    this.next += 1;
    return word.text;
  }

  private fail(expected: string, index = this.next): never {
    const word = this.words[index];
    const got = word ? `got '${word.text}'` : 'it ends';
    throw new RuleTextError(`expected ${expected} at character ${word?.at ?? this.end}, ${got}`);
  }
}
