import type { Logger } from '../../../util/logger.js';
import type { Admission, Arrival, Gate } from './gate.js';
import type { AuthorizeResult, CallbackAuth, DashboardUser } from './options.js';

/** Asks a function of the application that hosts the dashboard. */
export class CallbackGate implements Gate {
  readonly asks = true;
  constructor(
    private readonly auth: CallbackAuth,
    private readonly log: Logger,
  ) {}

  async admit({ request, context }: Arrival): Promise<Admission> {
    try {
      const user = await this.auth.authorize(request, context);
      if (isResponse(user)) return user;
      if (typeof user?.name === 'string' && user.name !== '')
        return { name: user.name, mayAct: this.mayAct(user) };
    } catch (error) {
      this.log.error({ error }, 'the function auth.authorize of the dashboard threw: the request is refused');
    }
    return { status: 403, why: 'You may not see this.' };
  }

  /** A text such as 'no' is no yes. */
  private mayAct({ name, mayAct = true }: DashboardUser): boolean {
    const said: unknown = mayAct;
    if (typeof said !== 'boolean')
      this.log.warn(
        { user: name },
        `auth.authorize of the dashboard said mayAct with a ${typeof said}, not a boolean: the user may look only`,
      );
    return said === true;
  }
}

/** Also one of another class: a server may have put its own in the place of the global one. */
const isResponse = (answer: AuthorizeResult): answer is Response =>
  typeof answer === 'object' && 'headers' in answer && 'status' in answer;
