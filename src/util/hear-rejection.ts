/**
 * Hears of the rejection of a promise that nobody awaits, which would end the process. What is no promise is left alone.
 *
 * @param onRejected may not throw
 */
export function hearRejection(value: unknown, onRejected: (error: unknown) => void = () => {}): void {
  if ((typeof value !== 'object' && typeof value !== 'function') || value === null) return;
  try {
    const { then } = value as { then?: unknown };
    if (typeof then === 'function') then.call(value, undefined, onRejected);
  } catch (error) {
    onRejected(error);
  }
}
