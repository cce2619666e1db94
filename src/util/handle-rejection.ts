/**
 * Handles the rejection of a promise that is not awaited, which would otherwise end the process. Ignores values
 * that are no promises.
 *
 * @param onRejected must not throw
 */
export function handleRejection(value: unknown, onRejected: (error: unknown) => void = () => {}): void {
  if ((typeof value !== 'object' && typeof value !== 'function') || value === null) return;
  try {
    const { then } = value as { then?: unknown };
    if (typeof then === 'function') then.call(value, undefined, onRejected);
  } catch (error) {
    onRejected(error);
  }
}
