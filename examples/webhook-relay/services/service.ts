import { Bus, type Transport } from 'hopline';
import { type Class, handlers } from 'hopline/decorators';
import { container, type DependencyContainer } from 'tsyringe';
import { type Outcome, tellOutcomes } from '../outcomes.js';

/** Begins the names of the exchanges, so that the example keeps out of the way of anything else in the vhost. */
export const PREFIX = 'relay';

/** What the services need to know of their surroundings. Plain data: it may be sent to another process. */
export interface Settings {
  /** Directory for what the services write. */
  readonly directory: string;
  readonly subscribersUrl: string;
  readonly secret: string;
  /** Milliseconds that connecting and declaring may take. */
  readonly startDeadline: number;
}

/** A service: its name, its handler classes, and what they depend on. */
export interface Service {
  readonly name: string;
  readonly classes: readonly Class[];
  provide(container: DependencyContainer, settings: Settings): void;
}

/** A bus for the service, with a container of its own; `tell` hears what becomes of its messages. */
export function busOf(
  { name, classes, provide }: Service,
  settings: Settings,
  transport: Transport,
  tell: (outcome: Outcome) => void,
): Bus {
  const own = container.createChildContainer();
  provide(own, settings);
  const bus = new Bus({
    service: name,
    prefix: PREFIX,
    transport,
    startDeadline: settings.startDeadline,
    stopDeadline: '10s',
    handlers: handlers(classes, { container: own }),
  });
  tellOutcomes(bus, tell);
  return bus;
}
