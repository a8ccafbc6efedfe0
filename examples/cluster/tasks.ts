import { readFile } from 'node:fs/promises';
import { parse } from 'acorn';

/** Parses a JavaScript file; tells how many statements it has at its top. */
export async function countStatements(path: string): Promise<number> {
  const text = await readFile(path, 'utf8');
  return parse(text, { ecmaVersion: 'latest', sourceType: 'module', allowHashBang: true }).body.length;
}
