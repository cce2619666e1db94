import { audit } from './audit.js';
import { delivery } from './delivery.js';
import { notifier } from './notifier.js';
import type { Service } from './service.js';

export const services: readonly Service[] = [audit, notifier, delivery];
