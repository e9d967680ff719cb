/**
 * react: providers, hooks and form binding over a store. Imports src/store and below, react and use-sync-external-store;
 * runs on React 17 to 19.
 * @module
 */
export type { DraftProvider, DraftProviderProps } from './draft-provider.ts'
export type { ErrorMessage, ErrorMessages, FieldError } from './form/field-error.ts'
export type { FieldChangeEvent, FieldKeyEvent, FieldProps } from './form/field-props.ts'
export type { FieldAttributes, FieldOption } from './form/field-schema.ts'
export type { FieldPropsOptions } from './form/use-bound-props.ts'
export { createStoreContext, type StoreContext } from './store-context.ts'
export type { StoreProvider, StoreProviderProps } from './store-provider.ts'
export type { UseChanges } from './use-changes.ts'
export type { DraftHandle, UseDraft } from './use-draft.ts'
export type { UseField } from './use-field.ts'
export type { UseFieldProps } from './use-field-props.ts'
export type { SetField } from './use-field-value.ts'
export type { HistoryHandle, HistorySteps, UseHistory } from './use-history.ts'
export type { PresenceHandle, UsePresence } from './use-presence.ts'
export type { UseQuery } from './use-query.ts'
export type { UseRow } from './use-row.ts'
export type { UseRows } from './use-rows.ts'
export type { UseStore } from './use-store.ts'
export type { SyncHandle, UseSyncStatus } from './use-sync-status.ts'
export type { UseTable } from './use-table.ts'
export type { UseValue } from './use-value.ts'
export type { UseValueField } from './use-value-field.ts'
export type { UseValueFieldProps } from './use-value-field-props.ts'
