import { fileURLToPath } from 'node:url';

const dist = fileURLToPath(new URL('../../dist/lib/', import.meta.url));

export default {
  // As if the package were installed: found by its name, and left as it is.
  resolve: { alias: [{ find: /^furca$/, replacement: `${dist}index.js` }] },
  test: { include: ['*.spec.mts'], server: { deps: { external: [/\/dist\/lib\//] } } },
};
