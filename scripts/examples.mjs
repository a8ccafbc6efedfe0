// `npm run examples [-- topic ...]`: runs the programs of examples/ under `furca run` and compares what they print.
// nslookup is the one of the tests, which needs no network.
import { checkExample, examplePrograms } from '../dist/test/fixtures/example-programs.js';

const wanted = process.argv.slice(2);
const programs = examplePrograms.filter(({ topic }) => wanted.length === 0 || wanted.includes(topic));
if (programs.length === 0) {
  console.error(
    `There is no such example. There are: ${examplePrograms.map(({ topic }) => topic).join(', ')}.`,
  );
  process.exit(1);
}
for (const program of programs) {
  try {
    const lines = await checkExample(program, 'furca run');
    console.log(`${program.topic}: as expected\n${lines.map((line) => `    ${line}`).join('\n')}`);
  } catch (error) {
    process.exitCode = 1;
    console.log(`${program.topic}: NOT as expected\n${error.message}`);
  }
}
