import * as hopline from 'hopline';
import { mailerOf } from './mailer-of.js';

/** An application as a command loads it. */
export default () => mailerOf(hopline);
