/** Code that vitest (Vite's module runner) has rewritten: its names for what the language has, and its paths for files. */
import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import { META_NAME } from './descriptor.js';
import type { NameUse } from './free-names.js';
import type { Edit, FunctionText } from './function-text.js';

/** Its import at the top of a module: `const x = await __vite_ssr_import__('/src/dep.ts', …)`. */
export const VITE_IMPORT = '__vite_ssr_import__';
const DYNAMIC_IMPORT = '__vite_ssr_dynamic_import__';
const META = '__vite_ssr_import_meta__';

/** A text as its transform writes it: in double quotes, escaped as JSON. */
const QUOTED_ARGUMENT = /^\(\s*("(?:[^"\\]|\\.)*")/;

/** Tells whether a name is one that vitest has put for a word of the language. */
export function isWordOfVite(name: string): boolean {
  return name === META || name === DYNAMIC_IMPORT;
}

/** Puts the word of the language back where `use` stands, and a path that Node understands behind `import`. */
export function editsOfViteWord({ name, start, end }: NameUse, { expression, base }: FunctionText): Edit[] {
  if (name === META) return [{ start, end, text: META_NAME }];
  const edits: Edit[] = [{ start, end, text: 'import' }];
  const quoted = QUOTED_ARGUMENT.exec(expression.slice(end - base));
  if (quoted?.[1] === undefined) return edits;
  const from = end + quoted[0].length - quoted[1].length;
  const file = JSON.stringify(fileOfViteId(JSON.parse(quoted[1]) as string));
  return [...edits, { start: from, end: from + quoted[1].length, text: file }];
}

/** The address of a module that vitest names by a path from its root, or below `/@fs/`; other specifiers stay. */
export function fileOfViteId(id: string): string {
  if (id.startsWith('/@fs/')) return pathToFileURL(id.slice('/@fs'.length)).href;
  if (!id.startsWith('/')) return id;
  const underRoot = join(process.cwd(), id);
  return pathToFileURL(existsSync(underRoot) ? underRoot : id).href;
}
