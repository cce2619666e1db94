import { gunzipSync } from 'node:zlib';
import { CLIENT_FILES, type ClientFile } from './client-files.js';

/** Addresses of what a page loads, below the path of the dashboard. */
export interface AssetLinks {
  readonly script: string;
  readonly style: string;
}

const YEAR_S = 31_536_000;

interface Asset {
  readonly type: string;
  readonly gzip: Buffer<ArrayBuffer>;
  plain: Buffer<ArrayBuffer> | undefined;
}

/** The files for browsers, by name: an address leads to one of them or to nothing, and never into the file system. */
const ASSETS: ReadonlyMap<string, Asset> = new Map(
  CLIENT_FILES.map(({ name, type, gzip }) => [
    name,
    { type, gzip: Buffer.from(gzip, 'base64'), plain: undefined },
  ]),
);

/** @param path of the dashboard, without a slash at its end */
export function assetLinks(path: string): AssetLinks {
  const named = (end: string) => CLIENT_FILES.find(({ name }: ClientFile) => name.endsWith(end))?.name;
  return { script: `${path}/assets/${named('.js')}`, style: `${path}/assets/${named('.css')}` };
}

/** Undefined if there is no file of this name. */
export function assetAnswer(name: string, acceptEncoding: string): Response | undefined {
  const asset = ASSETS.get(name);
  if (!asset) return undefined;
  const headers = {
    'content-type': asset.type,
    'cache-control': `public, max-age=${YEAR_S}, immutable`,
    vary: 'accept-encoding',
  };
  if (/\bgzip\b(?!\s*;\s*q=0(\.0*)?\s*(,|$))/.test(acceptEncoding))
    return new Response(asset.gzip, { headers: { ...headers, 'content-encoding': 'gzip' } });
  asset.plain ??= gunzipSync(asset.gzip);
  return new Response(asset.plain, { headers });
}
