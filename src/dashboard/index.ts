export { type Dashboard, type DashboardListenOptions, dashboard } from './dashboard.js';
export type {
  DashboardApplication,
  DashboardLinks,
  DashboardManagement,
  DashboardOptions,
  DashboardStores,
} from './options.js';
export type {
  AuthorizeResult,
  CallbackAuth,
  DashboardAuth,
  DashboardUser,
  ProxyAuth,
  UsersAuth,
} from './server/auth/options.js';
