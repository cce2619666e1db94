/*
 * What more than one tool says.
 */

/** Hopline's, at `start()`: a compiler that writes no metadata. */
export const NO_TYPES = {
  step: 'run',
  says: 'takes 1 constructor parameter, but nothing says what to give as',
} as const;

/** Decorators stay in what a tool writes, and Node.js does not know them. */
export const LEFT_AS_THEY_ARE = { step: 'run', says: 'SyntaxError: Invalid or unexpected token' } as const;
