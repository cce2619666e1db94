import { Bus, type Deserializer, memory, rabbitmq, type Serializer } from 'hopline';

const { AMQP_URL } = process.env;
const transport = AMQP_URL ? rabbitmq({ url: AMQP_URL }) : memory();

/** Rows of numbers, with the separator that a header names. */
const rows: Deserializer = {
  deserialize(body, { headers: { separator = ',' } }) {
    const lines = body.toString().trim().split('\n');
    return lines.map((line) => line.split(String(separator)).map(Number));
  },
};

const plant = new Bus({ service: 'plant', transport });
let left = 4;
const done = new Promise<void>((resolve) => {
  plant.on('handler.succeeded', () => {
    left -= 1;
    if (left === 0) resolve();
  });
});
const tell = (text: string) => void console.log(text);

plant.handle('plant.temperature', ({ celsius }: { celsius: number }) => tell(`${celsius} °C`));
plant.handle('plant.switch', (state) => tell(`switched ${state.toLowerCase()}`), { body: 'text' });
plant.handle('plant.photo', (photo) => tell(`a photo of ${photo.byteLength} bytes`), { body: 'bytes' });
plant.handle('plant.log', (log: number[][]) => tell(`${log.length} rows, ${log.flat().length} numbers`), {
  body: rows,
});

/** Publishes as devices do that don't send JSON: text or bytes. */
const raw: Serializer = {
  contentType: 'application/octet-stream',
  serialize: (payload) => Buffer.from(payload as string | Buffer),
  deserialize: (body) => body,
};
const device = new Bus({ service: 'device', transport, serializer: raw });

await plant.start();
await device.start();
await device.publish('plant.temperature', '{"celsius": 21.5}');
await device.publish('plant.switch', 'ON');
await device.publish('plant.photo', Buffer.from('89504e470d0a1a0a', 'hex'));
await device.publish('plant.log', '1;2\n3;4\n', { headers: { separator: ';' } });
await done;
await device.stop();
await plant.stop();
