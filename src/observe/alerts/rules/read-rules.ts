import {
  anything,
  type Check,
  didYouMean,
  duration,
  type Fields,
  flag,
  isPlainObject,
  positiveDuration,
  positiveInteger,
  problemsOf,
  show,
  text,
} from '../../../util/check.js';
import { msAsWritten, toMs } from '../../../util/duration.js';
import type { Unit } from '../measuring/measure.js';
import { MEASURES, measureOf } from '../measuring/measures.js';
import type { MeasureName } from './measure-name.js';
import type { AlertRule, AlertRuleOptions, Rule, Severity } from './rule.js';
import { parseRule, RuleTextError, shareOf } from './rule-text.js';

const SEVERITIES: readonly Severity[] = ['warning', 'critical'];

const CLEAR_AT = 0.8;

const FIELDS: Fields = {
  measure: anything,
  on: text,
  warning: anything,
  critical: anything,
  for: duration,
  within: positiveDuration,
  atLeast: positiveInteger,
  clearAt: { expected: 'a share from 0 to 1', accepts: (value) => Number(value) >= 0 && Number(value) <= 1 },
  off: flag,
};

export interface ReadRules {
  /** In the order in which they are tried. */
  readonly rules: readonly Rule[];
  readonly problems: readonly string[];
}

/** Reads the rules of options, and the default rules after them. */
export function readRules(given: readonly AlertRule[], withDefaults: boolean): ReadRules {
  const rules: Rule[] = [];
  const problems: string[] = [];
  given.forEach((each, index) => {
    const name = typeof each === 'string' ? `rule ${show(each)}` : `rules[${index}]`;
    const found = read(each);
    if (Array.isArray(found)) problems.push(...found.map((problem) => `${name}: ${problem}`));
    else rules.push(found as Rule);
  });
  return { rules: withDefaults ? [...rules, ...DEFAULT_RULES] : rules, problems };
}

/** The rule, or what is wrong with it. */
function read(given: AlertRule): Rule | string[] {
  try {
    const rule = typeof given === 'string' ? parseRule(given) : given;
    const problems = isPlainObject(rule) ? problemsOfRule(rule) : ['expected a text or an object'];
    return problems.length > 0 ? problems : ruleOf(rule);
  } catch (error) {
    if (error instanceof RuleTextError) return [error.message];
    throw error;
  }
}

function problemsOfRule(rule: AlertRuleOptions): string[] {
  const { measure: name, on, within, off, warning, critical } = rule;
  if (!Object.hasOwn(MEASURES, name))
    return [`there is no measure ${show(name)}${didYouMean(String(name), Object.keys(MEASURES))}`];
  const { byQueue, unit, within: looksBack } = measureOf(name);
  const problems = problemsOf(rule, '', FIELDS);
  const limits = SEVERITIES.map((severity) => rule[severity]).filter((limit) => limit !== undefined);
  for (const limit of limits)
    if (limitOf(unit, limit) === undefined)
      problems.push(`expected a limit of ${name} to be ${LIMITS[unit]}, got ${show(limit)}`);
  if (on !== undefined && !byQueue) problems.push(`${name} belongs to no queue: leave out the pattern`);
  if (within !== undefined && looksBack === undefined)
    problems.push(`${name} is a value of the moment: leave out 'within'`);
  if (off === true ? limits.length > 0 : limits.length === 0)
    problems.push(
      off === true ? 'a rule that is off has no limit' : 'expected a limit: warning, critical or both',
    );
  const [low, high] = [warning, critical].map((limit) => limitOf(unit, limit));
  if (low !== undefined && high !== undefined && low >= high)
    problems.push('expected the limit for critical to be above that for a warning');
  return problems;
}

function ruleOf(rule: AlertRuleOptions): Rule {
  const { unit, for: holds = 0, within: looksBack = 0, atLeast = 1 } = measureOf(rule.measure);
  const limits = SEVERITIES.flatMap((severity) => {
    const limit = limitOf(unit, rule[severity]);
    return limit === undefined ? [] : [[severity, limit] as const];
  });
  return {
    measure: rule.measure,
    on: rule.on,
    limits: Object.fromEntries(limits),
    forMs: toMs(rule.for ?? holds),
    withinMs: toMs(rule.within ?? looksBack),
    atLeast: rule.atLeast ?? atLeast,
    clearAt: rule.clearAt ?? CLEAR_AT,
  };
}

const LIMITS: Readonly<Record<Unit, string>> = {
  count: 'a number from 0 on',
  duration: "a duration such as '5m'",
  share: "a share below 1, such as '5%' or 0.05",
};

function limitOf(unit: Unit, limit: number | string | undefined): number | undefined {
  if (unit === 'duration') return msAsWritten(limit);
  if (unit === 'share') {
    const share = shareOf(limit);
    // No share is above all of it: 'failure_rate > 1' is meant as a percent.
    return share === 1 ? undefined : share;
  }
  return typeof limit === 'number' && limit >= 0 && Number.isFinite(limit) ? limit : undefined;
}

/** Rules that hold where no other of their measure does. */
const DEFAULT_RULES: readonly Rule[] = (Object.keys(MEASURES) as MeasureName[]).flatMap((name) => {
  const { byDefault } = measureOf(name);
  return byDefault === undefined ? [] : ruleOf(parseRule(byDefault));
});

/** Accepts what {@link readRules} reads. */
export const listOfRules: Check = {
  expected: "a list of rules such as 'queue_length > 1000 warning'",
  accepts: Array.isArray,
};
