export type { Damage, PersistedContents, Persistence, PersistenceSession, QuotaEstimate, QuotaOptions } from '../store/index.ts'
