export { type CloudEvent, type CloudEventPrefix, cloudEventOf } from './event.js';
export { type CloudEventsOptions, cloudEvents, type OwnAttributes } from './middleware.js';
