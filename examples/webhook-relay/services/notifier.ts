import { appendFile } from 'node:fs/promises';
import { join } from 'node:path';
import type { MessageContext } from 'hopline';
import { Handles, Queue } from 'hopline/decorators';
import {
  IssueChanged,
  type IssueChangedPayload,
  IssueOpened,
  type IssueOpenedPayload,
  PullRequestOpened,
  type PullRequestOpenedPayload,
} from './messages.js';
import type { Service } from './service.js';

/** Where people read it: a file here, a chat room elsewhere. */
class Channel {
  constructor(private readonly path: string) {}

  async say(line: string): Promise<void> {
    await appendFile(this.path, `${line}\n`);
  }
}

/**
 * Several handlers on one queue. The routing key picks the one with the narrowest pattern: an opened issue goes to
 * `onIssueOpened`, and not to `onIssue` as well.
 */
@Queue({ name: 'relay.notifier' })
class Notifier {
  constructor(private readonly channel: Channel) {}

  @Handles(IssueOpened)
  async onIssueOpened({ issue, sender, repository }: IssueOpenedPayload): Promise<void> {
    await this.channel.say(`${repository.full_name}#${issue.number} by ${sender.login}: ${issue.title}`);
  }

  @Handles(IssueChanged)
  async onIssue({ action, issue, repository }: IssueChangedPayload): Promise<void> {
    await this.channel.say(`${repository.full_name}#${issue.number} ${action}`);
  }

  @Handles(PullRequestOpened)
  async onPullRequest({ pull_request: pull, repository }: PullRequestOpenedPayload): Promise<void> {
    await this.channel.say(`${repository.full_name}#${pull.number} wants to be merged: ${pull.title}`);
  }

  @Handles(['github.release.published', 'github.security_advisory.#', 'github.dependabot_alert.#'])
  async onNews(_payload: unknown, { routingKey }: MessageContext): Promise<void> {
    await this.channel.say(`news: ${routingKey}`);
  }
}

/** Tells people about the few events they want to hear of. */
export const notifier: Service = {
  name: 'relay.notifier',
  classes: [Notifier],
  provide: (container, { directory }) => {
    container.registerInstance(Channel, new Channel(join(directory, 'notifications.txt')));
  },
};
