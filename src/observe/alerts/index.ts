export type { Alert, AlertStatus, Silence } from './alert.js';
export { type AlertEvents, Alerts } from './alerts.js';
export { alerts } from './bus-alerts.js';
export type { AlertRulesOptions, AlertsOptions } from './options.js';
export type { MeasureName } from './rules/measure-name.js';
export type { AlertRule, AlertRuleOptions, Severity } from './rules/rule.js';
export type { PingOptions } from './sinks/ping.js';
export type { WebhookOptions } from './sinks/webhook.js';
