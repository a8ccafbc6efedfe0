/**
 * Programs and modules of the package that are started or imported by path.
 *
 * The build joins the package's modules into few files (see scripts/finish-build.mjs) and puts the one with this module into a
 * folder beside `entry/` and `pool/`, as it is here: the paths below hold for both.
 */

/**
 * The folder that holds the modules of the package. Where furca was bundled into a CommonJS program nothing tells; importing it
 * shall work there all the same, and the first use say what is wrong.
 */
export const MODULES: URL = new URL(
  '../',
  (import.meta.url as string | undefined) ?? 'file:///bundled/base/',
);

/** The program of a zygote. */
export const ZYGOTE_PROGRAM: URL = new URL('entry/zygote.js', MODULES);

/** The program of a spawned child. */
export const SPAWNED_PROGRAM: URL = new URL('entry/spawned.js', MODULES);

/** The program of a thread. */
export const THREAD_PROGRAM: URL = new URL('entry/thread.js', MODULES);

/** The module of a pool worker's target. */
export const WORKER_MODULE: URL = new URL('pool/worker/worker.js', MODULES);

/** The module of a manager's server. */
export const MANAGER_MODULE: URL = new URL('manager/server/serve.js', MODULES);
