import { type CanActivate, type ExecutionContext, Injectable, Scope } from '@nestjs/common';
import { MessageContext } from 'hopline';

/** Whose message it is. It needs the message's context, so it is made for each message, and so is what it is injected into. */
@Injectable({ scope: Scope.REQUEST })
export class Tenant {
  readonly name: string;

  constructor(context: MessageContext) {
    this.name = String(context.headers.tenant);
  }
}

/** Refuses messages of nobody. */
@Injectable()
export class HasTenant implements CanActivate {
  canActivate(execution: ExecutionContext): boolean {
    const context = execution.switchToRpc().getContext<MessageContext>();
    return typeof context.headers.tenant === 'string';
  }
}
