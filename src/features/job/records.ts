import type {
  AddAnswer,
  BeginAnswer,
  JobBegin,
  JobEnd,
  JobPause,
  JobProgressNote,
  JobStore,
  NewJob,
  StoredJob,
} from '../../stores/jobs.js';
import { Coalesced } from '../../util/coalesced.js';

/** Most records in one way to the store: what waits behind it waits for all of them. */
const TOGETHER = 200;

/** The records of a store, as the messages of one process ask for them: what is asked for within a moment goes together. */
export class JobRecords {
  private readonly adds: Coalesced<NewJob, AddAnswer>;
  private readonly begins: Coalesced<JobBegin, BeginAnswer>;
  private readonly pauses: Coalesced<JobPause, void>;
  private readonly notes: Coalesced<JobProgressNote, void>;
  private readonly ends: Coalesced<JobEnd, void>;
  private readonly looks: Coalesced<string, StoredJob | undefined>;

  constructor(readonly store: JobStore) {
    this.adds = new Coalesced((jobs) => store.add(jobs), TOGETHER);
    this.begins = new Coalesced((begins) => store.begin(begins), TOGETHER);
    this.pauses = new Coalesced(
      unanswered((pauses) => store.pause(pauses)),
      TOGETHER,
    );
    this.notes = new Coalesced(
      unanswered((notes) => store.progress(notes)),
      TOGETHER,
    );
    this.ends = new Coalesced(
      unanswered((ends) => store.end(ends)),
      TOGETHER,
    );
    this.looks = new Coalesced((ids) => store.find(ids), TOGETHER);
  }

  add(job: NewJob): Promise<AddAnswer> {
    return this.adds.add(job);
  }

  begin(begin: JobBegin): Promise<BeginAnswer> {
    return this.begins.add(begin);
  }

  pause(pause: JobPause): Promise<void> {
    return this.pauses.add(pause);
  }

  progress(note: JobProgressNote): Promise<void> {
    return this.notes.add(note);
  }

  end(end: JobEnd): Promise<void> {
    return this.ends.add(end);
  }

  find(id: string): Promise<StoredJob | undefined> {
    return this.looks.add(id);
  }
}

const unanswered =
  <Item>(tell: (items: readonly Item[]) => Promise<void>) =>
  async (items: readonly Item[]): Promise<readonly undefined[]> => {
    await tell(items);
    return [];
  };
