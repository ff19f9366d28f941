/**
 * Ends what was begun, the last thing first.
 *
 * Always true: what is still starting is ended as soon as it has started; once the end has come nothing else begins.
 * On failure: an ending that throws does not keep the others from running; the first error is thrown at the end.
 */
type Ending = () => Promise<unknown>;

export interface Endings {
  add(ending: Ending): void;
  /** Starts something that is to be ended; rejects with what `start` does, or because the end has come. */
  begin<T>(start: () => Promise<T>, end: (started: T) => Promise<unknown>): Promise<T>;
  run(): Promise<void>;
}

export function createEndings(): Endings {
  const waiting: Ending[] = [];
  let over = false;
  return {
    add(ending) {
      waiting.push(ending);
    },
    async begin(start, end) {
      if (over) throw new Error('the demo has been told to end');
      const starting = start();
      waiting.push(() => starting.then(end, () => {}));
      return starting;
    },
    async run() {
      over = true;
      const errors: unknown[] = [];
      for (let ending = waiting.pop(); ending !== undefined; ending = waiting.pop()) {
        await ending().catch((error: unknown) => errors.push(error));
      }
      if (errors.length > 0) throw errors[0];
    },
  };
}
