export { Billing } from './billing.js';
export { Checkout } from './checkout.js';
export { Mailer } from './mailer.js';
export { QuietStop } from './quiet-stop.js';
export { Quotes } from './quotes.js';
