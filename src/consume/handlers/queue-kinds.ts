import type { QueueKind } from '../../topology/bus-topology.js';
import { requestQueueOf } from '../../topology/names.js';
import type { HandlerDefinition } from './definition.js';

/* The queue that a handler's messages come through: what it is for, and its name. */

export function kindOf({ answers, options }: HandlerDefinition): QueueKind {
  if (options.each === 'process') return 'process';
  return answers ? 'requests' : 'work';
}

export function queueNameOf(definition: HandlerDefinition, service: string): string {
  const { name, queue } = definition;
  const own = queue.name ?? (queue.ownName ? `${service}.${queue.ownName}` : service);
  switch (kindOf(definition)) {
    case 'work':
      return own;
    case 'requests':
      return requestQueueOf(own);
    case 'process':
      return `${service}.${name}`;
  }
}
