// Runs a program as the shell would; it writes to this program's output. Needs nslookup and a network.
import { call } from 'furca/subprocess';

console.log('$ nslookup www.python.org');
const r = await call(['nslookup', 'www.python.org']);
console.log('Exit code:', r);
