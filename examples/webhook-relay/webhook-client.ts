import { type MessageContext, UnrecoverableError } from 'hopline';
import { sign } from './signature.js';

/** POSTs events to subscribers, signed as GitHub signs them. */
export class WebhookClient {
  constructor(
    private readonly url: string,
    private readonly secret: string,
  ) {}

  /** @throws UnrecoverableError if the subscriber's answer won't be another next time, Error if it may be */
  async post(
    subscriber: string,
    payload: unknown,
    { messageId, routingKey, signal }: MessageContext,
  ): Promise<void> {
    const body = JSON.stringify(payload);
    const headers = {
      'Content-Type': 'application/json',
      'X-GitHub-Event': routingKey.split('.')[1] ?? '',
      'X-GitHub-Delivery': messageId ?? '',
      'X-Hub-Signature-256': sign(this.secret, body),
    };
    const response = await fetch(`${this.url}/${subscriber}`, { method: 'POST', headers, body, signal });
    await response.body?.cancel();
    if (response.ok) return;
    const answer = `${subscriber} answered ${response.status}`;
    const isFinal = response.status < 500 && response.status !== 408 && response.status !== 429;
    throw isFinal ? new UnrecoverableError(answer) : new Error(answer);
  }
}
