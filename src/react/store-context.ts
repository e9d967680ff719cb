import { createContext } from 'react'
import type { Schema, SchemaInput } from '../schema/index.ts'
import { createDraftProvider, type DraftProvider } from './draft-provider.ts'
import type { Scope } from './scope.ts'
import { createStoreProvider, type StoreProvider } from './store-provider.ts'
import { createUseChanges, type UseChanges } from './use-changes.ts'
import { createUseDraft, type UseDraft } from './use-draft.ts'
import { createUseField, type UseField } from './use-field.ts'
import { createUseFieldProps, type UseFieldProps } from './use-field-props.ts'
import { createUseHistory, type UseHistory } from './use-history.ts'
import { useLive } from './use-live.ts'
import { createUsePresence, type UsePresence } from './use-presence.ts'
import { createUseQuery, type UseQuery } from './use-query.ts'
import { createUseRow, type UseRow } from './use-row.ts'
import { createUseRows, type UseRows } from './use-rows.ts'
import { createUseStore, type UseStore } from './use-store.ts'
import { createUseSyncStatus, type UseSyncStatus } from './use-sync-status.ts'
import { createUseTable, type UseTable } from './use-table.ts'
import { createUseValue, type UseValue } from './use-value.ts'
import { createUseValueField, type UseValueField } from './use-value-field.ts'
import { createUseValueFieldProps, type UseValueFieldProps } from './use-value-field-props.ts'

/** The providers and hooks of one kind of store. */
export interface StoreContext<S extends SchemaInput> {
  readonly StoreProvider: StoreProvider<S>
  readonly DraftProvider: DraftProvider<S>
  readonly useStore: UseStore<S>
  readonly useTable: UseTable<S>
  readonly useRow: UseRow<S>
  readonly useField: UseField<S>
  readonly useFieldProps: UseFieldProps<S>
  readonly useRows: UseRows<S>
  readonly useQuery: UseQuery
  readonly useLive: typeof useLive
  readonly useValue: UseValue<S>
  readonly useValueField: UseValueField<S>
  readonly useValueFieldProps: UseValueFieldProps<S>
  readonly useDraft: UseDraft<S>
  readonly useHistory: UseHistory
  readonly useSyncStatus: UseSyncStatus
  readonly usePresence: UsePresence
  readonly useChanges: UseChanges<S>
}

/**
 * Makes providers and hooks whose types are inferred from a schema. Each call makes a context of its own: several may
 * live in one page, one inside the other.
 */
export function createStoreContext<S extends SchemaInput>(_schema: Schema<S>): StoreContext<S> {
  const context = createContext<Scope<S> | undefined>(undefined)
  context.displayName = 'Rowcast'
  return {
    StoreProvider: createStoreProvider(context),
    DraftProvider: createDraftProvider(context),
    useStore: createUseStore(context),
    useTable: createUseTable(context),
    useRow: createUseRow(context),
    useField: createUseField(context),
    useFieldProps: createUseFieldProps(context),
    useRows: createUseRows(context),
    useQuery: createUseQuery(context),
    useLive,
    useValue: createUseValue(context),
    useValueField: createUseValueField(context),
    useValueFieldProps: createUseValueFieldProps(context),
    useDraft: createUseDraft(context),
    useHistory: createUseHistory(context),
    useSyncStatus: createUseSyncStatus(context),
    usePresence: createUsePresence(context),
    useChanges: createUseChanges(context),
  }
}
