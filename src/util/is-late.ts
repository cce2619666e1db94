/** True if the promise has not settled after this time; false as soon as it has. Real time, whatever clock a test moves. */
export function isLate(promise: Promise<unknown>, afterMs: number): Promise<boolean> {
  return new Promise((resolve) => {
    const timer = setTimeout(() => resolve(true), afterMs);
    const end = () => {
      clearTimeout(timer);
      resolve(false);
    };
    promise.then(end, end);
  });
}
