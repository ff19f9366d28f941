/** The sites of a network, once those that came and ended are remembered. */
export interface KeptSites {
  /** Blog → key. */
  readonly keys: Readonly<Record<string, number>>;
  /** False: a site was just being made, so the list is looked at once more. */
  readonly settled: boolean;
}
