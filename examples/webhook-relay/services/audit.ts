import { appendFile } from 'node:fs/promises';
import { join } from 'node:path';
import type { MessageContext } from 'hopline';
import { Handles, Queue } from 'hopline/decorators';
import type { Service } from './service.js';

/** A file with one JSON document a line. */
class AuditFile {
  constructor(private readonly path: string) {}

  async append(record: object): Promise<void> {
    await appendFile(this.path, `${JSON.stringify(record)}\n`);
  }
}

/** A queue's name is given, not made from the class's: it survives a rename. */
@Queue({ name: 'relay.audit' })
@Handles('github.#')
class Audit {
  constructor(private readonly file: AuditFile) {}

  async handle(payload: unknown, { messageId, routingKey, publishedAt }: MessageContext): Promise<void> {
    // Returning is what acks the message, and by then the line is written. If the ack is lost, it is written twice:
    // who reads the file goes by the id.
    await this.file.append({ id: messageId, key: routingKey, publishedAt, payload });
  }
}

/** Writes down every event. */
export const audit: Service = {
  name: 'relay.audit',
  classes: [Audit],
  provide: (container, { directory }) => {
    container.registerInstance(AuditFile, new AuditFile(join(directory, 'audit.ndjson')));
  },
};
