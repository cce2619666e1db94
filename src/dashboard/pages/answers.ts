import type { ControlAnswer } from '../../control/answer.js';

/* What processes have answered to an operator, as sentences. */

const MOST_PROBLEMS = 3;

/** Who has obeyed, and who has not. */
export const obeyedBy = (answers: readonly ControlAnswer[]): string => {
  const obeyed = answers.filter(({ problem }) => problem === undefined).length;
  return [`${processesText(obeyed)} obeyed.`, ...problemsOf(answers)].join(' ');
};

export const problemsOf = (answers: readonly ControlAnswer[]): string[] =>
  answers
    .filter(({ problem }) => problem !== undefined)
    .slice(0, MOST_PROBLEMS)
    .map(({ service, host, pid, problem }) => `${service} on ${host}, process ${pid}: ${problem}.`);

export const processesText = (count: number): string => (count === 1 ? '1 process' : `${count} processes`);
