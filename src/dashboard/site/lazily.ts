/** Something that is made when it is first needed. */
export interface Lazy<T> {
  /** Undefined before {@link get} was called. */
  readonly made: T | undefined;
  get(): T;
}

/** A promise that is rejected is not kept: the next call tries again. */
export function lazily<T>(make: () => T): Lazy<T> {
  let made: T | undefined;
  return {
    get made() {
      return made;
    },
    get: () => {
      if (made !== undefined) return made;
      const own = make();
      made = own;
      if (own instanceof Promise)
        own.catch(() => {
          if (made === own) made = undefined;
        });
      return own;
    },
  };
}
