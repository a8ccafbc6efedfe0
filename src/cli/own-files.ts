/**
 * The folder that holds the package's modules. In the sources as in the build, which joins them into few files (see
 * scripts/finish-build.mjs), this module lies one folder deep in it.
 */
export const OWN_FOLDER: URL = new URL('../', import.meta.url);

/** The folder of the command itself. */
export const COMMAND_FOLDER: URL = new URL('./cli/', OWN_FOLDER);

/** The module that runs in the workers of `furca map`. */
export const MAP_WORKER: URL = new URL('./map-worker.js', COMMAND_FOLDER);
