import { requestsTo, sendAnswer } from '../../control/answering.js';
import { decodeRequest, processIdentity } from '../../control/protocol.js';
import type { Alerts } from '../../observe/alerts/alerts.js';
import type { Monitored } from '../../oversight/application/monitored.js';
import type { Heard } from '../../transport/operator-session.js';
import type { Logger } from '../../util/logger.js';

/** Hears `hopline monitor silence` and `acknowledge`, obeys, and answers. */
export class MonitorDesk {
  private isOpen = false;

  constructor(
    private readonly monitored: Monitored,
    private readonly alerts: Alerts,
    private readonly log: Logger,
  ) {}

  /** Begins to listen; to be tried again if no worker has declared the exchange yet. @throws ConnectError, TopologyError */
  async open(): Promise<void> {
    if (this.isOpen) return;
    const session = await this.monitored.opened();
    await session.listen(requestsTo(this.monitored.names), {
      heard: (message) => void this.answer(message),
      back: () => {},
    });
    this.isOpen = true;
  }

  /** Never rejects: any program may publish here. */
  private async answer(message: Heard): Promise<void> {
    await this.heard(message).catch((error) =>
      this.log.warn({ error }, 'a request of an operator could not be answered'),
    );
  }

  private async heard(message: Heard): Promise<void> {
    const request = decodeRequest(message);
    if (!request || message.properties.replyTo === undefined) return;
    let acknowledged: string[] | undefined;
    if (request.ask === 'silence') this.alerts.silence(request.pattern, request.forMs);
    else if (request.ask === 'acknowledge') acknowledged = this.alerts.acknowledge(request.pattern);
    else return;
    this.log.info(request, 'an operator has asked for less to be told');
    const session = await this.monitored.opened();
    const answer = { ...processIdentity('hopline-monitor'), acknowledged };
    await sendAnswer(session, this.monitored.names, message, answer);
  }
}
