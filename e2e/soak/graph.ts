/** Which site's changes lead where. */
import type { Random } from './random.ts';

export interface Edge {
  readonly from: string;
  readonly to: string;
  readonly both: boolean;
}

/** Connected, some ways two-way and some not, at least one of each. */
export function randomGraph(sites: readonly string[], random: Random): Edge[] {
  const edges: Edge[] = [];
  for (const [index, to] of sites.entries()) {
    if (index === 0) continue;
    const from = random.pick(sites.slice(0, index));
    edges.push({ from, to, both: index === 1 || (index > 2 && random.chance(0.6)) });
  }
  for (let more = 0; more < sites.length - 2; more += 1) {
    const [from, to] = [random.pick(sites), random.pick(sites)];
    const taken = edges.some(
      (edge) => (edge.from === from && edge.to === to) || (edge.from === to && edge.to === from),
    );
    if (from !== to && !taken) edges.push({ from, to, both: random.chance(0.5) });
  }
  return edges;
}

/** The direct targets of a site. */
export const targetsOf = (edges: readonly Edge[], site: string): string[] =>
  edges.flatMap(({ from, to, both }) => {
    if (from === site) return [to];
    return both && to === site ? [from] : [];
  });

/** Every site that hears of what happens on this one, itself included. */
export function reachOf(edges: readonly Edge[], site: string): Set<string> {
  const seen = new Set([site]);
  for (const at of seen) for (const next of targetsOf(edges, at)) seen.add(next);
  return seen;
}
