import { readProgress } from './read-progress.ts'

/** A transaction as the server's log has it. */
export interface LogEntry {
  readonly sequence: number
  readonly kind: 'created' | 'transaction' | 'import' | 'rollback'
  /** Milliseconds since 1970. */
  readonly at: number
  /** The user's id, and what they are called. */
  readonly by?: string
  readonly name?: string
  readonly label?: string
  /** Of what it is a fork. */
  readonly from?: { readonly database: string; readonly sequence: number }
  readonly changes: readonly LogChange[]
}

export interface LogChange {
  readonly table: string
  readonly key: unknown
  readonly op: 'insert' | 'update' | 'delete'
  readonly before: { readonly [path: string]: unknown }
  readonly after: { readonly [path: string]: unknown }
}

/** A state that was given a name. */
export interface Snapshot {
  readonly sequence: number
  readonly label?: string
  readonly at: number
}

/** The server's calls on one database, in someone's name. Each rejects with an Error that says what the server said. */
export class DatabaseCalls {
  readonly #url: string
  readonly #token: string

  constructor(database: string, token: string) {
    this.#url = `${location.origin}/v1/databases/${encodeURIComponent(database)}`
    this.#token = token
  }

  /** The last entries of the log, newest first. */
  async history(count: number): Promise<readonly LogEntry[]> {
    const { first, last } = await this.#json<{ first: number; last: number }>('GET', 'history?limit=1')
    const from = Math.max(first, last - count + 1)
    const { entries } = await this.#json<{ entries: LogEntry[] }>('GET', `history?from=${from}&limit=${count}`)
    return entries.toReversed()
  }

  /** Those with a label; the server makes others for itself. */
  async snapshots(): Promise<readonly Snapshot[]> {
    const { snapshots } = await this.#json<{ snapshots: Snapshot[] }>('GET', 'snapshots')
    return snapshots.filter(({ label }) => label !== undefined)
  }

  /** Gives the state of now a name. */
  async makeSnapshot(label: string): Promise<void> {
    await this.#json('POST', 'snapshots', { label })
  }

  /**
   * Everyone sees it, as a new transaction; where nothing differs from that state there is none. Resolves with the number
   * of the last transaction then.
   */
  async rollBack(to: number): Promise<number> {
    const { sequence } = await this.#json<{ sequence: number }>('POST', 'rollback', {
      to,
      label: `Rolled back to ${to}`,
    })
    return sequence
  }

  /**
   * Makes another database from the state after a transaction, and gives the project in it the name as its title. `onShare`
   * is told how far that is, 0 to 1.
   */
  async fork(name: string, at: number, onShare: (share: number) => void): Promise<void> {
    const accept = { accept: 'application/x-ndjson' }
    const { body } = await this.#call('POST', 'fork', JSON.stringify({ name, at }), accept)
    if (body) await readProgress(body, onShare)
    await new DatabaseCalls(name, this.#token).#json('POST', 'transactions', {
      label: `Rename the project to ${name}`,
      changes: [{ table: 'scene', key: 1, op: 'update', after: { title: name } }],
    })
  }

  /** Replaces the database by a file, for everyone. */
  async import(bytes: ArrayBuffer, label: string): Promise<void> {
    await this.#call('PUT', `import?label=${encodeURIComponent(label)}`, bytes)
  }

  async #json<Body>(method: string, path: string, body?: object): Promise<Body> {
    const response = await this.#call(method, path, body && JSON.stringify(body))
    return (await response.json()) as Body
  }

  async #call(
    method: string,
    path: string,
    body?: string | ArrayBuffer,
    headers?: Readonly<Record<string, string>>,
  ): Promise<Response> {
    const response = await fetch(`${this.#url}/${path}`, {
      method,
      headers: {
        authorization: `Bearer ${this.#token}`,
        ...headers,
        ...(typeof body === 'string' && { 'content-type': 'application/json' }),
      },
      body: body ?? null,
    })
    if (response.ok) return response
    throw new Error(reasonOf(await response.text()) ?? `The server answered ${response.status}.`)
  }
}

/** The server says why as JSON; what stands between says anything. */
function reasonOf(text: string): string | undefined {
  try {
    const { error } = JSON.parse(text) as { readonly error?: { readonly reason?: string } }
    return error?.reason
  } catch (error) {
    if (error instanceof SyntaxError) return undefined
    throw error
  }
}
