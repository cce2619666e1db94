import type { OnModuleInit } from '@nestjs/common';
import type { ModulesContainer } from '@nestjs/core';
import { OptionsError } from '../errors.js';
import { busesIn } from './options.js';

/** What `forFeature` leaves in its module, by which the handlers of the module are known to belong to a bus. */
export class HoplineFeature implements OnModuleInit {
  /** @param classes names of the handler classes */
  constructor(
    readonly bus: string,
    private readonly classes: readonly string[],
    private readonly modules: ModulesContainer,
  ) {}

  /** @throws OptionsError if no bus has the name: nobody else would notice that the classes handle nothing */
  onModuleInit(): void {
    const names = busesIn(this.modules).map(({ name }) => name);
    if (names.includes(this.bus)) return;
    const classes = this.classes.length > 0 ? ` for ${this.classes.join(', ')}` : '';
    const there = names.length > 0 ? names.join(', ') : 'no module imports HoplineModule.forRoot()';
    throw new OptionsError('HoplineModule', [
      `forFeature names bus ${this.bus}${classes}, and there is none of that name: ${there}`,
    ]);
  }
}
