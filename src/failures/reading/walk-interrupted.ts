import { ConnectError } from '../../errors.js';

/** The channels were lost while letters were held: they are back in their queue, and the walk may begin again. */
export class WalkInterrupted extends ConnectError {
  constructor(queue: string, cause: Error) {
    super(
      `the connection was lost while the dead letters in '${queue}' were held; they are back in their queue`,
      'Run it again when the broker is back: replayed letters have left the queue, or are replayed a second time.',
      { cause },
    );
  }
}
