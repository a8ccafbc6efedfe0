// A pre-forked TCP server, as Apache's: one listening socket, and four processes that were forked before the first client came.
// Whoever is free takes the next client. Needs fork-ready Node: npx furca run examples/prefork-server/main.ts
import { once } from 'node:events';
import { type AddressInfo, connect, createServer } from 'node:net';
import { text } from 'node:stream/consumers';
import { fork, getpid, waitpid } from 'furca/os';

const server = createServer((socket) => socket.end(`${getpid()}`));
server.listen(0, '127.0.0.1');
await once(server, 'listening');
const { port } = server.address() as AddressInfo;

const children: number[] = [];
let isChild = false;
while (children.length < 4 && !isChild) {
  const pid = fork();
  if (pid === 0) isChild = true;
  else children.push(pid);
}

if (!isChild) {
  // The children have the socket; this process only looks after them, and here it is the clients, too.
  server.close();
  console.log('processes:', children.length);
  const answers: string[] = [];
  for (let client = 0; client < 20; client++) answers.push(await text(connect(port, '127.0.0.1')));
  console.log('clients served:', answers.length);
  console.log(
    'all by the children:',
    answers.every((pid) => children.includes(Number(pid))),
  );
  for (const pid of children) process.kill(pid);
  const ends = await Promise.all(children.map((pid) => waitpid(pid)));
  console.log('ended by:', ...new Set(ends.map(({ signal }) => signal)));
}
