import type { ModulesContainer } from '@nestjs/core';
import { OptionsError } from '../../errors.js';
import { HoplineFeature } from '../feature.js';
import { busesIn, type HoplineSettings } from '../options.js';
import { DEFAULT_BUS } from '../tokens.js';
import type { Found } from './found.js';

/**
 * Selects the handlers that run on a bus: those of `forFeature(…, { bus })` and of the modules in its `include`; on the bus without a
 * name, all that no other bus has.
 *
 * @throws OptionsError if a handler belongs to no bus or to two; if two modules provide its class; if two buses have one name, or one
 * includes a module that the application doesn't have
 */
export function handlersOfBus(name: string, found: readonly Found[], modules: ModulesContainer): Found[] {
  const buses = busesIn(modules);
  const busesOf = ({ host }: Found): string[] => {
    const feature: unknown = host.providers.get(HoplineFeature)?.instance;
    if (feature instanceof HoplineFeature) return [feature.bus];
    const including = buses.filter(({ include }) => include.some((module) => module === host.metatype));
    return including.length > 0 ? including.map((bus) => bus.name) : [DEFAULT_BUS];
  };
  const names = buses.map((bus) => bus.name);
  const problems = [
    ...namedTwice(names),
    ...missingModules(buses, modules),
    ...found.flatMap((handler) => problemsOf(handler, busesOf(handler), names)),
    ...providedTwice(found),
  ];
  if (problems.length > 0) throw new OptionsError('HoplineModule', problems);
  return found.filter((handler) => busesOf(handler).includes(name));
}

function problemsOf({ target, host }: Found, of: readonly string[], names: readonly string[]): string[] {
  const [first = DEFAULT_BUS] = of;
  if (of.length > 1)
    return [
      `${target.name} of ${host.name} runs on two buses: ${of.join(' and ')} both include ${host.name}`,
    ];
  // One of another name is there: the feature has looked for it.
  if (first !== DEFAULT_BUS || names.includes(first)) return [];
  return [
    `${target.name} of ${host.name} runs on no bus: name ${host.name} in the include of one (${names.join(', ')}), or register the class by forFeature([${target.name}], { bus })`,
  ];
}

/** Each would run all handlers of the name. */
function namedTwice(names: readonly string[]): string[] {
  const twice = new Set(names.filter((name, index) => names.indexOf(name) !== index));
  return [...twice].map((name) =>
    name === DEFAULT_BUS
      ? 'two buses have no name: import HoplineModule.forRoot() once, or give one of them a name'
      : `two buses are named ${name}: import the module once, or give each a name of its own`,
  );
}

/** Its handlers would run on the bus without a name, or nowhere. */
function missingModules(buses: readonly HoplineSettings[], modules: ModulesContainer): string[] {
  const known = new Set<unknown>([...modules.values()].map(({ metatype }) => metatype));
  return buses.flatMap(({ name, include }) =>
    include
      .filter((module) => !known.has(module))
      .map((module) => `bus ${name} includes ${module.name}, and no module of the application imports it`),
  );
}

/** Each would be an instance of its own, and the queue's messages go to one of them. */
function providedTwice(found: readonly Found[]): string[] {
  const hosts = new Map<Found['target'], string[]>();
  for (const { target, host } of found) hosts.set(target, [...(hosts.get(target) ?? []), host.name]);
  return [...hosts]
    .filter(([, names]) => names.length > 1)
    .map(
      ([target, names]) =>
        `${target.name} is provided ${names.length} times, by ${names.join(' and ')}: provide it in one module, and export it there for others`,
    );
}
