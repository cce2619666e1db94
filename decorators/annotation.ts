import type { HandlerOptions } from '../src/consume/handlers/definition.js';
import { OptionsError } from '../src/errors.js';
import {
  type Annotations,
  annotationsAt,
  type ClassAnnotations,
  methodAnnotations,
  type WholeOptions,
} from './metadata.js';
import { placeOf, refuseUncalled } from './place.js';

/** A class decorator, under TypeScript's legacy decorators and under standard ones. */
export type ClassAnnotation = (
  target: abstract new (...dependencies: never[]) => object,
  context?: ClassDecoratorContext,
) => void;

/** A decorator of a method, or of a class as the default of its methods. */
export interface Annotation extends ClassAnnotation {
  /** The call for a method, under standard decorators. */
  (
    method: (...args: never[]) => unknown,
    context: ClassMethodDecoratorContext & { private: false; static: false },
  ): void;
  /** The call for a method, under TypeScript's legacy decorators. */
  <Method extends (...args: never[]) => unknown>(
    target: object,
    method: string | symbol,
    descriptor: TypedPropertyDescriptor<Method>,
  ): void;
}

/**
 * Makes a decorator of classes and methods.
 *
 * @param name the decorator's name, for errors
 * @param say writes the decorator's arguments into the annotations of the class or method that it stands on
 */
export function annotation<Given extends readonly unknown[]>(
  name: string,
  say: (said: Annotations, ...given: Given) => void,
): (...given: Given) => Annotation {
  return (...given) => {
    refuseUncalled(name, given);
    return (...args: readonly unknown[]) => {
      const { holder, method } = placeOf(name, args);
      const said = annotationsAt(holder);
      say(method === undefined ? said : methodAnnotations(said, method), ...given);
    };
  };
}

/**
 * Decorator of a handler option. The option is required where it has required fields. On a class it is the default of its methods.
 *
 * @typeParam Name the option's name
 */
export type OptionDecorator<Name extends keyof HandlerOptions> =
  // biome-ignore lint/complexity/noBannedTypes: an object without fields, which the option may be
  {} extends NonNullable<HandlerOptions[Name]>
    ? <Payload>(option?: NonNullable<HandlerOptions<Payload>[Name]>) => Annotation
    : <Payload>(option: NonNullable<HandlerOptions<Payload>[Name]>) => Annotation;

/**
 * Makes the decorator that records a handler option as a whole. `@RateLimit` records `rateLimit`.
 *
 * @param name the option's name
 */
export function optionDecorator<Name extends keyof WholeOptions>(name: Name): OptionDecorator<Name> {
  const say = (said: Annotations, option: object = {}) => void Object.assign(said, { [name]: option });
  return annotation(decoratorName(name), say) as OptionDecorator<Name>;
}

/** Name of the decorator of an option: `CircuitBreaker`. */
export const decoratorName = (option: string): string =>
  `${option.charAt(0).toUpperCase()}${option.slice(1)}`;

/** Makes a decorator of classes only; parameters as of {@link annotation}. */
export function classAnnotation<Given extends readonly unknown[]>(
  name: string,
  say: (said: ClassAnnotations, ...given: Given) => void,
): (...given: Given) => ClassAnnotation {
  return (...given) => {
    refuseUncalled(name, given);
    return (...args: readonly unknown[]) => {
      const { holder, method } = placeOf(name, args);
      if (method !== undefined)
        throw new OptionsError('decorators', [`@${name} on method ${String(method)}: it stands on a class`]);
      say(annotationsAt(holder), ...given);
    };
  };
}
