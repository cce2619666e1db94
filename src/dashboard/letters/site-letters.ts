import type { Failures } from '../../failures/failures.js';
import { Drafts } from './drafts.js';
import { LetterReader, type LetterReaderOptions, type ReadsLetters } from './letter-reader.js';
import { Redaction } from './redaction.js';
import { TrashReader, type TrashReaderOptions } from './trash-reader.js';

export interface SiteLettersOptions extends LetterReaderOptions, Pick<TrashReaderOptions, 'names'> {
  failures(): Promise<ReadsLetters & Pick<Failures, 'trash'>>;
  /** Names of fields and headers whose values are not shown. */
  readonly redact: readonly string[];
}

/** Single dead letters of an application, as its pages show and edit them. */
export class SiteLetters extends LetterReader {
  readonly redaction: Redaction;
  readonly drafts: Drafts;
  readonly trash: TrashReader;

  constructor(options: SiteLettersOptions) {
    super(options);
    this.redaction = new Redaction(options.redact);
    this.drafts = new Drafts(options.clock);
    this.trash = new TrashReader(options);
  }
}
