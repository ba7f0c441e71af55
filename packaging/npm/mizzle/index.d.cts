// SPDX-License-Identifier: MIT

/** `500ms`, `2s`, `5m`, `1h`; a number is seconds. */
export type Duration = string | number;

/** How the program is run, and the options that every command takes. */
export interface Options {
  /** Where the database is; else what the program finds: DATABASE_URL, PG*, .env. */
  url?: string | URL;
  /** A file that holds the URL, such as a mounted secret. */
  urlFile?: string;
  /** Ignore keys of the URL that nobody knows. */
  ignoreUnknownParams?: boolean;
  /** The folder with the migrations; else what drizzle.config.* says, or ./drizzle. */
  dir?: string;
  /** The Drizzle configuration. */
  config?: string;
  /** The schema of the history table. */
  schema?: string;
  /** The history table. */
  table?: string;
  /** Variables that are not set, in place of .env. */
  envFile?: string;
  /** A `statement` event for each statement. */
  verbose?: boolean;
  /** A file for every protocol message, secrets masked. */
  trace?: string;
  /** Keep trying for so long until the server accepts connections. */
  wait?: Duration;

  /** Further arguments, as on the command line. */
  args?: readonly string[];
  /** Working directory of the program. */
  cwd?: string;
  /** Variables besides those of this process; undefined takes one away. */
  env?: Record<string, string | undefined>;
  /** Cancels the running statement and rolls back; then it rejects. */
  signal?: AbortSignal;
  /** Called for every event while the program runs. */
  onEvent?: (event: Event) => void;
  /** Show on stderr what the program says to people. */
  log?: boolean;
  /** Another program than that of the package. */
  binary?: string;
}

interface Applying extends Options {
  /** One transaction for each migration (preset), or one around all. */
  transaction?: 'each' | 'all';
  /** Stop after this migration. */
  to?: string;
  /** Go on although applied files were edited. */
  allowModified?: boolean;
  /** Go on although applied files were deleted. */
  allowMissing?: boolean;
  /** What to do with pending migrations that stand before applied ones. */
  outOfOrder?: 'auto' | 'apply' | 'refuse' | 'skip';
}

export interface PlanOptions extends Applying {}

export interface MigrateOptions extends Applying {
  /** How long to wait for another migrator; 5m if nothing is said. */
  lockWait?: Duration;
  /** `lock_timeout` of each statement. */
  lockTimeout?: Duration;
  /** How often a migration that ran into it is tried again. */
  lockRetries?: number;
  /** Cancel a statement that takes longer. */
  statementTimeout?: Duration;
  /** Open no second connection to see who blocks a long statement. */
  noMonitor?: boolean;
  /** A CALL that was cut off and may be done or not. */
  resume?: 'refuse' | 'again' | 'skip';
  /** Refuse destructive statements without `approve`. */
  requireApproval?: boolean;
  /** Go on only if this is the plan, as `plan` named it. */
  approve?: string;
}

export type State =
  | 'applied' | 'pending' | 'modified' | 'eol' | 'missing' | 'out-of-order' | 'partial';

/** What `--json` prints on a line; `event` says which. More fields may come. */
export interface Event {
  event: string;
  [field: string]: unknown;
}

export interface Migration extends Event {
  event: 'migration';
  tag: string;
  state: State | 'rolled-back';
  hash: string | null;
}

export interface Applied extends Migration {
  statements: number;
  ms: number;
}

export interface Listed extends Migration {
  when: number;
  recorded_hash: string | null;
  recorded_at: string | null;
  note?: string;
}

export interface Hazard {
  line?: number;
  column?: number;
  statement: string;
  reason: string;
  destructive: boolean;
}

export interface Planned extends Migration {
  file: string;
  transaction: string;
  statements: number;
  hazards: Hazard[];
}

export interface Finding extends Event {
  event: 'finding';
  level: 'error' | 'warning';
  rule: string;
  message: string;
}

/** The last line of a command, and what it said of each migration. */
export interface Outcome<M extends Migration = Migration> extends Event {
  event: 'result';
  command: string;
  ok: boolean;
  migrations: M[];
  findings?: Finding[];
  round_trips?: number;
}

export interface MigrateOutcome extends Outcome<Applied> {
  applied: number;
  pending: number;
  ms: number;
}

export type StatusOutcome = Outcome<Listed> & Record<State, number>;

export interface PlanOutcome extends Outcome<Planned> {
  pending: number;
  destructive: number;
  /** What `approve` wants; none when there is nothing to do. */
  plan?: string;
}

/** The names of the exit statuses. */
export type Code =
  | 'sql' | 'usage' | 'connect' | 'locked' | 'history' | 'partial' | 'pending'
  | 'findings' | 'refused' | 'internal';

/** How the program ended, and its error as `--json` prints it. */
export class MizzleError extends Error {
  readonly code: Code;
  /** The exit status; none if the program could not be run or was killed. */
  readonly status?: number;
  /** The signal that ended it. */
  readonly signal?: string;
  /** What became of the transaction, where `message` is the server's. */
  readonly summary?: string;
  readonly sqlstate?: string;
  readonly file?: string;
  readonly line?: number;
  readonly column?: number;
  readonly tag?: string;
  readonly detail?: string;
  readonly hint?: string;
  readonly server_hint?: string;
  readonly context?: string;
  /** What was done until then. */
  readonly result?: Outcome;
}

/** Applies what is pending, each migration exactly once. */
export function migrate(options?: MigrateOptions): Promise<MigrateOutcome>;

/** Lists every migration with its state; changes nothing. */
export function status(options?: Options): Promise<StatusOutcome>;

/** What `migrate` would do; changes nothing. */
export function plan(options?: PlanOptions): Promise<PlanOutcome>;

/** Resolves only if history and folder agree and nothing is pending. */
export function verify(options?: Options): Promise<StatusOutcome>;

/** Any other command; options of the program in camel case. */
export function run(
  command: string,
  options?: Options & Record<string, unknown>,
): Promise<Outcome>;

/** Where the program is. */
export function binaryPath(): string;
