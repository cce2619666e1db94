import 'reflect-metadata';
import { Bus, rabbitmq } from 'hopline';
import { Handles, handlers, Queue } from 'hopline/decorators';

/** A second service: it has queues of its own, and its own copy of each event that it handles. */
@Queue({ name: 'thumbnails.images', lanes: ['high', 'default'] })
@Handles('image.uploaded')
class MakeThumbnails {
  handle({ path }: { readonly path: string }): void {
    console.log(`thumbnail of ${path}`);
  }
}

export const bus = new Bus({
  service: 'thumbnails',
  transport: rabbitmq({ url: process.env.AMQP_URL }),
  handlers: handlers([MakeThumbnails]),
});
