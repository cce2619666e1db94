import type { DeadLetter } from '../../../failures/letters/dead-letter.js';
import { REASONS } from '../failures/reasons.js';
import type { StoryStep } from './model.js';

/*
 * What has happened to a message, from its headers alone: what they don't tell is not here.
 */

type Details = readonly (readonly [name: string, value: string | number | undefined])[];

const step = (kind: StoryStep['kind'], what: string, at: Date | undefined, details: Details): StoryStep => ({
  kind,
  what,
  at: at?.getTime(),
  of: details.flatMap(([name, value]) =>
    value === undefined || value === '' ? [] : [[name, String(value)] as const],
  ),
});

/** The steps of a dead letter's life, in their order. @param replay id of the replay that it came back from */
export function storyOf(letter: DeadLetter, replay: string | undefined): StoryStep[] {
  return [
    published(letter),
    ...edited(letter),
    ...(replay === undefined ? [] : [step('changed', 'Replayed', undefined, [['replay', replay]])]),
    ...tried(letter),
    failed(letter),
  ];
}

function published({ publishedAt, exchange, routingKey, properties, droppedHeaders }: DeadLetter): StoryStep {
  return step('published', 'Published', publishedAt, [
    ['by', properties.appId],
    ['exchange', exchange === '' ? 'the default exchange' : exchange],
    ['routing key', routingKey],
    ['expiration', properties.expiration === undefined ? undefined : `${properties.expiration} ms`],
    ['left out on the way', droppedHeaders],
  ]);
}

function edited({ edited: mark }: DeadLetter): StoryStep[] {
  return mark ? [step('changed', 'Edited and replayed', mark.at, [['by', mark.by]])] : [];
}

function tried({ attempts, exceptions, releases, firstAttemptAt }: DeadLetter): StoryStep[] {
  const isCounted = [attempts, exceptions, releases].some((count) => count !== undefined);
  if (firstAttemptAt === undefined && !isCounted) return [];
  return [
    step('tried', firstAttemptAt === undefined ? 'Tried' : 'Tried for the first time', firstAttemptAt, [
      ['attempts', attempts],
      ['throws', exceptions],
      ['releases', releases],
    ]),
  ];
}

function failed({ failedAt, by, reason, queue, handler, version, deadQueue }: DeadLetter): StoryStep {
  return step('failed', by === 'broker' ? 'Dead-lettered by the broker' : 'Given up', failedAt, [
    ['reason', `${reason}: ${REASONS[reason]}`],
    ['queue', queue],
    ['handler', handler],
    ['version', version],
    ['now in', deadQueue],
  ]);
}
