type Listener = () => void;

interface Listening {
  readonly listeners: Set<Listener>;
  readonly onAbort: Listener;
}

/** One listener for each signal, however many wait for it: Node.js takes more than ten for a leak, and warns. */
const listening = new WeakMap<AbortSignal, Listening>();

/** Calls the listener when the signal fires, until it is taken back with {@link unlisten}. */
export function listen(signal: AbortSignal, listener: Listener): void {
  const known = listening.get(signal);
  if (known) {
    known.listeners.add(listener);
    return;
  }
  const listeners = new Set([listener]);
  const onAbort = () => {
    for (const each of listeners) each();
  };
  signal.addEventListener('abort', onAbort);
  listening.set(signal, { listeners, onAbort });
}

export function unlisten(signal: AbortSignal, listener: Listener): void {
  const known = listening.get(signal);
  if (!known?.listeners.delete(listener) || known.listeners.size > 0) return;
  listening.delete(signal);
  signal.removeEventListener('abort', known.onAbort);
}
