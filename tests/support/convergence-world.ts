import { sql } from 'rowcast'
import { memoryLogStorage, memorySnapshotStorage, ServerCore, type LogRecord, type User } from 'rowcast/server'
import { createFaults, type Fault, type Faults, type ServerConnection } from 'rowcast/transport'
import { firstValueFrom } from 'rxjs'
import { expect, vi } from 'vitest'
import { parseValue } from '../../src/changes/index.ts'
import { Seat } from './convergence-seat.ts'
import { ManualTimers } from './manual-timers.ts'
import { Marks, marksIn } from './marks.ts'
import { actAtRandom } from './random-act.ts'
import { Random } from './random.ts'
import { noRules, type SceneRow, type SceneRules } from './scene-rules.ts'
import { rest, rowsOf, type Rows, type Scene } from './stepped-world.ts'
import { sceneSchema } from './sync-world.ts'

export interface ConvergenceOptions {
  readonly seed: number
  /** How many seats have a persistence, and crash. */
  readonly kept: number
  /** The rules of each server that is started; none if not given. */
  readonly rules?: readonly SceneRules[]
  /** The scene's if not given. One with restricted fields: what is written to them is recognised wherever it turns up. */
  readonly schema?: typeof sceneSchema
}

/** One connection, as the server sees it. */
interface Tap {
  readonly id: string
  /** Whom the server may take it for. */
  readonly users: User[]
  told: boolean
}

const TEAMS = ['l0', 'l1', undefined]
const SEATS = 5
/** How much of the server's time passes with a step: presence waits so long to be told. */
const SERVER_MS = 50

/**
 * A server, five clients and a network, which a seed moves step by step. Needs fake timers: time passes for the server
 * only with a step.
 */
export class ConvergenceWorld {
  readonly seats: Seat[] = []
  readonly errors: unknown[] = []
  /** What has happened, a line each. */
  readonly trace: string[] = []
  readonly #random: Random
  readonly #faults: Faults
  readonly #timers: ManualTimers
  readonly #storage = { logs: memoryLogStorage(), snapshots: memorySnapshotStorage() }
  readonly #allRules: readonly SceneRules[]
  readonly #teams = new Map<string, string>()
  readonly #schema: typeof sceneSchema
  readonly #taps = new Set<Tap>()
  /** The server's copy of the moment. */
  #scene: Scene | undefined
  /** The notes that came with what was decided last, as each decision left them. */
  #decided: readonly SceneRow[] = []
  readonly #report = (error: unknown): void => void this.errors.push(error)
  #rules: SceneRules = noRules
  #core: ServerCore

  private constructor({ seed, rules = [], schema = sceneSchema }: ConvergenceOptions) {
    this.#random = new Random(seed)
    this.#timers = new ManualTimers(() => this.#random.int(1000) / 1000)
    this.#faults = createFaults((below) => this.#random.int(below))
    this.#allRules = rules
    this.#schema = schema
    this.#core = this.#serve()
  }

  static async start(options: ConvergenceOptions): Promise<ConvergenceWorld> {
    const world = new ConvergenceWorld(options)
    await world.#core.databases.create('scene')
    await world.#watch()
    const schema = world.#schema
    const marks = options.schema && new Marks(world.#random)
    for (let n = 0; n < SEATS; n++) {
      // The server of the moment: it may have been started anew.
      const accept: ServerCore['accept'] = (connection, request) =>
        world.#core.accept(world.#tap(`u${n}`, connection), request)
      const connect = { accept, faults: world.#faults, timers: world.#timers }
      const seat = new Seat(`u${n}`, world.#random, connect, { schema, kept: n < options.kept, marks })
      await seat.open()
      world.seats.push(seat)
    }
    return world
  }

  async step(): Promise<void> {
    const what = this.#random.int(100)
    const seat = this.#random.pick(this.seats)
    if (what < 33) this.#act(seat)
    else if (what < 68) this.#move()
    else if (what < 81) this.#write()
    else if (what < 92) this.#passTime()
    else if (what < 97) await this.#crash(seat)
    else if (what < 98) this.#changeTeam(seat)
    else await this.#restart()
    await rest()
  }

  /** A network that works, until nothing is under way any more. */
  async settle(): Promise<void> {
    for (const seat of this.seats) {
      if (!seat.isOpen) await seat.open()
      seat.draft?.cancel()
      seat.draft = undefined
    }
    // A message that was lost as the last one is noticed with the next: a connection that ends says so too.
    this.#faults.cutAll()
    for (let n = 0; n < 20_000; n++) {
      if (this.#move('deliver')) {
        if (n % 20 === 0) await rest()
        continue
      }
      await rest()
      if (this.#faults.pending > 0 || this.#write()) continue
      if ((await this.#states()).every(({ state, pending }) => state === 'live' && pending === 0)) return
      this.#passTime()
    }
    throw new Error(`not at rest: ${JSON.stringify(await this.#states())}`)
  }

  /** Everyone whose store is kept crashes and comes back. */
  async reopen(): Promise<void> {
    for (const seat of this.seats) {
      if (!seat.persistence) continue
      await seat.crash()
      await seat.open()
    }
  }

  /** Everyone has what the server has, as far as they may see it. */
  expectShown(): void {
    for (const { user, store } of this.seats) {
      const expected = this.#truth(this.#userOf(user))
      expect(rowsOf(store), user).toStrictEqual(expected)
      const asSql = expected.note.map((row) => {
        const { id, size = null, text, points = null } = row as SceneRow
        return { id, size, color: text?.color ?? null, points: points && JSON.stringify(points) }
      })
      const found = store.query(sql`select id, size, text_color as color, points from note order by id`)
      expect(found, `${user}, by SQL`).toEqual(asSql)
      expect(store.table('note').count({ size: { gte: 0 } }), `${user}, by a filter`).toBe(
        asSql.filter(({ size }) => size !== null).length,
      )
    }
  }

  #truth(user: User): Rows {
    const { note, layer } = rowsOf(this.#scene!)
    return {
      note: (note as SceneRow[]).flatMap((row) => this.#shown(user, row)),
      layer: (layer as SceneRow[]).filter((row) => this.#rules.sees(user, 'layer', row)),
    }
  }

  /** A note as someone may see it, or none. */
  #shown(user: User, row: SceneRow): SceneRow[] {
    if (!this.#rules.sees(user, 'note', row)) return []
    const { size, points, text, ...shown } = row
    const hidden = this.#rules.hides?.(user, row) ?? []
    const { color, ...words } = text ?? {}
    return [
      {
        ...shown,
        ...(size !== undefined && !hidden.includes('size') && { size }),
        ...(points !== undefined && !hidden.includes('points') && { points }),
        ...(text && { text: { ...words, ...(color !== undefined && !hidden.includes('text.color') && { color }) } }),
      },
    ]
  }

  /** A connection, on which nobody is to hear of what they may not see. */
  #tap(id: string, connection: ServerConnection): ServerConnection {
    const tap: Tap = { id, users: [this.#userOf(id)], told: false }
    this.#taps.add(tap)
    return {
      send: (text) => {
        tap.told = true
        const found = marksIn(text)
        if (found.length > 0) {
          const seen = this.#marksFor(tap.users)
          const leaked = found.filter((mark) => !seen.has(mark))
          if (leaked.length > 0) this.#report(new Error(`${id} was told of ${leaked.join()}: ${text}`))
        }
        connection.send(text)
      },
      close: (code, reason) => {
        this.#taps.delete(tap)
        connection.close(code, reason)
      },
      get buffered() {
        return connection.buffered
      },
    }
  }

  /** What may be told now of all that is marked. */
  #marksFor(users: readonly User[]): ReadonlySet<string> {
    const rows = [...(this.#scene!.table('note').all() as SceneRow[]), ...this.#decided]
    return new Set(users.flatMap((user) => rows.flatMap((row) => marksIn(JSON.stringify(this.#shown(user, row))))))
  }

  /** An update was applied: whoever made it may see all that it changed, or write it all the same. */
  #judge(by: string, rows: readonly SceneRow[], paths: readonly string[]): void {
    const forbidden = (user: User): readonly string[] =>
      rows
        .flatMap((row) => this.#rules.hides?.(user, row) ?? [])
        .filter((path) => paths.includes(path) && !this.#rules.writesBlindly?.(user, path))
    // Of what team someone was is not known here.
    const found = TEAMS.map((team) => forbidden({ id: by, ...(team !== undefined && { team }) }))
    if (found.every(({ length }) => length > 0))
      this.#report(new Error(`${by} has written ${found[0]!.join()}: ${JSON.stringify(rows)}`))
  }

  /** Before anyone is connected: hears of each decision before they are told. */
  async #watch(): Promise<void> {
    const { database } = await this.#core.databases.use('scene')
    this.#scene = database.store as unknown as Scene
    this.#decided = []
    database.listen({
      decided: ({ committed }) => {
        this.#decided = committed.flatMap(({ record, transitions }) =>
          transitions.flatMap(({ change, before, after }) => {
            if (!after || change.table !== 'note') return []
            const rows = [before, after] as readonly (SceneRow | undefined)[]
            if (change.op === 'update') this.#judge(record.by!, rows as readonly SceneRow[], Object.keys(change.after))
            return [after as unknown as SceneRow]
          }),
        )
      },
      end: () => undefined,
    })
  }

  /** What the log has. The server must be closed. */
  async log(): Promise<LogRecord[]> {
    const log = await this.#storage.logs.open('scene')
    const records: LogRecord[] = []
    try {
      for await (const { payload } of log.read(1)) records.push(parseValue(payload) as unknown as LogRecord)
    } finally {
      await log.close()
    }
    return records
  }

  async close(): Promise<void> {
    for (const seat of this.seats) if (seat.isOpen) await seat.close()
    await this.#core.close()
  }

  #move(fault?: Fault): boolean {
    const step = this.#faults.step(fault)
    if (!step) return false
    const { did, connection, to, message } = step
    // Messages have ids, which are different each time.
    const type = message === undefined ? '' : typeOf(message)
    this.#log('network', `${did} ${connection} ${to ?? ''} ${type}`)
    return true
  }

  #act(seat: Seat): void {
    if (!seat.isOpen) return
    this.#log(seat.user, actAtRandom(seat, this.#random, this.#report))
    if (seat.persistence && this.#random.chance(30)) seat.save(this.#report)
  }

  #passTime(): void {
    this.#log('time', 'passes')
    this.#timers.next()
    vi.advanceTimersByTime(SERVER_MS)
  }

  /** One of those who have something to write has it written. */
  #write(): boolean {
    const seat = this.#random.pick(this.seats.filter(({ persistence }) => persistence && persistence.pending > 0))
    if (!seat) return false
    this.#log(seat.user, 'writes')
    return seat.persistence!.step()
  }

  async #crash(seat: Seat): Promise<void> {
    if (!seat.persistence) return
    if (seat.isOpen) {
      this.#log(seat.user, 'crashes')
      await seat.crash()
      if (this.#random.chance(50)) return
    }
    this.#log(seat.user, 'opens')
    await seat.open()
  }

  /** Counts from the next connection on: that is when the server asks who it is. */
  #changeTeam({ user }: Seat): void {
    const team = this.#random.pick(TEAMS)
    this.#log(user, `joins ${team}`)
    if (team === undefined) this.#teams.delete(user)
    else this.#teams.set(user, team)
    // It may be asked for only now.
    for (const { id, users, told } of this.#taps) if (id === user && !told) users.push(this.#userOf(user))
  }

  async #restart(): Promise<void> {
    this.#log('server', 'restarts')
    this.#faults.cutAll('the server went down')
    await this.#core.close()
    this.#core = this.#serve()
    await this.#watch()
  }

  #serve(): ServerCore {
    this.#rules = this.#random.pick(this.#allRules) ?? noRules
    const { permissions } = this.#rules
    return new ServerCore({
      schema: this.#schema,
      storage: this.#storage,
      secret: 'test',
      idleMs: 1e9,
      snapshotEvery: 20,
      limits: { catchUp: 30 },
      onError: this.#report,
      authenticate: ({ token }) => this.#userOf(token!),
      ...(permissions && { permissions }),
    })
  }

  #userOf(id: string): User {
    const team = this.#teams.get(id)
    return { id, ...(team !== undefined && { team }) }
  }

  #states(): Promise<{ state: string; pending: number }[]> {
    return Promise.all(this.seats.map(({ store }) => firstValueFrom(store.sync.status$)))
  }

  #log(who: string, what: string): void {
    this.trace.push(`${who} ${what}`)
  }
}

/** The type of a message; of a piece of a long one, that it is one. */
function typeOf(message: string): string {
  if (!message.startsWith('{')) return 'piece'
  return (JSON.parse(message) as { readonly type: string }).type
}
