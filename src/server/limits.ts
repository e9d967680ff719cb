import { FILTER_LIMITS, type FilterLimits } from './filter-budget.ts'

const KB = 1024
const MB = 1024 * KB

/**
 * What one message, connection, user and database may take of a server. Sizes are in bytes of UTF-8. The defaults are in
 * `docs/security.md`, with what happens where one is reached.
 */
export interface Limits {
  /** Of one message, over whatever it comes, and of the body of a transaction. */
  readonly messageBytes: number
  /** Of all that a connection says before it is known who it is: `hello`, with token and subscriptions. */
  readonly helloBytes: number
  /** Connections that have not said who they are, from one address. The oldest gives way to a new one. */
  readonly strangersPerAddress: number
  /** The same from all addresses. */
  readonly strangers: number
  /** Connections of one user; each channel of a shared one is one. */
  readonly connections: number
  /** Subscriptions of one connection. */
  readonly subscriptions: number
  /** Subscriptions of one user. */
  readonly userSubscriptions: number
  /** Transactions of one connection that wait to be decided; over HTTP, those of one user. */
  readonly transactions: number
  /** Transactions of one user that wait to be decided. */
  readonly userTransactions: number
  /** What has come over one connection and is not dealt with. */
  readonly waitingBytes: number
  /** The same of one user, with the bodies of requests that are under way. */
  readonly userWaitingBytes: number
  /**
   * What all of that takes in memory, of all users together: each list and object counts 64 bytes beside its text. Who has
   * little waiting is let through.
   */
  readonly waitingMemoryBytes: number
  /** What waits for the reader of one connection, before it is told to come back for what it misses. */
  readonly buffered: number
  /** The same of one user. */
  readonly userBuffered: number
  /** What one connection says of itself: its presence. */
  readonly presenceBytes: number
  /** The same of one user. */
  readonly userPresenceBytes: number
  /** The same of all who are in one database. */
  readonly databasePresenceBytes: number
  /** How long a body may pause before its request is over, in milliseconds. */
  readonly bodyPauseMs: number
  /** Entries of the log that are sent one by one to who comes back; beyond, everything is sent anew. */
  readonly catchUp: number
  /** What is known of the newest changes of a database, for transactions that say what they have read. */
  readonly recentBytes: number
  /** What is known of the refusals of a database, for those who ask twice. */
  readonly verdictBytes: number
  /**
   * What of the log of a database stays before its newest snapshot; a snapshot is made each time an eighth of that has come.
   * The option `historyEntries` bounds the same in transactions.
   */
  readonly historyBytes: number
  /** What the filters of a subscription may come to. */
  readonly filters: FilterLimits
}

/** Limits of one's own: the others are the defaults. */
export type GivenLimits = Partial<Omit<Limits, 'filters'>> & { readonly filters?: Partial<FilterLimits> }

const DEFAULTS: Limits = {
  messageBytes: 8 * MB,
  helloBytes: 64 * KB,
  strangersPerAddress: 1_000,
  strangers: 2_000,
  connections: 2_000,
  subscriptions: 256,
  userSubscriptions: 4_096,
  transactions: 20_000,
  userTransactions: 40_000,
  waitingBytes: 32 * MB,
  userWaitingBytes: 64 * MB,
  waitingMemoryBytes: 256 * MB,
  buffered: 16 * MB,
  userBuffered: 64 * MB,
  presenceBytes: 64 * KB,
  userPresenceBytes: 1 * MB,
  databasePresenceBytes: 8 * MB,
  bodyPauseMs: 30_000,
  catchUp: 20_000,
  recentBytes: 16 * MB,
  verdictBytes: 4 * MB,
  historyBytes: 1024 * MB,
  filters: FILTER_LIMITS,
}

/** The limits of a server. What is not given is the default, and for a user never less than for one connection. */
export function limitsOf(given: GivenLimits = {}): Limits {
  const limits = { ...DEFAULTS, ...given, filters: { ...FILTER_LIMITS, ...given.filters } }
  const { transactions, subscriptions, buffered, presenceBytes, messageBytes } = limits
  const waitingBytes = given.waitingBytes ?? Math.max(limits.waitingBytes, 4 * messageBytes)
  return {
    ...limits,
    waitingBytes,
    userTransactions: given.userTransactions ?? Math.max(limits.userTransactions, 2 * transactions),
    userSubscriptions: given.userSubscriptions ?? Math.max(limits.userSubscriptions, subscriptions),
    userWaitingBytes: given.userWaitingBytes ?? Math.max(limits.userWaitingBytes, waitingBytes),
    waitingMemoryBytes: given.waitingMemoryBytes ?? Math.max(limits.waitingMemoryBytes, 2 * waitingBytes),
    userBuffered: given.userBuffered ?? Math.max(limits.userBuffered, buffered),
    userPresenceBytes: given.userPresenceBytes ?? Math.max(limits.userPresenceBytes, presenceBytes),
  }
}
