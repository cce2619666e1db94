import { Inject, type InjectionToken } from '@nestjs/common';
import { Bus } from '../bus.js';

/** Name of the bus that has none. */
export const DEFAULT_BUS = 'default';

/**
 * Token of a bus in Nest's container: the class `Bus` itself for the bus without a name.
 *
 * @param name as in `HoplineModule.forRoot({ name })`
 */
export function getBusToken(name: string = DEFAULT_BUS): InjectionToken<Bus> {
  return name === DEFAULT_BUS ? Bus : `hopline:bus:${name}`;
}

/** Injects a bus by its name. That without a name is injected by its type, `Bus`, or `Publisher` for who only publishes. */
export const InjectBus = (name?: string): ParameterDecorator & PropertyDecorator => Inject(getBusToken(name));

/** Token of the function that makes a bus of its options: tests put another in its place. */
export const busMakerToken = (name: string): string => `hopline:bus-maker:${name}`;

/** Token of the options of a bus. */
export const busOptionsToken = (name: string): string => `hopline:bus-options:${name}`;

/** Token of what starts and stops a bus with the application. */
export const runnerToken = (name: string): string => `hopline:runner:${name}`;
