import { defineMessage } from 'hopline';
import { z } from 'zod';

export const OrderPlaced = defineMessage('order.placed', z.object({ id: z.string(), total: z.number() }));

export const OrderShipped = defineMessage('order.shipped', z.object({ id: z.string() }));
