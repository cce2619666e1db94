/** Bundles for Node.js, as Vite calls servers (SSR); packages stay outside. */
export const VITE_CONFIG = {
  'vite.config.js': `export default {
  build: { ssr: true, outDir: 'out', rollupOptions: { input: process.env.ENTRIES.split(' ') } },
};
`,
};
