import { startedBus } from '../../../lib/bus';

export async function POST(request: Request): Promise<Response> {
  const { number } = (await request.json()) as { number: string };
  const bus = await startedBus();
  const { messageId } = await bus.publish('order.placed', { number });
  return Response.json({ messageId }, { status: 202 });
}
