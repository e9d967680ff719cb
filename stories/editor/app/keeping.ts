import { type Persistence, type PersistenceSession, RowcastError } from 'rowcast'
import { opfsPersistence } from 'rowcast/persist'

/** Where a project, and what this window shows of it, is kept over reloads. */
export interface Keeping {
  /** For `createStore`. Undefined where the project is not kept on this device. */
  readonly persistence: Persistence | undefined
  /** Whether it has been kept before. */
  readonly isKnown: boolean
  /** Why the project is not kept, for people. */
  readonly reason?: string
  /** Where the window's own state is kept, and under what name. */
  readonly storage: Storage
  readonly name: string
  /** Gives it up where no store is opened with it. */
  release(): Promise<void>
}

const reasons: Readonly<Record<string, string>> = {
  'persistence-in-use': 'another window has it open',
  'persistence-unavailable': 'this browser has no storage for pages of this address',
  quota: 'there is no space left for it',
}

/**
 * Keeps a project on this device: in OPFS, or in IndexedDB where there is none. Where neither can be had the project is
 * open all the same, with the reason, and what the window shows is kept until the window closes.
 */
export async function keepProject(name: string): Promise<Keeping> {
  try {
    const session = await open(opfsPersistence({ name }))
    return {
      persistence: { open: () => Promise.resolve(session) },
      isKnown: await session.load().then(
        ({ snapshot }) => snapshot !== undefined,
        // What is damaged is for `createStore` to see to.
        () => true,
      ),
      storage: localStorage,
      name,
      release: () => session.close(),
    }
  } catch (error) {
    if (!(error instanceof RowcastError)) throw error
    return notKept(name, reasons[String(error.code)] ?? error.message)
  }
}

/** A page that is loaded anew may take some seconds to let go of what it held, on a busy machine. */
async function open(persistence: Persistence, triesLeft = 10): Promise<PersistenceSession> {
  try {
    return await persistence.open()
  } catch (error) {
    // Each try waits for a moment.
    if (triesLeft > 0 && error instanceof RowcastError && error.code === 'persistence-in-use')
      return open(persistence, triesLeft - 1)
    throw error
  }
}

/** Keeps nothing of a project but what this window shows of it, until it closes. */
export function notKept(name: string, reason?: string): Keeping {
  return {
    persistence: undefined,
    isKnown: false,
    ...(reason !== undefined && { reason }),
    storage: sessionStorage,
    name,
    release: () => Promise.resolve(),
  }
}
