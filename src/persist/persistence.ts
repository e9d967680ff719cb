export type { PersistedContents, Persistence, PersistenceSession, QuotaEstimate, QuotaOptions } from '../store/index.ts'
