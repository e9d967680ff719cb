import { indexedDbPersistence, opfsPersistence, PersistenceError, type PersistenceSession } from 'rowcast/persist'

declare global {
  interface Window {
    persist: typeof actions
  }
}

/** `done`, or the code of the error and the types of what it says of the space. */
interface Outcome {
  readonly code: string
  readonly usage?: string
  readonly quota?: string
}

let session: PersistenceSession | undefined

function opened(): PersistenceSession {
  if (!session) throw new Error('The test has opened no session.')
  return session
}

/** Bytes that don't compress. */
function noise(length: number): Uint8Array {
  const bytes = new Uint8Array(length)
  for (let at = 0; at < length; at += 65_536) crypto.getRandomValues(bytes.subarray(at, at + 65_536))
  return bytes
}

/** What the tests ask of the page, in numbers: how long the snapshot is and each of the records. */
const actions = {
  async open(kind: 'opfs' | 'indexedDb'): Promise<void> {
    const make = kind === 'opfs' ? opfsPersistence : indexedDbPersistence
    session = await make({ name: 'quota' }).open()
  },
  async append(lengths: number[]): Promise<Outcome> {
    return outcome(opened().append(lengths.map(noise)))
  },
  async replace(length: number, lengths: number[]): Promise<Outcome> {
    return outcome(opened().replace(noise(length), lengths.map(noise)))
  },
  async load(): Promise<{ snapshot: number | undefined; records: number[] }> {
    const { snapshot, records } = await opened().load()
    return { snapshot: snapshot?.length, records: records.map((record) => record.length) }
  },
  close: () => opened().close(),
}

async function outcome(work: Promise<void>): Promise<Outcome> {
  try {
    await work
    return { code: 'done' }
  } catch (error) {
    if (!(error instanceof PersistenceError)) return { code: String(error) }
    return { code: error.code, usage: typeof error.usage, quota: typeof error.quota }
  }
}

window.persist = actions
