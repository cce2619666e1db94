import type { MessageIds } from './message/model.js';

/** What a template's places are filled from. */
export interface Linked extends Pick<MessageIds, 'messageId' | 'correlationId' | 'traceId'> {
  readonly queue?: string | undefined;
  readonly handler?: string | undefined;
}

/** Address in another tool; undefined without a template, or if something that it needs is not known. */
export function linkOf(template: string | undefined, linked: Linked): string | undefined {
  if (template === undefined || !/^https?:\/\//i.test(template)) return undefined;
  let isWhole = true;
  const link = template.replace(/\{(traceId|messageId|correlationId|queue|handler)\}/g, (_, name) => {
    const value = linked[name as keyof Linked];
    if (value === undefined || value === '') isWhole = false;
    return encodeURIComponent(value ?? '');
  });
  return isWhole ? link : undefined;
}
