/** @type {import('next').NextConfig} */
export default {
  // Loaded from node_modules as it is, once for all routes: bundled, its errors would lose their names.
  serverExternalPackages: ['hopline'],
};
