import { DamagedError, RowcastError, type DamageReport } from '../../errors/index.ts'
import type { SyncTransport } from '../running-sync.ts'
import { decodeRecord, type KeptContents } from './journal.ts'
import type { Damage, DamagedContents, PersistedContents, PersistenceSession } from './persistence.ts'
import { isShared } from './shared-session.ts'

/** What an application says to a copy that is damaged. */
export type OnDamaged = (report: DamageReport) => 'rescue' | 'reset'

interface Deciding {
  readonly sync: SyncTransport | undefined
  readonly onDamaged: OnDamaged | undefined
}

/**
 * What a store is opened with. Throws DamagedError where something is damaged and nobody decides; RowcastError with code
 * `options` for another decision than one of the two.
 */
export async function loadKept(session: PersistenceSession, deciding: Deciding): Promise<KeptContents> {
  // What is shared may come to be this store's later, and be damaged then.
  if (isShared(session)) session.decideBy((damaged, cause) => void decided(damaged, cause, deciding))
  const { contents, cause } = await loadIntact(session)
  const { snapshot, records, damage } = contents
  return damage ? decided({ snapshot, records, damage }, cause, deciding) : { snapshot, records }
}

/** What a store goes on with. */
function decided(contents: DamagedContents, cause: unknown, { sync, onDamaged }: Deciding): KeptContents {
  const { snapshot, records } = contents
  const report = reportOf(contents, sync)
  if (!onDamaged) throw new DamagedError(report, { cause })
  const choice = onDamaged(report)
  if (choice !== 'rescue' && choice !== 'reset')
    throw new RowcastError('options', `onDamaged: expected 'rescue' or 'reset', not ${JSON.stringify(choice)}`)
  if (sync) return { ...sync.rescue(contents, choice === 'rescue'), outdated: true }
  if (choice === 'reset') return { snapshot: undefined, records: [], outdated: true }
  return { snapshot, records, outdated: true, rescued: true }
}

/** What is there and intact, and what is not. */
export interface Loaded {
  readonly contents: PersistedContents & { readonly damage?: Damage | undefined }
  /** What said so, where something is damaged. */
  readonly cause?: unknown
}

/** Records that nobody can read are damage as well. */
export async function loadIntact(session: PersistenceSession): Promise<Loaded> {
  try {
    return { contents: readable(await session.load(), undefined) }
  } catch (error) {
    if (!isDamaged(error)) throw error
    return { contents: readable(error.intact, error.damage), cause: error }
  }
}

function readable({ snapshot, records }: PersistedContents, damage: Damage | undefined): Loaded['contents'] {
  const kept: Uint8Array[] = []
  const findings = [...(damage?.findings ?? [])]
  const gaps: Damage['gaps'][number][] = []
  const found = [...(damage?.gaps ?? [])]
  for (const [n, bytes] of records.entries()) {
    while (found[0] && found[0].before <= n) gaps.push({ ...found.shift()!, before: kept.length })
    if (isRecord(bytes)) kept.push(bytes)
    else {
      findings.push(`record ${n} is none of a store`)
      gaps.push({ before: kept.length, bytes: bytes.length })
    }
  }
  gaps.push(...found.map((gap) => ({ ...gap, before: kept.length })))
  if (findings.length === 0) return { snapshot, records }
  return { snapshot, records: kept, damage: { snapshot: damage?.snapshot ?? false, gaps, findings } }
}

function isRecord(bytes: Uint8Array): boolean {
  try {
    decodeRecord(bytes)
    return true
  } catch {
    // Whatever is wrong with it.
    return false
  }
}

/** What rejects `load`, whoever has written the persistence. */
function isDamaged(error: unknown): error is RowcastError & { intact: PersistedContents; damage: Damage } {
  if (!(error instanceof RowcastError) || error.code !== 'persistence-damaged') return false
  return Reflect.get(error, 'intact') !== undefined && Reflect.get(error, 'damage') !== undefined
}

function reportOf({ records, damage }: DamagedContents, sync: SyncTransport | undefined): DamageReport {
  const before = damage.gaps[0]?.before ?? records.length
  return {
    findings: damage.findings,
    snapshot: damage.snapshot,
    intact: { before, after: records.length - before },
    lost: damage.gaps,
    pending: sync?.pendingIn(records) ?? [],
  }
}
