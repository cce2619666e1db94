import { defineMessage } from 'hopline';
import { z } from 'zod';

// The payloads that the notifier reads, and of them what it reads. A message that doesn't fit is dead-lettered as
// `invalid` before a handler sees it.

const repository = z.object({ full_name: z.string() });
const titled = z.object({ number: z.number(), title: z.string() });

const issueChanged = z.object({ action: z.string(), issue: titled, repository });
export type IssueChangedPayload = z.infer<typeof issueChanged>;
export const IssueChanged = defineMessage('github.issues.*', issueChanged);

const issueOpened = z.object({ issue: titled, sender: z.object({ login: z.string() }), repository });
export type IssueOpenedPayload = z.infer<typeof issueOpened>;
export const IssueOpened = defineMessage('github.issues.opened', issueOpened);

const pullRequestOpened = z.object({ pull_request: titled, repository });
export type PullRequestOpenedPayload = z.infer<typeof pullRequestOpened>;
export const PullRequestOpened = defineMessage('github.pull_request.opened', pullRequestOpened);
