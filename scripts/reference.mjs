// `npm run docs`: makes the API reference in dist/reference, with the guides beside it, and checks that every link in it leads somewhere.
// A warning of typedoc is an error. Installs typedoc into scripts/reference at the first run.
import { spawnSync } from 'node:child_process';
import { existsSync, readFileSync } from 'node:fs';
import { dirname, join, relative, resolve } from 'node:path';
import { fileURLToPath } from 'node:url';
import { globSync } from 'tinyglobby';
import { installIn } from './npm.mjs';

const home = fileURLToPath(new URL('./reference/', import.meta.url));
const out = fileURLToPath(new URL('../dist/reference/', import.meta.url));

function must(command, args) {
  const { status } = spawnSync(command, args, { cwd: home, stdio: 'inherit' });
  if (status !== 0) process.exit(1);
}

const isThere = () => existsSync(join(home, 'node_modules/typedoc'));
if (!isThere()) await installIn(home, isThere);
must(process.execPath, ['node_modules/typedoc/bin/typedoc', '--options', 'typedoc.json']);

const pages = globSync(['**/*.html'], { cwd: out });
const texts = new Map(pages.map((page) => [join(out, page), readFileSync(join(out, page), 'utf8')]));
let checked = 0;
const broken = [...texts].flatMap(([page, text]) =>
  [...text.matchAll(/(?:href|src)="([^"]+)"/g)].flatMap(([, link]) => {
    if (/^[a-z]+:/.test(link)) return [];
    checked++;
    const [path, anchor = ''] = link.replaceAll('&amp;', '&').split('#');
    const target = path === '' ? page : resolve(dirname(page), decodeURIComponent(path));
    const isThere = texts.has(target)
      ? anchor === '' || texts.get(target).includes(`id="${decodeURIComponent(anchor)}"`)
      : existsSync(target);
    return isThere ? [] : [`${relative(out, page)}: ${link}`];
  }),
);
console.log(`${pages.length} pages in ${relative(process.cwd(), out)}, ${checked} links within them.`);
if (broken.length > 0) {
  console.error(`Links that lead nowhere:\n${[...new Set(broken)].join('\n')}`);
  process.exitCode = 1;
}
