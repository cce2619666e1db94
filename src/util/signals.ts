/** A wait for signals of the process, which can be ended. */
export interface SignalWait {
  /** Resolves with the first signal; after that signals have their default effect again. */
  readonly received: Promise<NodeJS.Signals>;
  /** Stops listening. */
  end(): void;
}

/** Listens from this call on. */
export function awaitSignal(...signals: readonly NodeJS.Signals[]): SignalWait {
  let receive!: (signal: NodeJS.Signals) => void;
  const received = new Promise<NodeJS.Signals>((resolve) => {
    receive = resolve;
  });
  const onSignal = (signal: NodeJS.Signals) => {
    end();
    receive(signal);
  };
  const end = () => {
    for (const each of signals) process.removeListener(each, onSignal);
  };
  for (const each of signals) process.on(each, onSignal);
  return { received, end };
}
