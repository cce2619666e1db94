/** In a file of its own: what is imported as a type alone must not be looked for when the program runs. */
export interface Order {
  readonly id: string;
}
