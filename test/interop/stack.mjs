// Runs the cases against one stack: registers each as a test.
import { test } from 'node:test';

import { casesFor, glare } from './cases.mjs';
import { Program } from './harness.mjs';
import { Meeting, Remote } from './meeting.mjs';

// A program with steered peers behind its standard input and output.
export function startSteered(name, path, ...args) {
  const remote = new Remote(name, (line) => program.process.stdin.write(line + '\n'));
  const program = new Program(path, args, { input: 'pipe', heard: (line) => remote.heard(line) });
  program.exited.then(() => remote.gone('it ended, and said:\n' + program.errors.join('\n')));
  remote.stop = async () => {
    program.process.stdin.end();
    await program.exited;
    return program.process.exitCode;
  };
  return remote;
}

// A meeting that ends with what is done in it; what fails is told with what both sides know.
export async function meet(ours, theirs, how, work) {
  const meeting = await Meeting.make(ours, theirs, how);
  try {
    await work(meeting);
    if (meeting.failures.length > 0) throw new Error('signals were refused');
  } catch (error) {
    error.message += '\n' + (await meeting.story());
    throw error;
  }
  await meeting.end();
}

const within = { timeout: 120_000 };

// `peers()` gives both remotes; `stack` has its name and its `largest` messages: the `limit` that each
// side may send, and the `size` that is sent where that is another.
export function runCases(stack, peers) {
  for (const oursOffers of [false, true]) {
    const role = `${stack.name} ${oursOffers ? 'answers' : 'offers'}: `;
    for (const [name, run] of casesFor(stack)) {
      test(role + name, within, async () => {
        const { ours, theirs } = peers();
        await meet(ours, theirs, { oursOffers }, (meeting) => run(meeting, stack));
      });
    }
  }
}

export function runGlare(stack, peers) {
  for (const oursOffers of [false, true]) {
    const role = `${stack.name} is ${oursOffers ? 'impolite' : 'polite'}: `;
    test(role + '100 collisions of offers', within, async () => {
      const { ours, theirs } = peers();
      await glare(ours, theirs, { oursOffers, meet });
    });
  }
}
