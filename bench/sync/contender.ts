/** Someone who edits: the product's own client, with a whole copy of its own. */
export interface Editor {
  /** Sets one small value. */
  set(row: number, value: number): void
  /** Told of each value that a row comes to, from whoever it comes. */
  heard(row: number, listener: (value: number) => void): void
  /** Resolves once the server has confirmed all that was set; absent where a product has no such thing. */
  readonly settled?: () => Promise<void>
  /** Goes offline; the result comes back. */
  leave(): () => Promise<Return>
  close(): void | Promise<void>
}

/** A connection that was opened again. */
export interface Return {
  /** When it began to be opened. */
  readonly from: number
  /** What came over it so far. */
  readonly bytes: () => number
}

/** Someone who looks on without a copy: a socket that counts. */
export interface Listener {
  close(): void
}

/** A product under test. Its server runs in one process, its clients in another. */
export interface Contender {
  readonly name: string
  serve(directory: string): Promise<{ readonly port: number; readonly close: () => void | Promise<void> }>
  join(port: number): Promise<Editor>
  /** `took` is called as a message comes, with the number of changes in it. */
  listen(port: number, took: (changes: number) => void): Promise<Listener>
}

export const contenders = ['rowcast', 'hocuspocus', 'tinybase'] as const

export async function contenderOf(name: string): Promise<Contender> {
  if (name === 'rowcast') return (await import('./rowcast.ts')).rowcast
  // The peers are a package of their own, that the library's types and lock know nothing of.
  const { contender } = (await import(new URL(`../peers/${name}.mjs`, import.meta.url).href)) as {
    contender: Contender
  }
  return contender
}
