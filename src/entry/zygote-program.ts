/** The program of a zygote: `node <flags> zygote.js <owner id> <orders>`, the arena at descriptor 3. */
import { Arena } from '../arena/arena.js';
import { enterFamily } from '../arena/member.js';
import { isCurrent } from '../arena/slots.js';
import { replaceProgram } from '../kernel/exec.js';
import { followLifeline } from '../kernel/lifeline.js';
import { runChild } from '../process/child.js';
import '../process/process.js';
import '../channel/kinds.js';
import '../sync/kinds.js';
import { ARENA_FD } from '../process/start/zygote-place.js';
import { Zygote, type ZygoteOrders } from '../process/zygote.js';

const [, script = '', owner = '', orders = ''] = process.argv;
const arena = Arena.attach(ARENA_FD);
const parsed = JSON.parse(orders) as ZygoteOrders;
followLifeline(parsed.lifelineFd);
// Given up before it came up: another has taken its place.
if (!isCurrent(arena, Number(owner))) process.exit();
const member = enterFamily(arena, Number(owner));

const flags = [...process.execArgv];
const zygote = new Zygote(member, parsed, (next) =>
  replaceProgram([...flags, script, owner, JSON.stringify(next)], [ARENA_FD, parsed.lifelineFd]),
);
const record = await zygote.serve();
await runChild(record);
