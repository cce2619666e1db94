import { Drafts } from './drafts.js';
import { LetterReader, type LetterReaderOptions } from './letter-reader.js';
import { Redaction } from './redaction.js';

export interface SiteLettersOptions extends LetterReaderOptions {
  /** Names of fields and headers whose values are not shown. */
  readonly redact: readonly string[];
}

/** Single dead letters of an application, as its pages show and edit them. */
export class SiteLetters extends LetterReader {
  readonly redaction: Redaction;
  readonly drafts: Drafts;

  constructor(options: SiteLettersOptions) {
    super(options);
    this.redaction = new Redaction(options.redact);
    this.drafts = new Drafts(options.clock);
  }
}
