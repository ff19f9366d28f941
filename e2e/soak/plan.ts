/**
 * What a soak does, from its first deed to its last, as a value made of one number.
 *
 * Always true: the same options give the same plan. Nothing in it depends on a clock, or on what
 * the sites and the hub answer.
 */
import { type Chosen, DeedChooser } from './choose-deed.ts';
import { type Edge, randomGraph, reachOf } from './graph.ts';
import { Random } from './random.ts';
import { chooseFault, type Fault } from './site-faults.ts';

export interface PlanOptions {
  readonly seed: number;
  readonly minutes: number;
  readonly sites: number;
}

export interface Round {
  readonly people: readonly Chosen[];
  /** Begins before the people of the round, and ends after them. */
  readonly fault: Fault | null;
  /** The hub is killed before the people of the round, and started again. */
  readonly kill: boolean;
}

export interface Plan {
  readonly names: readonly string[];
  readonly edges: readonly Edge[];
  /** One on each site, before anything goes wrong. */
  readonly first: readonly Chosen[];
  readonly rough: readonly Round[];
  /** Nothing goes wrong any more and the hub lives on, so that its memory can be watched. */
  readonly calm: readonly Round[];
}

/** As many as two processors keep up with; a slower machine takes longer, and does the same. */
const ROUNDS_PER_MINUTE = 30;
const FEWEST_ROUNDS = 20;
const ROUGH_PART = 0.7;
const FAULT_PART = 0.4;
const ROUNDS_PER_KILL = 6;
const ROUNDS_PER_SAME_FIELD = 5;
const ROUNDS_PER_REMOVAL = 3;
/** A target takes a hundred deletes a day; more wait for a person. */
const MOST_REMOVALS = 90;

export function planSoak({ seed, minutes, sites }: PlanOptions): Plan {
  const random = new Random(seed);
  const names = Array.from({ length: sites }, (_, index) => `site-${index + 1}`);
  const edges = randomGraph(names, random.branch());
  const chooser = new DeedChooser(random.branch(), names, (site) => reachOf(edges, site));
  const first = names.map((name) => chooser.register(name));
  const count = Math.max(FEWEST_ROUNDS, Math.round(minutes * ROUNDS_PER_MINUTE));
  const isRough = (round: number): boolean => round < count * ROUGH_PART;
  const rounds = Array.from({ length: count }, (_, round): Round => {
    const rough = isRough(round);
    const removes = isEvery(round, ROUNDS_PER_REMOVAL) && chooser.removals < MOST_REMOVALS;
    return {
      fault: rough && random.chance(FAULT_PART) ? chooseFault(names, random) : null,
      kill: rough && isEvery(round, ROUNDS_PER_KILL),
      people: peopleOf(chooser, isEvery(round, ROUNDS_PER_SAME_FIELD), { removes, kills: rough }),
    };
  });
  return {
    names,
    edges,
    first,
    rough: rounds.filter((_, round) => isRough(round)),
    calm: rounds.filter((_, round) => !isRough(round)),
  };
}

function peopleOf(
  chooser: DeedChooser,
  sameField: boolean,
  options: { readonly removes: boolean; readonly kills: boolean },
): Chosen[] {
  const one = chooser.next(options);
  // Whoever edits at the moment of a delete may have it held, and then a person must decide.
  if (one.deed.kind === 'remove') return [one];
  const others = sameField ? chooser.sameField() : [chooser.next({ removes: false, kills: false })];
  return [one, ...others];
}

const isEvery = (round: number, many: number): boolean => round % many === many - 1;
