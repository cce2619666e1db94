import { OptionsError } from '../src/errors.js';
import { type Annotations, annotationsAt, type ClassAnnotations, methodAnnotations } from './metadata.js';
import { placeOf, refuseUncalled } from './place.js';

/** Stands on a class, under TypeScript's legacy decorators and under standard ones. */
export type ClassAnnotation = (
  target: abstract new (...dependencies: never[]) => object,
  context?: ClassDecoratorContext,
) => void;

/** Stands on a class, as the default of its methods, or on a method. */
export interface Annotation extends ClassAnnotation {
  /** A method, under standard decorators. */
  (
    method: (...args: never[]) => unknown,
    context: ClassMethodDecoratorContext & { private: false; static: false },
  ): void;
  /** A method, under TypeScript's legacy decorators. */
  <Method extends (...args: never[]) => unknown>(
    target: object,
    method: string | symbol,
    descriptor: TypedPropertyDescriptor<Method>,
  ): void;
}

/**
 * Makes a decorator of classes and methods.
 *
 * @param name its name, for errors
 * @param say puts what it is given into what is said about the class or method that it stands on
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

/** The same for a decorator of classes only. */
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
