// Talks to a program: what is typed goes in at once, what it answers comes out. Needs nslookup and a network.
import { PIPE, Popen } from 'furca/subprocess';

console.log('$ nslookup');
const p = new Popen(['nslookup'], { stdin: PIPE, stdout: PIPE, stderr: PIPE });
const [output] = await p.communicate(Buffer.from('set q=mx\npython.org\nexit\n'));
console.log(output.toString('utf-8'));
console.log('Exit code:', p.returnCode);
