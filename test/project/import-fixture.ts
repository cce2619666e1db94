import { mkdirSync, writeFileSync } from 'node:fs';
import { dirname, join, posix } from 'node:path';
import type { Edge } from './import-edges.js';

/** The name that an edge uses for a package that is nowhere to be found. */
export const missingPackage = 'not-installed-anywhere';

const manifest = {
  name: 'hopline',
  type: 'module',
  exports: { '.': './lib/index.js' },
  dependencies: { amqplib: '*' },
  peerDependencies: {
    ...{ tsyringe: '*', 'reflect-metadata': '*', ioredis: '*', pg: '*', 'prom-client': '*' },
    '@nestjs/common': '*',
  },
  devDependencies: { mocha: '*', tsyringe: '*', 'reflect-metadata': '*' },
};

/** Writes a package below `top` whose imports are `edges`, with the files and packages that they name. */
export function growFixture(top: string, edges: readonly Edge[]): void {
  const files = new Map<string, string>([
    ['package.json', JSON.stringify(manifest)],
    ['lib/index.js', 'export const value = 1;'],
  ]);
  const source = (file: string) => files.get(file) ?? 'export const value = 1;\nexport type Name = string;\n';

  for (const edge of edges) {
    files.set(edge.from, importOf(edge) + source(edge.from));
    if (isFile(edge.to)) files.set(edge.to, source(edge.to));
    else if (edge.to !== missingPackage && edge.to !== manifest.name) {
      files.set(`node_modules/${edge.to}/package.json`, JSON.stringify({ name: edge.to, main: 'index.js' }));
      files.set(`node_modules/${edge.to}/index.js`, '');
    }
  }
  for (const [file, text] of files) {
    mkdirSync(join(top, dirname(file)), { recursive: true });
    writeFileSync(join(top, file), text);
  }
}

function importOf({ from, to, type }: Edge): string {
  const specifier = isFile(to) ? relativeSpecifier(from, to) : to;
  return type ? `import type { Name } from '${specifier}';\n` : `import { value } from '${specifier}';\n`;
}

function relativeSpecifier(from: string, to: string): string {
  const path = posix.relative(posix.dirname(from), to).replace(/\.ts$/, '.js');
  return path.startsWith('.') ? path : `./${path}`;
}

const isFile = (target: string) => target.endsWith('.ts');
