import { OptionsError } from '../src/errors.js';
import { type Annotations, annotationsAt, type ClassAnnotations, methodAnnotations } from './metadata.js';
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
