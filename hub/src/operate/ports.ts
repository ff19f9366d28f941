/** What the operations need besides the engine's own ports. */
import type { z } from 'zod';
import type { ConnectRequestSchema, StatusAnswer } from '#contract/messages.ts';
import type { Caller } from '../api/operations.ts';
import type { Pipeline } from '../sync/pipeline.ts';
import type {
  Credential,
  LogKeeping,
  Marks,
  Proofs,
  Registry,
  Runs,
  SitePort,
  Store,
  Views,
  Wake,
} from '../sync/ports.ts';

/** Where to knock, with an administrator's credential that is used once and not kept. */
export interface Door {
  readonly restUrl: string;
  /** It was found at a public address. */
  readonly publicOnly: boolean;
  readonly administrator: Credential;
}

/** Getting to know a site. Every call throws `Fault` (`site.*`). */
export interface Introductions {
  /** From an address to the REST root. `publicOnly`: never looked for at a private address. */
  discover(address: string, publicOnly?: boolean): Promise<Pick<Door, 'restUrl' | 'publicOnly'>>;
  status(door: Door): Promise<StatusAnswer>;
  connect(
    door: Door,
    request: z.input<typeof ConnectRequestSchema>,
  ): Promise<{ readonly credential: Credential; readonly status: StatusAnswer }>;
}

export interface OperationPorts {
  readonly store: Store;
  readonly registry: Registry;
  readonly views: Views;
  readonly logKeeping: LogKeeping;
  readonly marks: Marks;
  readonly proofs: Proofs;
  readonly runs: Runs;
  readonly site: SitePort;
  readonly introductions: Introductions;
  readonly pipeline: Pipeline;
  readonly wake: Wake;
  readonly hub: {
    readonly id: string;
    readonly name: string;
    term(): Promise<number>;
    /** The term rises: whoever still speaks with the older one is refused. */
    takeOver(): Promise<void>;
    verifyToken(token: string): Promise<Caller | null>;
    ready(): Promise<boolean>;
  };
  readonly version: string;
  /** Base of the address at which sites reach the hub with their signals. */
  readonly publicUrl: () => string;
  readonly newSecret: () => string;
  readonly newId: () => string;
}
