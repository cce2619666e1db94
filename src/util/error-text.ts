/** What an error says. Node's own for an address that refuses on IPv4 and IPv6 alike has a code, and no message. */
export function errorText(error: unknown): string {
  if (!(error instanceof Error)) return String(error);
  const { message, code } = error as Error & { code?: unknown };
  return message || (typeof code === 'string' ? code : 'no reason is known');
}
