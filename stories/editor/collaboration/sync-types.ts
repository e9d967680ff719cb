import type { ObservedValueOf } from 'rxjs'
import type { EditorStore } from '../app/editor-store.ts'

type Sync = EditorStore['sync']

export type SyncStatus = ObservedValueOf<Sync['status$']>
export type RejectedTransaction = ObservedValueOf<Sync['rejected$']>[number]
export type PresenceOther = ObservedValueOf<Sync['presence']['others$']>[number]
