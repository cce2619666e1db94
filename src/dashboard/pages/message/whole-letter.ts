import type { DeadLetter } from '../../../failures/letters/dead-letter.js';
import { reasonText } from '../../../util/text/error-text.js';
import { drawBody } from '../../letters/draw-body.js';
import { blockOfOthers, lineOfOthers } from '../../letters/lines-of-others.js';
import type { Site } from '../../site/site.js';
import { headerFields, propertyFields } from './fields.js';
import type { BodyModel, ChainModel, WholeLetter } from './model.js';
import { storyOf } from './story.js';

/** Characters of an error and its stack that are shown. */
const MOST_ERROR = 32 * 1024;
const LONGEST_DETAIL = 1_000;

/** A letter is drawn once, for all who look at it, and each second again for each of them. */
const drawn = new WeakMap<DeadLetter, Promise<WholeLetter>>();

/** Draws a letter that was read. Bounded in time and size, whatever is in it. */
export function wholeLetter(
  letter: DeadLetter,
  site: Site,
  replay: string | undefined,
): Promise<WholeLetter> {
  const known = drawn.get(letter);
  if (known !== undefined) return known;
  const whole = draw(letter, site, replay);
  drawn.set(letter, whole);
  whole.catch(() => drawn.delete(letter));
  return whole;
}

async function draw(letter: DeadLetter, site: Site, replay: string | undefined): Promise<WholeLetter> {
  const { redaction } = site.letters;
  const { error, stack, batch } = letter;
  const shown = (text: string | undefined) =>
    text === undefined ? undefined : blockOfOthers(text, redaction, MOST_ERROR);
  return {
    story: storyOf(letter, replay).map((step) => ({
      ...step,
      of: step.of.map(([name, value]) => [name, lineOfOthers(value, redaction, LONGEST_DETAIL)] as const),
    })),
    error: shown(error),
    stack: shown(stack),
    isErrorCut: (stack ?? error ?? '').length > MOST_ERROR,
    properties: propertyFields(letter, redaction),
    headers: headerFields(letter, redaction),
    body: await bodyOf(letter, site),
    chain: chainOf(letter),
    batch,
  };
}

async function bodyOf(letter: DeadLetter, site: Site): Promise<BodyModel> {
  const { encryptedWith, body } = letter;
  const { redaction } = site.letters;
  if (encryptedWith === undefined) return { ...drawBody(body, redaction), wasEncrypted: false };
  const failures = await site.failures();
  try {
    return { ...drawBody(await failures.decrypted(letter), redaction), wasEncrypted: true };
  } catch (error) {
    return { form: 'closed', problem: `Encrypted with the key '${encryptedWith}'. ${reasonText(error)}` };
  }
}

function chainOf({ chain }: DeadLetter): ChainModel | undefined {
  if (!chain) return undefined;
  const { id, number, of, rest, finished, failed } = chain;
  const place = failed === undefined ? `step ${number} of ${of}` : `the step for the failure of '${failed}'`;
  return { id, place, rest, finished };
}
