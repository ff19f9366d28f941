/**
 * Plays the steps, one after the other, and says of each whether it held.
 *
 * Always true: after a step that did not hold no other is played, since each builds on the one before.
 * On failure: prints what was expected and what was found.
 */
import { type Stage, type Step, StepFailed } from './stage.ts';

/** Whether all of them held. */
export async function playSteps(steps: readonly Step[], stage: Stage): Promise<boolean> {
  const { screen } = stage;
  const { bold, dim, green, red } = screen.colours;
  const sinceMs = performance.now();
  screen.line();
  screen.line(
    dim('  ms: from WordPress’s answer to the person until the other WordPress shows it'),
  );
  for (const [index, step] of steps.entries()) {
    screen.line();
    screen.line(`  ${bold(`${index + 1}  ${step.title}`)}`);
    try {
      await step.play(stage);
    } catch (error) {
      screen.line(red(`    ✖ Step ${index + 1} did not hold.`));
      const { expected, found } = asStepFailed(error);
      screen.entry('note', 'expected', expected);
      screen.entry('note', 'found', found);
      return false;
    }
  }
  const seconds = ((performance.now() - sinceMs) / 1000).toFixed(0);
  screen.line();
  screen.line(`  ${green('✔')} ${bold(`All ${steps.length} steps held`)} ${dim(`(${seconds} s)`)}`);
  return true;
}

function asStepFailed(error: unknown): { expected: string; found: string } {
  if (error instanceof StepFailed) return error;
  const found = error instanceof Error ? error.message : String(error);
  return { expected: 'WordPress and the hub answer', found };
}
