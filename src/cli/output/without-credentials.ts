/**
 * Removes passwords from addresses in a text. Hopline prints no address with its password; an application's
 * own error may.
 */
export function withoutCredentials(text: string): string {
  return text.replaceAll(/:\/\/[^\s/@]*@/g, '://***@');
}
