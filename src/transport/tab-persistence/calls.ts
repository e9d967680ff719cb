import { DamagedError, RowcastError, type DamageReport } from '../../errors/index.ts'
import { PersistenceError, type PersistenceErrorCode } from '../../persist/index.ts'
import type { QuotaEstimate } from '../../store/index.ts'
import type { Tabs } from '../../tabs/index.ts'
import type { Owner } from '../sync/owner.ts'

/** What a guest asks of the holder. Records are encoded. */
export type Ask =
  | { readonly kind: 'base' }
  | { readonly kind: 'estimate' }
  /** To make sure that what was written is still there. */
  | { readonly kind: 'whole' }
  | {
      readonly kind: 'append'
      readonly tab: string
      /** Of which database they are. */
      readonly database: string | undefined
      /** Whose they are. */
      readonly owner: Owner
      readonly records: readonly Uint8Array[]
    }

export type Told =
  | { readonly kind: 'base'; readonly snapshot: Uint8Array | undefined; readonly records: Uint8Array[] }
  | { readonly kind: 'estimate'; readonly estimate: QuotaEstimate | undefined }
  | { readonly kind: 'done' }
  /** It closes, and has not answered: the next one is to be asked. */
  | { readonly kind: 'gone' }
  | {
      readonly kind: 'failed'
      readonly code: string
      readonly message: string
      readonly estimate: QuotaEstimate | undefined
      readonly report: DamageReport | undefined
    }

export type Lane = Pick<Tabs, 'request' | 'provide'>

/** To whoever has the persistence open. */
export function holderCall(name: string): string {
  return `persistence:${name}`
}

/** An error as it crosses to another tab: with what it says of the space. */
export function failed(error: unknown): Told {
  const estimate =
    error instanceof PersistenceError && error.usage !== undefined && error.quota !== undefined
      ? { usage: error.usage, quota: error.quota }
      : undefined
  return {
    kind: 'failed',
    code: error instanceof RowcastError ? String(error.code) : 'persistence-failed',
    message: error instanceof Error ? error.message : String(error),
    estimate,
    report: error instanceof DamagedError ? error.report : undefined,
  }
}

/** Throws what went wrong with the holder. */
export function unwrap(told: Told): Told {
  if (told.kind !== 'failed') return told
  if (told.report) throw new DamagedError(told.report)
  throw new PersistenceError(told.code as PersistenceErrorCode, told.message, { estimate: told.estimate })
}

/** Asks the holder, or waits for one. Rejects with what went wrong there. */
export async function askHolder(lane: Lane, name: string, ask: Ask, signal?: AbortSignal): Promise<Told> {
  for (;;) {
    const told = (await lane.request(holderCall(name), ask, { signal })) as Told
    if (told.kind !== 'gone') return unwrap(told)
  }
}
