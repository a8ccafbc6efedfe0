/** The program of a spawned child: `node <flags> spawned.js <owner id> <record>`, the arena at descriptor 3, the lifeline at 4. */
import { Arena } from '../arena/arena.js';
import { enterFamily } from '../arena/member.js';
import { ProcessRecord } from '../arena/process-record.js';
import { followLifeline } from '../kernel/lifeline.js';
import { beginSpawnedChild, runChild } from '../process/child.js';
import { inheritLifeline } from '../process/family.js';
import '../process/process.js';
import '../channel/kinds.js';
import '../sync/kinds.js';
import { ARENA_FD, LIFELINE_FD } from '../process/start/zygote-place.js';

const [, , owner = '', at = ''] = process.argv;
followLifeline(LIFELINE_FD);
inheritLifeline(LIFELINE_FD);
const { arena } = enterFamily(Arena.attach(ARENA_FD), Number(owner));
const record = ProcessRecord.at(arena, Number(at));
record.alive(process.pid);
beginSpawnedChild();
await runChild(record);
