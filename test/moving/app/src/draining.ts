import { RABBIT_HANDLER, type RabbitHandlerConfig } from '@golevelup/nestjs-rabbitmq';
import type { Type } from '@nestjs/common';

/** The class as it is after the edit that the guide asks for: without `exchange`, it empties its queue, and binds it no more. */
export function draining<T>(handlerClass: Type<T>): Type<T> {
  for (const { value } of Object.values(Object.getOwnPropertyDescriptors(handlerClass.prototype))) {
    const config: RabbitHandlerConfig | undefined = Reflect.getMetadata(RABBIT_HANDLER, value);
    if (!config) continue;
    const { exchange: _gone, ...kept } = config;
    Reflect.defineMetadata(RABBIT_HANDLER, kept, value);
  }
  return handlerClass;
}
