import type { Alert } from '../alert.js';

/** Characters that Slack's text gives a meaning (https://docs.slack.dev/messaging/formatting-message-text). */
const ESCAPES: Readonly<Record<string, string>> = { '&': '&amp;', '<': '&lt;', '>': '&gt;' };

const escaped = (text: string): string => text.replaceAll(/[&<>]/g, (character) => ESCAPES[character] ?? '');

const SIGNS = { critical: ':red_circle:', warning: ':large_yellow_circle:', resolved: ':white_check_mark:' };

/** Body of Slack's incoming webhooks: a line for each alert, and the advice below it. */
export function slackBody(source: string, alerts: readonly Alert[]): { text: string } {
  const lines = alerts.map(({ state, severity, message, help }) => {
    const sign = SIGNS[state === 'resolved' ? state : severity];
    const what = state === 'reminder' ? `still ${severity}` : state === 'resolved' ? state : severity;
    const advice = state === 'resolved' ? '' : `\n> ${escaped(help)}`;
    return `${sign} *${what}* ${escaped(message)}${advice}`;
  });
  return { text: [`*${escaped(source)}*`, ...lines].join('\n') };
}
