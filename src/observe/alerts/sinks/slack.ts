import type { Alert } from '../alert.js';

/** Characters that Slack's text gives a meaning (https://docs.slack.dev/messaging/formatting-message-text). */
const ESCAPES: Readonly<Record<string, string>> = { '&': '&amp;', '<': '&lt;', '>': '&gt;' };

const escaped = (text: string): string => text.replaceAll(/[&<>]/g, (character) => ESCAPES[character] ?? '');

const SIGNS = { critical: ':red_circle:', warning: ':large_yellow_circle:', resolved: ':white_check_mark:' };

/** Slack cuts what is longer (https://api.slack.com/changelog/2018-04-truncating-really-long-messages). */
const MAX_CHARACTERS = 40_000;
/** Some are left for how many there are beyond it. */
const MAX_OF_LINES = MAX_CHARACTERS - 100;

/** Body of Slack's incoming webhooks: a line for each alert, and the advice below it. */
export function slackBody(source: string, alerts: readonly Alert[]): { text: string } {
  const lines = [`*${escaped(source)}*`, ...alerts.map(lineOf)];
  let length = 0;
  const fitting = lines.findIndex((line) => {
    length += line.length + 1;
    return length > MAX_OF_LINES;
  });
  const shown = fitting === -1 ? lines : [...lines.slice(0, fitting), `… and ${lines.length - fitting} more`];
  return { text: shown.join('\n') };
}

function lineOf({ state, severity, message, help }: Alert): string {
  const sign = SIGNS[state === 'resolved' ? state : severity];
  const what = state === 'reminder' ? `still ${severity}` : state === 'resolved' ? state : severity;
  const advice = state === 'resolved' ? '' : `\n> ${escaped(help)}`;
  return `${sign} *${what}* ${escaped(message)}${advice}`;
}
