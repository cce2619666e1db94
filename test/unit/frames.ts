/** The functions of ours on the stack, the innermost first, up to the transport's. */
export function framesOfOurs(): string[] {
  const { stackTraceLimit } = Error;
  Error.stackTraceLimit = 100;
  const { stack = '' } = new Error();
  Error.stackTraceLimit = stackTraceLimit;
  const ours = stack.split('\n').filter((line) => line.includes('/src/'));
  const end = ours.findIndex((line) => line.includes('/src/transport/'));
  return end < 0 ? ours : ours.slice(0, end);
}
