import { OptionsError } from '../../../errors.js';
import { SAID_STATES } from '../../../failures/groups/group.js';
import type { OperationKind } from '../../../failures/operations/operation.js';
import type { Site } from '../../site/site.js';
import { groupPath, ofSegment, operationPath } from '../addresses.js';
import { fieldOf, fieldsOf, rateOf } from '../form-fields.js';
import { begin, beginEach } from '../operations/begin.js';
import type { Action } from '../page.js';

/** An operation on all letters of a group. */
const onGroup = (kind: OperationKind): Action => ({
  path: `/failures/:group/${kind}`,
  async run({ site, params, form, by }) {
    const selection = { group: ofSegment(params.group) };
    const rate = kind === 'forget' ? undefined : rateOf(form);
    const { id, say } = await begin(site, { kind, selection, ...(rate === undefined ? {} : { rate }) }, by);
    return { to: operationPath(id), say };
  },
});

export const canaryGroup = onGroup('canary');
export const retryGroup = onGroup('retry');
export const forgetGroup = onGroup('forget');

/** An operation on single letters of a group. */
export const actOnSelected: Action = {
  path: '/failures/:group/selected',
  async run({ site, form, by }) {
    const kind = fieldOf(form, 'do') === 'forget' ? 'forget' : 'retry';
    const chosen = fieldsOf(form, 'letter').map(letterOf);
    if (chosen.length === 0)
      throw new OptionsError('selection', ['expected at least one dead letter to be ticked, got none']);
    const begun = await beginEach(site, kind, chosen, by);
    const [only] = begun.operations;
    const to = begun.operations.length === 1 && only ? operationPath(only.id) : '/operations';
    return { to, say: begun.say };
  },
};

export const markGroup: Action = {
  path: '/failures/:group/mark',
  async run({ site, params, form, by }) {
    const id = ofSegment(params.group);
    const said = fieldOf(form, 'state');
    const state = said === fieldOf(form, 'state-was') ? undefined : SAID_STATES.find((each) => each === said);
    const note = await newNote(site, id, form);
    if (state === undefined && note === undefined) return { to: groupPath(id), say: 'Nothing was changed.' };
    await site.index.mark(id, { ...(state && { state }), ...(note === undefined ? {} : { note }) }, by);
    return { to: groupPath(id), say: state ? `Noted: ${state}.` : 'Noted.' };
  },
};

/**
 * The note if the form has another than it was drawn with, so that who sets a state leaves the note to others.
 *
 * @throws OptionsError if somebody else has changed it meanwhile
 */
async function newNote(site: Site, id: string, form: FormData): Promise<string | undefined> {
  // As browsers send the ends of lines.
  const [note, was] = [fieldOf(form, 'note'), fieldOf(form, 'note-was')].map(noteText);
  if (note === was) return undefined;
  const found = await site.index.group(id);
  const now = noteText(found?.note ?? '');
  if (now === note) return undefined;
  if (found && now !== was)
    throw new OptionsError('mark', [
      `expected the note to be the one that the form was drawn with, and ${found.by ?? 'somebody'} has changed it since: ${now === '' ? 'there is none any more' : `'${now}'`}. Yours was: '${note}'`,
    ]);
  return note;
}

const noteText = (text: string): string => text.replaceAll('\r\n', '\n').trim();

/** A letter from the value of its box: the path of its page. */
function letterOf(value: string): { deadQueue: string; id: string } {
  const [, , deadQueue, id] = value.split('/');
  try {
    return { deadQueue: partOf(deadQueue), id: partOf(id) };
  } catch {
    throw new OptionsError('selection', [`expected dead letters, got "${value.slice(0, 80)}"`]);
  }
}

const partOf = (part = ''): string => ofSegment(decodeURIComponent(part));

/** All actions of a group. */
export const GROUP_ACTIONS: readonly Action[] = [
  canaryGroup,
  retryGroup,
  forgetGroup,
  actOnSelected,
  markGroup,
];
