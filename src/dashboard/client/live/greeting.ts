/** What the server says first to whoever follows a page. */
export interface Greeting {
  /** Address of the script that pages of its version have. */
  readonly script?: string | undefined;
  /** Word of its start. */
  readonly boot?: string | undefined;
}

/**
 * What has become of the server since the page was drawn. `updated`: its models need not be alike, so none is drawn any more. `restarted`:
 * models are as before, and it refuses the page's forms.
 */
export function changedSince(
  page: Greeting,
  { script, boot }: Greeting,
): 'updated' | 'restarted' | undefined {
  const differs = (own: string | undefined, its: string | undefined) =>
    own !== undefined && its !== undefined && own !== its;
  if (differs(page.script, script)) return 'updated';
  return differs(page.boot, boot) ? 'restarted' : undefined;
}
