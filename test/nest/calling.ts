import assert from 'node:assert/strict';
import { type ArgumentsHost, type CanActivate, type ExecutionContext, Injectable } from '@nestjs/common';
import { Reflector } from '@nestjs/core';
import type { BusEvents } from '../../src/index.js';
import { isHoplineContext } from '../../src/nest/index.js';
import { eventually } from '../support/eventually.js';
import { withBus } from './application.js';

@Injectable()
export class Trail {
  readonly steps: string[] = [];
}

/** Says who was called, and with what kind of context. */
export const say = ({ steps }: Trail, who: string, host: ArgumentsHost) =>
  void steps.push(`${who} ${host.getType<string>()} ${isHoplineContext(host)}`);

@Injectable()
export class Guard implements CanActivate {
  constructor(
    private readonly trail: Trail,
    private readonly reflector: Reflector,
  ) {}

  canActivate(context: ExecutionContext): boolean {
    const role = this.reflector.getAllAndOverride<string>('role', [context.getHandler(), context.getClass()]);
    say(this.trail, `guard ${context.getClass().name}.${context.getHandler().name} ${role}`, context);
    return context.switchToRpc().getData().total < 1_000;
  }
}

type Failed = BusEvents['message.retried'] | BusEvents['message.deadLettered'];

/** An application with these providers, and the errors with which attempts failed. */
export async function calling(...providers: NonNullable<Parameters<typeof withBus>[0]['providers']>) {
  const { app, bus } = await withBus({ providers: [Trail, ...providers] });
  const errors: unknown[] = [];
  let handled = 0;
  const failed = ({ error }: Failed) => void errors.push(error);
  bus.on('message.retried', failed);
  bus.on('message.deadLettered', failed);
  bus.on('handler.succeeded', () => {
    handled++;
  });
  const { steps } = app.get(Trail);
  return { bus, steps, errors, handled: (times: number) => eventually(() => assert.equal(handled, times)) };
}
