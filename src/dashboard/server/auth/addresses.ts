import { BlockList, isIP } from 'node:net';

/** A set of addresses, written as `10.0.0.7` and `10.0.0.0/8`. */
export class AddressList {
  private readonly list = new BlockList();

  constructor(addresses: readonly string[]) {
    for (const each of addresses) {
      const [address = '', bits] = each.split('/');
      const family = isIP(address) === 6 ? 'ipv6' : 'ipv4';
      if (bits === undefined) this.list.addAddress(address, family);
      else this.list.addSubnet(address, Number(bits), family);
    }
  }

  static accepts(text: unknown): boolean {
    if (typeof text !== 'string') return false;
    const [, address = '', bits] = /^([^/]+)(?:\/(\d{1,3}))?$/.exec(text) ?? [];
    const family = isIP(address);
    return family !== 0 && (bits === undefined || Number(bits) <= (family === 6 ? 128 : 32));
  }

  /** @param address as node:net writes it, which may be one of IPv4 within IPv6 */
  has(address: string): boolean {
    const plain = address.replace(/^::ffff:(?=\d+\.)/, '');
    const family = isIP(plain);
    return family !== 0 && this.list.check(plain, family === 6 ? 'ipv6' : 'ipv4');
  }
}
