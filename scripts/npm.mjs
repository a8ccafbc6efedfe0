// How these scripts have npm fetch from the registry.
import { spawnSync } from 'node:child_process';

/** npm asks again where a request fails; by default only twice, 10 s and 60 s later. */
export const PATIENCE = {
  npm_config_fetch_retries: '5',
  npm_config_fetch_retry_factor: '3',
  npm_config_fetch_retry_mintimeout: '1000',
};

/** Where an answer breaks off in the middle npm gives up at once, and without a word if it was an optional dependency. */
const ATTEMPTS = 3;

/** Calls `fetch` until it has what it should; the last failure is the caller's. */
export async function fetchAgain(what, fetch) {
  for (let attempt = 1; attempt < ATTEMPTS; attempt++) {
    try {
      return await fetch();
    } catch (error) {
      console.error(`${error.message}\n${what}: once more`);
    }
  }
  return fetch();
}

/** Installs what the lock file of `folder` names; `isThere` tells whether all that is needed has come. */
export async function installIn(folder, isThere) {
  await fetchAgain(`npm ci in ${folder}`, () => {
    const env = { ...process.env, ...PATIENCE };
    const { status } = spawnSync('npm', ['ci', '--ignore-scripts'], { cwd: folder, env, stdio: 'inherit' });
    if (status !== 0 || !isThere())
      throw new Error(
        `npm ci in ${folder} failed (${status}): the registry did not give all that is needed.`,
      );
  });
}
